"""The loop of the driver on an executor that takes one step at a time: nothing lost, nothing twice, no one blamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

import pytest

from scaledetect.leaderboard.runner import Finished, Pool
from scaledetect.leaderboard.runner.scheduler import GROUP_SECONDS, MOST_DEATHS, drive

Batch = tuple[int, ...]


class StepExecutor(Executor):
    """Finishes its oldest call when told; a call that raises BrokenExecutor takes all others with it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[Batch], Any], Batch]] = []
        self.broken = False

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        if self.broken:
            raise BrokenExecutor("it broke before")
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args[0]))
        return future

    def step(self) -> None:
        future, fn, batch = self.waiting.pop(0)
        try:
            future.set_result(fn(batch))
        except Exception as error:
            future.set_exception(error)
            if isinstance(error, BrokenExecutor):
                self.broken = True
                for other, _, _ in self.waiting:
                    other.set_exception(error)
                self.waiting = []


class StepPool(Pool[int]):
    def __init__(self, work: Callable[[Batch], Any], workers: int = 2) -> None:
        self.started, self._workers = 0, workers
        self.batches: list[Batch] = []
        super().__init__(work)

    @property
    def workers(self) -> int:
        return self._workers

    def _start(self) -> Executor:
        self.started += 1
        self.steps = StepExecutor()
        return self.steps

    def submit(self, batch: Batch) -> None:
        self.batches.append(batch)
        super().submit(batch)

    def next(self) -> Finished[int] | None:
        if self._inbox.empty():
            self.steps.step()
        return super().next()

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
    assert (seen.lost, seen.complete, pool.started) == ([], True, 1)
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


def test_an_innocent_that_falls_with_others_again_and_again_is_not_blamed() -> None:
    work, _ = killer(0, 1, 2)  # these surround 3 at every start
    seen = Seen(StepPool(work, 2), 4)
    assert seen.done == [3]
    assert sorted(item for item, _, _ in seen.lost) == [0, 1, 2]


def test_an_error_costs_only_its_item_and_is_not_called_a_death() -> None:
    def work(batch: Batch) -> list[int]:
        if 5 in batch:
            raise ModuleNotFoundError("no module named x\nmore")
        return list(batch)

    pool = StepPool(work)
    seen = Seen(pool, 50, lambda _: 0.1)
    assert sorted(seen.done) == [item for item in range(50) if item != 5]
    assert seen.lost == [(5, "ModuleNotFoundError: no module named x", False)]
    assert pool.started == 1


def test_an_interrupt_keeps_what_has_arrived() -> None:
    def work(batch: Batch) -> list[int]:
        if 10 in batch:
            pool.interrupt()
        return list(batch)

    pool = StepPool(work)
    seen = Seen(pool, 100)
    assert not seen.complete
    assert seen.done == list(range(11))


def test_an_interrupt_while_the_pool_is_broken() -> None:
    def work(batch: Batch) -> list[int]:
        if 1 in batch:
            pool.interrupt()
            raise BrokenExecutor("a worker died")
        return list(batch)

    pool = StepPool(work)
    assert not Seen(pool, 100).complete
