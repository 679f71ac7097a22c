"""Verification of stored records: form, hash, data, and a rerun."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from scaledetect._base.arguments import at_least_one, check_seed, not_negative
from scaledetect._base.errors import UnknownNameError
from scaledetect.leaderboard.entries.base import Entry, entry_names, find_entry
from scaledetect.leaderboard.records import BadRecord, Record, read_records
from scaledetect.leaderboard.records.agreement import MOST_ERRORS, TOLERANCE, agreement
from scaledetect.leaderboard.runner import Done, Planned, make_pool, plan_runs, record_of
from scaledetect.leaderboard.runner.scheduler import drive
from scaledetect.leaderboard.scoring import Run
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.task.cards import Card, list_tasks, load_card

__all__ = ["MOST_ERRORS", "TOLERANCE", "Verdict", "VerdictKind", "verify_records"]

VerdictKind = Literal["verified", "consistent", "sound", "differs", "cannot verify"]


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one record.

    Attributes
    ----------
    path : Path
        Of its file; ``<file>:<line>`` for a line of a JSON Lines file.
    kind : {"verified", "consistent", "sound", "differs", "cannot verify"}
        Verified: a rerun gives the same scores to the last bit. Consistent: it decides every image alike, with D, G and
        R far nearer than their standard errors; or another machine or other versions give a test error within
        `MOST_ERRORS` joint standard errors. Sound: form, hash and data are right, and a sample left its rerun out.
    why : str
        By how much it differs, or what stands in the way.
    """

    path: Path
    kind: VerdictKind
    why: str = ""


@dataclass(frozen=True)
class _Case:
    """A record that only a rerun can judge."""

    path: Path
    record: Record
    planned: Planned


def verify_records(
    paths: Iterable[str | Path],
    *,
    cards: Sequence[str] = (),
    entries: Sequence[str] = (),
    jobs: int = 1,
    sample: int | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
) -> tuple[Verdict, ...]:
    """Check the form, the hash and the data of records, then run them again.

    Code is never taken from a record: entries and cards that do not come with the package are those named here.

    Parameters
    ----------
    paths : iterable of path
        Files, or folders of them.
    cards, entries : sequence of str
        TOML files, and ``module:Class``, that records may refer to by name.
    jobs : int, default 1
        Processes that rerun.
    sample : int, optional
        Records that are run again, drawn at random; the others are checked without. Default: all.
    seed : int, default 0
        Seed of that draw, 0 to 2^64 - 1.
    tolerance : float, default 0.01
        Standard errors that D, G and R may differ by where a rerun decides every image alike, not negative.
    on_verdict : callable
        Called with each verdict as it is reached.

    Returns
    -------
    tuple of Verdict
        In the order of the files.

    Raises
    ------
    KeyError, TypeError, ValueError
        For a path that is not there, and for cards and entries that are not.
    """
    if sample is not None:
        sample = at_least_one("sample", sample)
    seed, tolerance = check_seed(seed), not_negative("tolerance", tolerance)
    files = dict(read_records(paths))
    known = _Known(cards, entries)
    verdicts: dict[Path, Verdict] = {}

    def reach(verdict: Verdict) -> None:
        verdicts[verdict.path] = verdict
        on_verdict(verdict)

    cases: list[_Case] = []
    for path, one in files.items():
        found = _before_the_rerun(path, one, known)
        if isinstance(found, Verdict):
            reach(found)
        else:
            cases.append(found)
    chosen, others = _sampled(cases, sample, seed)
    for case in others:
        reach(Verdict(case.path, "sound", "form, hash and data; not run again"))
    if chosen:
        _rerun(chosen, jobs, tolerance, reach)
    return tuple(verdicts[path] for path in files)


def _sampled(cases: list[_Case], sample: int | None, seed: int) -> tuple[list[_Case], list[_Case]]:
    """Those to run again, and the others, both in their order."""
    if sample is None or sample >= len(cases):
        return cases, []
    drawn = set(np.random.default_rng(seed).choice(len(cases), sample, replace=False).tolist())
    return [case for k, case in enumerate(cases) if k in drawn], [c for k, c in enumerate(cases) if k not in drawn]


class _Known:
    """Cards and entries that records may refer to."""

    def __init__(self, cards: Sequence[str], entries: Sequence[str]) -> None:
        self.cards = {
            load_card(source).name: source for source in (*list_tasks("score"), *list_tasks("scaling"), *cards)
        }
        self.entries = {name: name for name in entry_names()} | {find_entry(source).name: source for source in entries}


