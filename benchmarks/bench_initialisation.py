"""Theory at initialisation, 1-D, L = 64, xi = 16, six layers: Monte Carlo, and the enumeration of D and Delta.

Limits: 2 s for a Monte Carlo of 20,000 draws that gives D, G and Delta, 15 s for the enumeration. Kernels are compiled
before the clock starts. Run: python benchmarks/bench_initialisation.py
"""

from __future__ import annotations

import time
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
    print("labelling  net            Monte Carlo            enumeration")
    worst = 0.0
    for labelling in ("distance", "block"):
        task = sd.Task(size=64, xi=16, labelling=labelling)
        for name, (filter_size, stride) in NETS.items():
            drawn = min(monte_carlo(task, filter_size, stride) for _ in range(REPEATS)) / MONTE_CARLO_LIMIT
            listed = min(enumeration(task, filter_size, stride) for _ in range(REPEATS)) / ENUMERATION_LIMIT
            worst = max(worst, drawn, listed)
            times = f"{drawn * MONTE_CARLO_LIMIT:6.2f} s {drawn:5.2f}x limit   "
            times += f"{listed * ENUMERATION_LIMIT:6.2f} s {listed:5.2f}x limit"
            print(f"{labelling:<10} {name:<14} {times}")
    kept = "ok" if worst <= 1 else "OVER"
    print(f"{kept}: at most {worst:.2f} of the limits ({MONTE_CARLO_LIMIT:g} s and {ENUMERATION_LIMIT:g} s)")


def monte_carlo(task: sd.Task, filter_size: int, stride: int) -> float:
    # A background this weak changes no digit, and leaves nothing to enumerate: D and Delta are drawn too.
    task = replace(task, background_noise=1e-9)
    options = {"filter_size": filter_size, "stride": stride}
    sd.theory.at_initialisation(task, **options, n=200)
    start = time.perf_counter()
    t = sd.theory.at_initialisation(task, **options, n=20_000)
    seconds = time.perf_counter() - start
    assert (t.D_stderr > 0).all()
    return seconds


def enumeration(task: sd.Task, filter_size: int, stride: int) -> float:
    net = WideNet(1, Pooling.of(filter_size, stride, 6))
    start = time.perf_counter()
    sums = exact_sums(task, net)
    seconds = time.perf_counter() - start
    assert np.isfinite(sums.shift).all() and np.isfinite(sums.delta).all()
    return seconds


if __name__ == "__main__":
    main()
