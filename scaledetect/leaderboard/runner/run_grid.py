"""Computation of the runs of a grid that have no record yet, each recorded as it ends."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from scaledetect._base.errors import bad_value
from scaledetect._base.files import make_folder
from scaledetect._base.run_folder import lock_folder
from scaledetect.leaderboard.records import (
    BadRecord,
    Environment,
    Record,
    RecordError,
    keyed_path,
    read_record,
    write_record,
)
from scaledetect.leaderboard.runner.doubling import Doubling, Ladder
from scaledetect.leaderboard.runner.grid import Planned
from scaledetect.leaderboard.runner.pools import DaskPool, Pool, ProcessPool
from scaledetect.leaderboard.runner.processes import RunLimits
from scaledetect.leaderboard.runner.scheduler import drive
from scaledetect.leaderboard.runner.worker import THREADS, Done, without_home, work
from scaledetect.leaderboard.scoring import Run

__all__ = ["Failure", "Report", "make_pool", "record_of", "run_study"]

REASON_LENGTH = 2000


@dataclass(frozen=True)
class Failure:
    """A run without a score, and why.

    Attributes
    ----------
    run : str
    reason : str
    recorded : bool
        False where it says nothing of the run itself, which is then computed again the next time.
    """

    run: str
    reason: str
    recorded: bool


@dataclass
class Report:
    """What a study did.

    Attributes
    ----------
    planned, found : int
        Runs of the plan, and those that had a record already.
    done : int
        Runs recorded now.
    failures : list of Failure
        Runs without a score, those recorded as failed before among them, and runs that could not be recorded.
    bad : list of BadRecord
        Files that stood in the place of a record and were none; their runs were computed anew.
    left_out : int
        Runs that the rule of doubling makes superfluous.
    interrupted : bool
    seconds : float
    """

    planned: int
    found: int = 0
    done: int = 0
    failures: list[Failure] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    left_out: int = 0
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def missing(self) -> int:
        """Runs of the plan without a record."""
        return self.planned - self.found - self.done - self.left_out


def make_pool(jobs: int = 1, scheduler: str | None = None, limits: RunLimits = RunLimits()) -> Pool[Run]:
    """Workers that evaluate runs: `jobs` processes of this machine, or those of a Dask scheduler, which has limits."""
    job = partial(work, folder=str(Path.cwd()))
    if scheduler is not None:
        if limits != RunLimits():
            raise bad_value("limits", limits, "are not kept by the workers of a Dask scheduler", "set them there")
        return DaskPool(job, scheduler)
    if jobs < 1:
        raise bad_value("jobs", jobs, "must be at least 1")
    return ProcessPool(job, jobs, limits)


def run_study(
    plan: Sequence[Planned],
    folder: str | Path,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    retry_failed: bool = False,
    doubling: Doubling | None = None,
    limits: RunLimits = RunLimits(),
    pool: Pool[Run] | None = None,
    on_start: Callable[[int], None] = lambda n: None,
    on_record: Callable[[Record], None] = lambda record: None,
) -> Report:
    """Compute and record the runs of `plan` that have no record in `folder`.

    Only this process writes, each record as soon as its run is done. SIGINT and SIGTERM end the study and keep
    everything that is done; started again, it goes on where it was.

    Parameters
    ----------
    plan : sequence of Planned
        See `plan_runs`.
    folder : path
        Made where it is missing.
    jobs : int, default 1
        Processes of this machine.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers are used instead.
    retry_failed : bool, default False
        Whether runs recorded as failed are computed again.
    doubling : Doubling, optional
        Rule by which entries go on to larger training sets; default: all runs of the plan.
    limits : RunLimits, optional
        Time and memory of a run. What takes more is recorded as failed.
    pool : Pool, optional
        Workers to use instead of both; it is closed at the end.
    on_start, on_record : callable
        Called with the number of runs to do, and with each record that was written.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        For a folder that cannot be written, or that another study writes to.
    """
    start = time.perf_counter()
    report = Report(planned=len(plan))
    errors: dict[str, float | None] = {}
    with lock_folder(make_folder(folder)):
        todo = {one.run: one for one in plan if not _is_recorded(one, folder, retry_failed, report, errors)}
        ladder = None if doubling is None else Ladder(plan, doubling, errors)
        first = list(todo) if ladder is None else [one.run for one in ladder.take()]
        on_start(len(todo))
        if first:
            workers = make_pool(min(jobs, len(todo)), scheduler, limits) if pool is None else pool
            _drive(first, workers, _Recorder(Path(folder), todo, report, on_record, ladder), report)
    report.left_out = 0 if ladder is None else ladder.left_out
    report.seconds = time.perf_counter() - start
    return report


def _drive(first: list[Run], workers: Pool[Run], desk: _Recorder, report: Report) -> None:
    try:
        with _stopping(workers):
            report.interrupted = not drive(
                first, workers, seconds=desk.seconds, on_done=desk.on_done, on_lost=desk.on_lost, more=desk.more
            )
    finally:
        workers.close()


def record_of(planned: Planned, done: Done) -> Record:
    """The record of a run that was computed.

    Raises
    ------
    ValueError
        Where its outcome contradicts itself.
    """
    outcome = done.outcome
    return Record.seal(
        **planned.identity,
        status=outcome.status,
        reason=outcome.reason[:REASON_LENGTH],
        scores=outcome.scores,
        fit_seconds=outcome.fit_seconds,
        predict_seconds=outcome.predict_seconds,
        wall_seconds=done.seconds,
        environment=done.environment,
    )


class _Recorder:
    """Writes what comes back, and learns how long runs take."""

    def __init__(
        self,
        folder: Path,
        todo: dict[Run, Planned],
        report: Report,
        on_record: Callable[[Record], None],
        ladder: Ladder | None,
    ) -> None:
        self._folder, self._todo, self._report, self._on_record = folder, todo, report, on_record
        self._ladder = ladder
        self._pace: dict[tuple[str, str], float] = {}

    def seconds(self, run: Run) -> float | None:
        """What the last run of the same entry and card took."""
        return self._pace.get((run.card, run.entry))

    def on_done(self, batch: list[Done]) -> None:
        for done in batch:
            self._pace[done.run.card, done.run.entry] = done.seconds
            planned = self._todo[done.run]
            try:
                record = record_of(planned, done)
            except ValueError as error:
                self.on_lost(done.run, f"its outcome is no record: {error}", False)
            else:
                self._write(planned, record)

    def more(self) -> list[Run]:
        """Runs that the last results have made worth while."""
        return [] if self._ladder is None else [one.run for one in self._ladder.take()]

    def on_lost(self, run: Run, reason: str, died: bool) -> None:
        """What died again and again is a property of the run, which is recorded; anything else may be the machine's."""
        if not died:
            self._report.failures.append(Failure(_name(self._todo[run]), reason, recorded=False))
            self._tell_ladder(self._todo[run], None)
            return
        nothing: dict[str, Any] = {"scores": None, "fit_seconds": 0.0, "predict_seconds": 0.0, "wall_seconds": 0.0}
        here = Environment.here(THREADS)
        content = {**self._todo[run].identity, **nothing, "status": "failed", "environment": here}
        self._write(self._todo[run], Record.seal(**content, reason=without_home(reason)[:REASON_LENGTH]))

    def _tell_ladder(self, planned: Planned, record: Record | None) -> None:
        if self._ladder is not None:
            self._ladder.report(planned, _error_of(record))

    def _write(self, planned: Planned, record: Record) -> None:
        write_record(self._folder, record)
        self._report.done += 1
        if record.status != "ok":
            self._report.failures.append(Failure(record.run, f"{record.status}: {record.reason}", recorded=True))
        self._on_record(record)
        self._tell_ladder(planned, record)


