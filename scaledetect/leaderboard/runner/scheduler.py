"""Scheduler: keeps every worker busy, groups short runs, tries again what a worker died of."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from scaledetect.leaderboard.runner.pools import Finished, Pool

__all__ = ["GROUP_SECONDS", "MOST_DEATHS", "drive"]

T = TypeVar("T")

GROUP_SECONDS = 2.0
"""Runs are handed out together as long as they are expected to take no longer than this."""

HAND_OUT_SECONDS = 0.01
"""With more than 200 workers groups grow, so that a batch is handed out no more often than this."""

MOST_DEATHS = 3
"""Workers that may die over a run: it is handed out again twice."""

AHEAD = 2
"""Batches handed out for each worker, so that none waits for the driver."""

SHARES = 4
"""A batch takes at most one in so many parts of a worker's share of the queue: the last ones are small."""


@dataclass(eq=False)
class _WorkQueue(Generic[T]):
    """What is still to be done, and what is known of it."""

    pool: Pool[T]
    seconds: Callable[[T], float | None]
    queue: deque[T]
    deaths: Counter[T] = field(default_factory=Counter)
    alone: set[T] = field(default_factory=set)
    in_flight: int = 0
    group: float = GROUP_SECONDS

    @property
    def open(self) -> bool:
        return bool(self.queue or self.in_flight)

    def hand_out(self) -> None:
        workers = self.pool.workers
        self.group = max(GROUP_SECONDS, HAND_OUT_SECONDS * workers)
        while self.queue and self.in_flight < AHEAD * workers:
            self._submit(self._batch(max(1, len(self.queue) // (SHARES * workers))))

    def take(self) -> Finished[T] | None:
        finished = self.pool.next()
        self.in_flight -= finished is not None
        return finished

    def try_again(self, item: T) -> bool:
        """Queue an item over which a worker died once more; False when that has happened too often."""
        self.deaths[item] += 1
        if self.deaths[item] >= MOST_DEATHS:
            return False
        self.queue.appendleft(item)
        return True

    def separate(self, batch: Sequence[T], *, died: bool) -> None:
        self.alone.update(batch)
        self.deaths.update(batch if died else ())
        self.queue.extendleft(batch)

    def _submit(self, batch: tuple[T, ...]) -> None:
        self.in_flight += 1
        self.pool.submit(batch)

    def _batch(self, most: int) -> tuple[T, ...]:
        batch, total = [self.queue.popleft()], 0.0
        while self.queue and len(batch) < most:
            total += self._expected(batch[-1])
            if total + self._expected(self.queue[0]) > self.group:
                break
            batch.append(self.queue.popleft())
        return tuple(batch)

    def _expected(self, item: T) -> float:
        known = None if self.deaths[item] or item in self.alone else self.seconds(item)
        return self.group if known is None else known


def drive(
    items: Iterable[T],
    pool: Pool[T],
    *,
    seconds: Callable[[T], float | None],
    on_done: Callable[[Any], None],
    on_lost: Callable[[T, str, bool], None],
    more: Callable[[], Iterable[T]] = lambda: (),
) -> bool:
    """Have the pool work through `items`.

    Parameters
    ----------
    items : iterable
        Hashable; each is worked on until one result of it is in, or it is lost.
    pool : Pool
        Left open.
    seconds : callable
        How long an item is expected to take; None where nothing is known, and it is handed out by itself.
    on_done : callable
        Called with what the work returned for a batch.
    on_lost : callable
        Called with an item, the reason, and whether it is that `MOST_DEATHS` workers died over it, or it took longer
        than it may.
    more : callable
        Called after each result: further items that it makes worth while.

    Returns
    -------
    bool
        False when `Pool.interrupt` ended it early; what had arrived by then was passed on.
    """
    desk = _WorkQueue(pool, seconds, deque(items))
    while desk.open:
        desk.hand_out()
        finished = desk.take()
        if finished is None:
            for late in pool.arrived():
                if not isinstance(late.result, BaseException):
                    on_done(late.result)
            return False
        _report_result(desk, finished, on_done, on_lost)
        desk.queue.extend(more())
    return True


def _report_result(
    desk: _WorkQueue[T], finished: Finished[T], on_done: Callable[[Any], None], on_lost: Callable[[T, str, bool], None]
) -> None:
    if not isinstance(finished.result, BaseException):
        on_done(finished.result)
        return
    if len(finished.batch) > 1:  # one of them is to blame: each gets another chance by itself
        desk.separate(finished.batch, died=desk.pool.died(finished.result) == "again")
        return
    item, death = finished.batch[0], desk.pool.died(finished.result)
    if death == "again" and desk.try_again(item):
        return
    first_line = str(finished.result).strip().partition("\n")[0]
    if death == "again":
        on_lost(item, f"{MOST_DEATHS} workers died over it; the last one: {first_line}", True)
    else:
        on_lost(item, f"{type(finished.result).__name__}: {first_line}", bool(death))
