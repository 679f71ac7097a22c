"""The leaderboard of any set of record folders."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scaledetect.leaderboard.records import BadRecord, Conflict, unique_records
from scaledetect.leaderboard.tables.gap import Gap, theory_gaps
from scaledetect.leaderboard.tables.table import CardTable, card_tables

__all__ = ["Leaderboard", "leaderboard"]


@dataclass(frozen=True)
class Leaderboard:
    """Tables of scores, and what could not be used for them.

    Attributes
    ----------
    tables : tuple of CardTable
    gaps : tuple of Gap
    n_records : int
        Records that the tables are made of.
    repeated : int
        Files left out because their run had a record already.
    conflicts : tuple of Conflict
    bad : tuple of BadRecord
    """

    tables: tuple[CardTable, ...]
    gaps: tuple[Gap, ...]
    n_records: int
    repeated: int
    conflicts: tuple[Conflict, ...]
    bad: tuple[BadRecord, ...]


def leaderboard(folders: Iterable[str | Path]) -> Leaderboard:
    """The leaderboard of all records in `folders`, files or folders of files, each run counted once.

    Raises
    ------
    ValueError
        For a path that is not there. Files that are no records are named in the result and stop nothing.
    """
    with _without_collection():
        found = unique_records(folders)
        tables = card_tables(found.records)
        gaps = theory_gaps(found.records)
    return Leaderboard(tables, gaps, len(found.records), found.repeated, found.conflicts, found.bad)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Records hold no cycles, yet the collector walks over all that were read, again and again: a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