def _error_of(record: Record | None) -> float | None:
    return None if record is None or record.scores is None else record.scores.test_error


def _is_recorded(
    planned: Planned, folder: str | Path, retry_failed: bool, report: Report, errors: dict[str, float | None]
) -> bool:
    """Whether `planned` has a record, whose test error then goes into `errors`."""
    i = planned.identity
    path = keyed_path(folder, i["card"], i["entry"], i["n_train"], i["seed"], planned.key)
    if not path.exists():
        return False
    try:
        record = read_record(path)
    except RecordError as error:
        report.bad.append(BadRecord(error.path, error.reason))
        return False
    if record.key != planned.key:
        report.bad.append(BadRecord(path, "is the record of another run"))
        return False
    if record.status == "failed":
        if retry_failed:
            return False
        report.failures.append(Failure(record.run, f"recorded as failed: {record.reason}", recorded=True))
    report.found += 1
    errors[planned.key] = _error_of(record)
    return True


def _name(planned: Planned) -> str:
    i = planned.identity
    return f"{i['card']} / {i['entry']} / P={i['n_train']} / seed {i['seed']}"


@contextmanager
def _stopping(pool: Pool[Any]) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM end the study in order; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, frame: object) -> None:
        restore()
        pool.interrupt()

    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        restore()