def _before_the_rerun(path: Path, found: Record | BadRecord, known: _Known) -> Verdict | _Case:
    if isinstance(found, BadRecord):
        return Verdict(path, "differs" if found.changed else "cannot verify", found.reason)
    try:
        return _Case(path, found, _planned(found, known))
    except _CannotVerifyError as error:
        return Verdict(path, "cannot verify", str(error))
    except _DiffersError as error:
        return Verdict(path, "differs", str(error))


class _CannotVerifyError(Exception):
    """Something a rerun needs is not here."""


class _DiffersError(Exception):
    """The record disagrees with what it refers to."""


def _planned(record: Record, known: _Known) -> Planned:
    """The run of a record as it is planned here, once all that it says of it is checked."""
    if record.status == "failed":
        raise _CannotVerifyError(f"it records a failure: {record.reason}")
    card = _card(record, known)
    entry = _entry(record, known)
    if not entry.applies(card.task):
        raise _DiffersError(f"entry {record.entry!r} cannot take the images of {record.card}")
    if not entry.limits.admits(card.task, record.n_train):
        raise _CannotVerifyError(f"it is beyond the limits that the entry declares, {entry.limits}")
    source = known.cards[record.card], known.entries[record.entry]
    try:
        (planned,) = plan_runs(cards=source[:1], entries=source[1:], n_train=[record.n_train], seeds=[record.seed])
    except ValueError as error:
        raise _DiffersError(str(error)) from error
    for name, value in planned.identity.items():
        if getattr(record, name) != value:
            raise _DiffersError(f"{name} is {getattr(record, name)!r}, but that of the entry is {value!r}")
    return planned


def _card(record: Record, known: _Known) -> Card:
    if record.card not in known.cards:
        raise _CannotVerifyError(f"there is no card {record.card!r} here; name its file with --cards")
    card = load_card(known.cards[record.card])
    if record.card_version != card.version:
        raise _CannotVerifyError(f"it is of version {record.card_version} of the card, which here is {card.version}")
    if record.stream_version != STREAM_VERSION:
        raise _CannotVerifyError(
            f"it is of version {record.stream_version} of the stream, which here is {STREAM_VERSION}"
        )
    if record.data_digest != card.digest:
        raise _DiffersError(f"its data have the digest {record.data_digest}, those of the card {card.digest}")
    if _current_digest(card.name, known.cards[record.card]) != card.digest:
        raise _CannotVerifyError("this installation samples other data than the card says")
    if card.budgets is not None and record.scores is not None and record.scores.n_test != card.budgets.n_test:
        raise _DiffersError(f"n_test is {record.scores.n_test}, but the card has {card.budgets.n_test}")
    return card


@cache
def _current_digest(name: str, source: str) -> str:
    return load_card(source).current_digest()


def _entry(record: Record, known: _Known) -> Entry:
    if record.entry not in known.entries:
        raise _CannotVerifyError(f"there is no entry {record.entry!r} here; name its class with --entries")
    try:
        entry = find_entry(known.entries[record.entry])
    except (UnknownNameError, ImportError) as error:
        raise _CannotVerifyError(f"entry {record.entry!r} cannot be loaded: {error}") from error
    if record.entry_version != entry.version:
        raise _CannotVerifyError(f"it is of version {record.entry_version} of the entry, which here is {entry.version}")
    return entry


def _rerun(cases: list[_Case], jobs: int, tolerance: float, reach: Callable[[Verdict], None]) -> None:
    waiting: dict[Run, list[_Case]] = {}
    for case in cases:
        waiting.setdefault(case.planned.run, []).append(case)

    def on_done(batch: list[Done]) -> None:
        for done in batch:
            for case in waiting[done.run]:
                try:
                    again = record_of(case.planned, done)
                except ValueError as error:
                    reach(Verdict(case.path, "cannot verify", f"the outcome of a rerun is no record: {error}"))
                else:
                    reach(Verdict(case.path, *agreement(case.record, again, tolerance)))

    def on_lost(run: Run, reason: str, died: bool) -> None:
        for case in waiting[run]:
            reach(Verdict(case.path, "cannot verify", f"a rerun gives no result: {reason}"))

    pool = make_pool(min(jobs, len(waiting)))
    try:
        drive(waiting, pool, seconds=lambda run: None, on_done=on_done, on_lost=on_lost)
    finally:
        pool.close()
