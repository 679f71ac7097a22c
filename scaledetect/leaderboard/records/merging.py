"""Records of several folders in one: one record a run, and what contradicts named."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scaledetect._base.errors import bad_value
from scaledetect._base.files import checked_path
from scaledetect.leaderboard.records.agreement import agreement
from scaledetect.leaderboard.records.schema import Record
from scaledetect.leaderboard.records.storage import BadRecord, numbered_records, place_of, write_lines, write_record

__all__ = ["Conflict", "Merged", "merge_records", "unique_records", "without_collection"]


@dataclass(frozen=True)
class Conflict:
    """Two records of one run that should be equal and are not: same environment, or an exact entry."""

    run: str
    kept: Path
    other: Path
    difference: str


@dataclass(frozen=True)
class Merged:
    """One record a run, and what was met on the way.

    Attributes
    ----------
    records : tuple of Record
        In the order of their files.
    repeated : int
        Files left out because their run had a record already.
    conflicts : tuple of Conflict
    bad : tuple of BadRecord
    """

    records: tuple[Record, ...]
    repeated: int
    conflicts: tuple[Conflict, ...]
    bad: tuple[BadRecord, ...]


def unique_records(folders: Iterable[str | Path]) -> Merged:
    """The records of `folders`, one a key: of several, the first that is no failure, in the order given."""
    kept: dict[str, tuple[str, int, Record]] = {}
    conflicts: list[Conflict] = []
    bad: list[BadRecord] = []
    repeated = 0
    with without_collection():
        read = list(numbered_records(folders))
    for path, line, found in read:
        if isinstance(found, BadRecord):
            bad.append(found)
            continue
        if found.key not in kept:
            kept[found.key] = path, line, found
            continue
        repeated += 1
        first_path, first_line, first = kept[found.key]
        if difference := _contradiction(first, found):
            where = place_of(first_path, first_line), place_of(path, line)
            conflicts.append(Conflict(found.run, *where, difference))
        if first.status == "failed" != found.status:
            kept[found.key] = path, line, found
    return Merged(tuple(record for *_, record in kept.values()), repeated, tuple(conflicts), tuple(bad))


@contextmanager
def without_collection() -> Iterator[None]:
    """Records hold no cycles, yet the collector walks over all that were read, again and again: a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def merge_records(folders: Iterable[str | Path], output: str | Path, *, lines: bool = False) -> Merged:
    """Write one record a run of `folders` into the folder `output`, which counts as the first of them.

    With `lines` they become one JSON Lines file a card and entry, as the published records are.

    Returns
    -------
    Merged
        Of conflicting records the one met first is kept; the caller decides what to do about `conflicts`.
    """
    target = checked_path("output", output)
    there = next(path for path in (target, *target.parents) if path.exists())
    if not there.is_dir():
        raise bad_value("output", str(output), f"{there} is a file", "name a folder")
    own = [output] if there == target else []
    merged = unique_records([*own, *folders])
    if lines:
        write_lines(output, merged.records)
    else:
        for record in merged.records:
            write_record(output, record)
    return merged


def _contradiction(first: Record, second: Record) -> str:
    """How two records of a run disagree though they had to agree, or ""."""
    if "failed" in (first.status, second.status):  # a worker may die of what is no property of the run
        return ""
    if not (first.exact or first.environment == second.environment) or agreement(first, second)[0] != "differs":
        return ""
    if first.status != second.status:
        return f"status {first.status} and {second.status}"
    mine, theirs = ({} if record.scores is None else record.scores.model_dump() for record in (first, second))
    return "; ".join(f"{name} {mine[name]} and {theirs[name]}" for name in mine if mine[name] != theirs[name])
