"""Rendering 200,000 28x28 float32 images into `out`, against a parallel fill of the same buffer.

Limits: rendering at >= 0.75 times the rate of the fill, the whole of `sample_images` at >= 0.5 times. Each is timed
five times in a row: after a pause a virtual machine takes milliseconds, as many as one call, until its processors run
again.
Run: python benchmarks/bench_rendering.py
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit, prange
from timing import paired, report

import scaledetect as sd
from scaledetect.sampling.rendering import render_pairs

N, TIMES = 200_000, 5


@njit(parallel=True)
def fill(buffer):
    for i in prange(buffer.shape[0]):
        buffer[i] = 0


def in_a_row(call: Callable[[], object]) -> Callable[[], object]:
    return lambda: [call() for _ in range(TIMES)]


def main() -> None:
    task = sd.Task.paper_2d()
    out = np.empty((N, 1, 28, 28), dtype=np.float32)
    pairs, _ = sd.sample_pairs(task, N)
    buffer = out.reshape(-1)
    for name, limit, ours in (
        ("render_pairs(out=)", 1 / 0.75, lambda: render_pairs(pairs, task, out=out)),
        ("sample_images(out=)", 1 / 0.5, lambda: sd.sample_images(task, N, out=out)),
    ):
        ratio = paired(in_a_row(ours), in_a_row(lambda: fill(buffer)), repeats=25)
        ours_rate, rival_rate = (TIMES * out.nbytes / seconds / 1e9 for seconds in (ratio.ours, ratio.rival))
        unit = f"({ours_rate:.1f} against {rival_rate:.1f} GB/s, rate {1 / ratio.median:.2f}x)"
        report(name, ratio, limit=limit, unit=unit)


if __name__ == "__main__":
    main()
