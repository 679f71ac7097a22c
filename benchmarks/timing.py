"""Timing two things in turn, so that a machine whose speed drifts does not decide their ratio."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Ratio", "paired", "report"]


class Ratio(NamedTuple):
    """Medians of both times in seconds, and of their ratio pair by pair, with the ratio's quartiles."""

    ours: float
    rival: float
    median: float
    low: float
    high: float


def paired(ours: Callable[[], object], rival: Callable[[], object], *, repeats: int = 15) -> Ratio:
    """Time both in turn `repeats` times, after one run of each that is not counted."""
    ours(), rival()
    times = np.array([(_seconds(ours), _seconds(rival)) for _ in range(repeats)])
    ratios = times[:, 0] / times[:, 1]
    low, median, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    ours_median, rival_median = np.median(times, axis=0)
    return Ratio(ours_median, rival_median, median, low, high)


def report(name: str, ratio: Ratio, *, limit: float, unit: str) -> None:
    """One line: the ratio of times, its quartiles, the limit, and whether it is kept."""
    kept = "ok  " if ratio.median <= limit else "OVER"
    print(f"{kept} {name:<58} {ratio.median:5.2f}x [{ratio.low:.2f}, {ratio.high:.2f}] limit {limit:.2f}x {unit}")


PAUSE = 0.02
"""Seconds before each timing. Worker threads of the other side wait actively for a while, on our processors: without
the pause a fill by numba's threads makes whatever is timed next 10 % slower."""


def _seconds(call: Callable[[], object]) -> float:
    time.sleep(PAUSE)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
