"""The leaderboard of any set of record folders, and the published one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from scaledetect.leaderboard.records import BadRecord, Conflict, unique_records
from scaledetect.leaderboard.records.merging import without_collection
from scaledetect.leaderboard.tables.scaling import FamilyTable, family_tables
from scaledetect.leaderboard.tables.table import CardTable, card_tables

__all__ = ["Leaderboard", "leaderboard", "published_records"]


@dataclass(frozen=True)
class Leaderboard:
    """Tables of scores, and what could not be used for them.

    Attributes
    ----------
    families : tuple of FamilyTable
        Sample complexity against the size of the lattice.
    tables : tuple of CardTable
    n_records : int
        Records that the tables are made of.
    repeated : int
        Files left out because their run had a record already.
    conflicts : tuple of Conflict
    bad : tuple of BadRecord
    """

    families: tuple[FamilyTable, ...]
    tables: tuple[CardTable, ...]
    n_records: int
    repeated: int
    conflicts: tuple[Conflict, ...]
    bad: tuple[BadRecord, ...]


def leaderboard(folders: Iterable[str | Path] = (), *, published: bool = False) -> Leaderboard:
    """The leaderboard of all records in `folders`, files or folders of files, each run counted once.

    Parameters
    ----------
    folders : iterable of path, optional
    published : bool, default False
        Whether the records that come with the package are shown too; those of `folders` are then rows of their own,
        marked.

    Raises
    ------
    ValueError
        For a path that is not there. Files that are no records are named in the result and stop nothing.
    """
    with without_collection(), published_records() as shipped:
        own = unique_records(folders)
        others = unique_records([shipped] if published and shipped.exists() else [])
        tables = card_tables(others.records, own.records) if published else card_tables(own.records)
    return Leaderboard(
        family_tables(tables),
        tables,
        len(own.records) + len(others.records),
        own.repeated + others.repeated,
        (*others.conflicts, *own.conflicts),
        (*others.bad, *own.bad),
    )


@contextmanager
def published_records() -> Iterator[Path]:
    """The folder of the records that come with the package."""
    with as_file(files("scaledetect.baselines").joinpath("records")) as folder:
        yield folder
