"""The real runner on simulated workers, up to 1000: where does its one driver process become the bottleneck?

The driver plans, groups, hands out, seals and writes records exactly as it does on a cluster; its time is measured.
The workers are simulated: an executor whose futures finish in virtual time, after run times drawn around those of each
entry. While the driver works, virtual time goes on as real time does; while it waits, it jumps to the next result.
Efficiency compares the makespan with that of a driver that costs nothing and hands out single runs in the same order.
Not simulated: the scheduler and the network. Limit: efficiency of at least 0.9 at 1000 workers on the times of the full
budget.

Run: python benchmarks/bench_cluster.py
"""

from __future__ import annotations

import heapq
import math
import tempfile
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import numpy as np

from scaledetect.leaderboard.records import Environment
from scaledetect.leaderboard.runner import Done, Pool, plan_runs, run_study
from scaledetect.leaderboard.scoring import Outcome

LIMIT = 0.9
SPREAD = 0.3  # of the logarithm of run times

# Seconds of a run at the largest training size, in the order of magnitude of what entries take on one core.
FULL = (0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8, 30, 120, 300, 600)
SHORT = (0.05, 0.1, 0.2, 0.5, 1, 2)
HERE = Environment.here(1)


@dataclass
class Clock:
    """Virtual time, which real time moves on while the driver works."""

    now: float = 0.0
    busy: float = 0.0
    since: float = field(default_factory=time.perf_counter)

    def stop(self) -> None:
        spent = time.perf_counter() - self.since
        self.now += spent
        self.busy += spent

    def go(self) -> None:
        self.since = time.perf_counter()


class SimulatedExecutor(Executor):
    def __init__(self, clock, workers, seconds):
        self.clock, self.seconds = clock, seconds
        self.free = [0.0] * workers  # a heap
        self.ends = []  # a heap of (time, number, batch, future)
        self.number = 0
        self.worked = 0.0

    def submit(self, work, batch):
        future = Future()
        now = self.clock.now + time.perf_counter() - self.clock.since
        total = sum(self.seconds[run] for run in batch)
        end = max(heapq.heappop(self.free), now) + total
        heapq.heappush(self.free, end)
        heapq.heappush(self.ends, (end, self.number, batch, future))
        self.number += 1
        self.worked += total
        return future

    def step(self):
        end, _, batch, future = heapq.heappop(self.ends)
        done = [Done(run, outcome(run), self.seconds[run], HERE) for run in batch]
        self.clock.now = max(self.clock.now, end)
        return future, done


class SimulatedPool(Pool):
    def __init__(self, workers, seconds):
        self.clock, self.count, self.seconds = Clock(), workers, seconds
        super().__init__(None)

    @property
    def workers(self):
        return self.count

    def _start(self):
        self.simulated = SimulatedExecutor(self.clock, self.count, self.seconds)
        return self.simulated

    def next(self):
        self.clock.stop()
        future, done = self.simulated.step()
        self.clock.go()
        future.set_result(done)
        return super().next()

    def died(self, result):
        return ""

    def close(self):
        self.clock.stop()


def outcome(run):
    error = (run.seed % 128) / 256
    scores = {
        "n_test": 256, "n_wrong": run.seed % 128, "test_error": error,
        "test_error_stderr": math.sqrt(error * (1 - error) / 256), "served": {"train": 1, "validation": 0, "test": 0},
    }  # fmt: skip
    return Outcome("ok", "", scores)


def simulate(workers, times, n_runs):
    cards = ["block-1d-L512-xi128", "distance-1d-L512-xi128", "block-2d-L16-xi8", "distance-2d-L16-xi8.5-open"]
    sizes = [64, 128, 256, 512]
    # Every pair of card and training size stands for an entry: the planner has too few cheap ones.
    seeds = range(-(-n_runs // (len(cards) * len(sizes))))
    plan = plan_runs(cards=cards, entries=["chance"], n_train=sizes, seeds=seeds)
    generator = np.random.default_rng(0)
    kinds = {pair: times[i % len(times)] for i, pair in enumerate((c, s) for c in cards for s in sizes)}
    noise = np.exp(SPREAD * generator.standard_normal(len(plan)))
    seconds = {p.run: kinds[p.run.card, p.run.n_train] * x for p, x in zip(plan, noise.tolist(), strict=True)}
    pool = SimulatedPool(workers, seconds)
    with tempfile.TemporaryDirectory() as folder:
        report = run_study(plan, folder, pool=pool)
    assert report.done == len(plan)
    clock, executor = pool.clock, pool.simulated
    efficiency = ideal([seconds[one.run] for one in plan], workers) / clock.now
    return len(plan), executor.number, executor.worked / len(plan), clock.busy, clock.now, efficiency


def ideal(seconds, workers):
    """Makespan when each run goes to the worker that is free first, at no cost."""
    free = [0.0] * workers
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def main() -> None:
    print("times   workers    runs  batches  mean run/s  makespan/s  driver busy  ms a run  efficiency")
    for name, times, workers, n_runs in (
        ("full", FULL, 100, 2_000), ("full", FULL, 1000, 10_000),
        ("short", SHORT, 10, 1_000), ("short", SHORT, 100, 3_000), ("short", SHORT, 1000, 10_000),
    ):  # fmt: skip
        n, batches, mean, busy, makespan, efficiency = simulate(workers, times, n_runs)
        numbers = f"{n:7d}  {batches:7d}  {mean:10.2f}  {makespan:10.1f}  {busy / makespan:11.1%}"
        print(f"{name:6}  {workers:7d}  {numbers}  {1e3 * busy / n:8.2f}  {efficiency:10.1%}")
        if name == "full" and workers == 1000:
            verdict = "within" if efficiency >= LIMIT else "BELOW"
            print(f"        {verdict} the limit of {LIMIT:.0%} at {workers} workers")


if __name__ == "__main__":
    main()
