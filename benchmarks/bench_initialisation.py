"""Theory at initialisation, 1-D, L = 64, xi = 16, six layers: Monte Carlo, and the enumeration of D and Delta.

Limits: 2 s for a Monte Carlo of 20,000 draws that gives D, G and Delta, 15 s for the enumeration. Kernels are compiled
before the clock starts. Beside the time on the clock stands that of the processor, summed over threads: where it is
much shorter, others kept the machine busy. Run: python benchmarks/bench_initialisation.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

import scaledetect as sd
from scaledetect.results import Pooling
from scaledetect.theory.initialisation.enumeration import exact_sums
from scaledetect.theory.initialisation.wide_net import WideNet

MONTE_CARLO_LIMIT, ENUMERATION_LIMIT = 2.0, 15.0
REPEATS = 3

NETS = {"F = s = 2": (2, 2), "F = 3, s = 1": (3, 1)}


def main() -> None:
    worst = 0.0
    for labelling in ("distance", "block"):
        task = sd.Task(size=64, xi=16, labelling=labelling)
        for name, numbers in NETS.items():
            for what, work, limit in (
                ("Monte Carlo", monte_carlo(task, *numbers), MONTE_CARLO_LIMIT),
                ("enumeration", enumeration(task, *numbers), ENUMERATION_LIMIT),
            ):
                wall, processor = min(seconds(work) for _ in range(REPEATS))
                worst = max(worst, wall / limit)
                line = f"{labelling:<9} {name:<13} {what}: {wall:6.2f} s = {wall / limit:.2f} of the limit {limit:g} s"
                print(f"{line}   (processor {processor:.2f} s)")
    print(f"{'ok' if worst <= 1 else 'OVER'}: at most {worst:.2f} of the limits")


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock, and of the processor."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def monte_carlo(task: sd.Task, filter_size: int, stride: int) -> Callable[[], None]:
    # A background this weak changes no digit, and leaves nothing to enumerate: D and Delta are drawn too.
    task = replace(task, background_noise=1e-9)
    sd.theory.at_initialisation(task, depth=1, n=200)

    def work() -> None:
        t = sd.theory.at_initialisation(task, filter_size=filter_size, stride=stride, n=20_000)
        assert (t.D_stderr > 0).all()

    return work


def enumeration(task: sd.Task, filter_size: int, stride: int) -> Callable[[], None]:
    def work() -> None:
        sums = exact_sums(task, WideNet(1, Pooling.of(filter_size, stride, 6)))
        assert np.isfinite(sums.shift).all()
        assert np.isfinite(sums.delta).all()

    return work


if __name__ == "__main__":
    main()
