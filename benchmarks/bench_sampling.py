"""`sample_pairs` against the time `numpy.random.Generator.integers` takes to fill an array of the same shape.

Limits: 3 times with replacement (2.5 times on the ring at L = 1000 and 4096), 4 times without.
Run: python benchmarks/bench_sampling.py
"""

from __future__ import annotations

import numpy as np
from timing import paired, report

import scaledetect as sd

N = 2_000_000

TASKS = [
    sd.Task(size=64, xi=16),
    sd.Task(size=1000, xi=100),
    sd.Task(size=4096, xi=1024),
    sd.Task(size=4096, xi=1024, periodic=False),
    sd.Task(size=4096, xi=1024, labelling="block"),
    sd.Task(size=2**20, xi=2**18),
    sd.Task(size=2**32 + 15, xi=2**20),
    sd.Task(dim=2, size=28, xi=14, gap=2, periodic=False),
    sd.Task(dim=2, size=1000, xi=300),
    sd.Task(dim=2, size=28, xi=14, labelling="block"),
    sd.Task(dim=2, size=65536, xi=10000, periodic=False),
    sd.Task(dim=3, size=32, xi=8),
    sd.Task(dim=3, size=32, xi=8, periodic=False),
    sd.Task(dim=3, size=32, xi=8, labelling="block"),
]


def main() -> None:
    generator = np.random.default_rng(0)
    for task in TASKS:
        border = "block" if task.labelling == "block" else "periodic" if task.periodic else "open"
        for replace, limit in ((True, 3.0), (False, 4.0)):
            if replace and task in TASKS[1:3]:
                limit = 2.5
            n = N if replace else min(N, 2 * min(task.n_near, task.n_far))
            ratio = paired(
                lambda task=task, n=n, replace=replace: sd.sample_pairs(task, n, replace=replace),
                lambda task=task, n=n: generator.integers(0, task.size, size=(n, 2, task.dim)),
            )
            name = f"{task.dim}-D L={task.size} {border}, n={n}, {'with' if replace else 'without'} replacement"
            report(name, ratio, limit=limit, unit=f"({ratio.ours / n * 1e9:.1f} ns a pair)")


if __name__ == "__main__":
    main()
