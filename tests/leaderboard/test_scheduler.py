"""The loop of the driver on an executor that takes one step at a time: nothing lost, nothing twice, no one blamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

import pytest

from scaledetect.leaderboard.runner import Finished, Pool
from scaledetect.leaderboard.runner.pools import Death
from scaledetect.leaderboard.runner.scheduler import GROUP_SECONDS, MOST_DEATHS, drive

Batch = tuple[int, ...]


class StepExecutor(Executor):
    """Finishes its oldest call when told."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[Batch], Any], Batch]] = []

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args[0]))
        return future

    def step(self) -> None:
        future, fn, batch = self.waiting.pop(0)
        try:
            future.set_result(fn(batch))
        except Exception as error:
            future.set_exception(error)


class StepPool(Pool[int]):
    def __init__(self, work: Callable[[Batch], Any], workers: int = 2) -> None:
        self._workers = workers
        self.batches: list[Batch] = []
        super().__init__(work)

    @property
    def workers(self) -> int:
        return self._workers

    def _start(self) -> Executor:
        self.steps = StepExecutor()
        return self.steps

    def submit(self, batch: Batch) -> None:
        self.batches.append(batch)
        super().submit(batch)

    def next(self) -> Finished[int] | None:
        if self._inbox.empty():
            self.steps.step()
        return super().next()

    def died(self, result: object) -> Death:
        if isinstance(result, TimeoutError):
            return "final"
        return "again" if isinstance(result, BrokenExecutor) else ""

    def close(self) -> None:
        pass


class Seen:
    """What was done and what was lost."""

    def __init__(self, pool: Pool[int], n: int, seconds: Callable[[int], float | None] = lambda _: None) -> None:
        self.done: list[int] = []
        self.lost: list[tuple[int, str, bool]] = []
        self.complete = drive(
            range(n),
            pool,
            seconds=seconds,
            on_done=self.done.extend,
            on_lost=lambda item, reason, died: self.lost.append((item, reason, died)),
        )


def test_every_item_is_done_once() -> None:
    pool = StepPool(list)
    seen = Seen(pool, 100)
    assert sorted(seen.done) == list(range(100))
    assert (seen.lost, seen.complete) == ([], True)
    assert max(len(batch) for batch in pool.batches) == 1


def test_short_items_are_grouped_and_long_ones_are_not() -> None:
    pool = StepPool(list)
    seen = Seen(pool, 1000, lambda item: 0.01 if item % 100 else GROUP_SECONDS)
    assert sorted(seen.done) == list(range(1000))
    assert len(pool.batches) < 120
    for batch in pool.batches:
        assert sum(0.01 if item % 100 else GROUP_SECONDS for item in batch) <= GROUP_SECONDS + 1e-9
    # The last ones are shared out, so that no worker ends long after the others.
    assert [len(batch) for batch in pool.batches[-4:]] == [1] * 4


def killer(*deadly: int) -> tuple[Callable[[Batch], list[int]], Counter[int]]:
    tried: Counter[int] = Counter()

    def work(batch: Batch) -> list[int]:
        tried.update(batch)
        if set(batch) & set(deadly):
            raise BrokenExecutor("a worker died")
        return list(batch)

    return work, tried


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_workers_that_die_cost_only_the_item_they_die_of(workers: int) -> None:
    work, tried = killer(3, 4, 17)
    pool = StepPool(work, workers)
    seen = Seen(pool, 40, lambda _: 0.1)
    assert sorted(seen.done) == [item for item in range(40) if item not in (3, 4, 17)]
    assert sorted(item for item, _, died in seen.lost if died) == [3, 4, 17]
    assert max(tried.values()) <= MOST_DEATHS
    assert "3 workers died" in seen.lost[0][1]


def test_what_takes_too_long_is_lost_at_once() -> None:
    tried: Counter[int] = Counter()

    def work(batch: Batch) -> list[int]:
        tried.update(batch)
        if 3 in batch:
            raise TimeoutError("took longer than the limit of 1 s")
        return list(batch)

    seen = Seen(StepPool(work), 10)
    assert sorted(seen.done) == [item for item in range(10) if item != 3]
    assert seen.lost == [(3, "TimeoutError: took longer than the limit of 1 s", True)]
    assert tried[3] == 1


def test_results_may_make_more_worth_while() -> None:
    done: list[int] = []
    waiting = [10, 11, 12]
    complete = drive(
        [0, 1], StepPool(list), seconds=lambda _: None, on_done=done.extend, on_lost=lambda *_: None,
        more=lambda: [waiting.pop(0)] if waiting else [],
    )  # fmt: skip
    assert complete
    assert sorted(done) == [0, 1, 10, 11, 12]


def test_an_error_costs_only_its_item_and_is_not_called_a_death() -> None:
    def work(batch: Batch) -> list[int]:
        if 5 in batch:
            raise ModuleNotFoundError("no module named x\nmore")
        return list(batch)

    pool = StepPool(work)
    seen = Seen(pool, 50, lambda _: 0.1)
    assert sorted(seen.done) == [item for item in range(50) if item != 5]
    assert seen.lost == [(5, "ModuleNotFoundError: no module named x", False)]


def test_an_interrupt_keeps_what_has_arrived() -> None:
    def work(batch: Batch) -> list[int]:
        if 10 in batch:
            pool.interrupt()
        return list(batch)

    pool = StepPool(work)
    seen = Seen(pool, 100)
    assert not seen.complete
    assert seen.done == list(range(11))
