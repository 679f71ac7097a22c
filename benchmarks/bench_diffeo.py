"""`diffeo` on 500 images of 3 x 32 x 32 against a loop that builds each field and interpolates by indexing.

Limit: 1/15 of its time. The loop is the code of a careful user: NumPy, sines made once, all pixels of an image at once.
Run: python benchmarks/bench_diffeo.py
"""

from __future__ import annotations

import math

import numpy as np
import torch
from timing import paired, report

from scaledetect.perturbations.diffeo import diffeo, diffeo_coefficients

N, SIZE, CUTOFF, DELTA = 500, 32, 3, 1.0


def loop(images, coefficients):
    temperature = 4 * DELTA**2 / (math.pi * SIZE**2 * math.log(CUTOFF))
    sines = np.sin(np.pi * np.outer(np.arange(1, CUTOFF + 1), np.linspace(0, 1, SIZE)))
    modes = [(i, j) for i in range(CUTOFF) for j in range(CUTOFF) if (i + 1) ** 2 + (j + 1) ** 2 <= (CUTOFF + 0.5) ** 2]
    grid = np.arange(SIZE)
    out = np.empty_like(images)
    for image, c, deformed in zip(images, coefficients, out, strict=True):
        rows, columns = (
            SIZE * math.sqrt(temperature) * sum(c[axis, i, j] * np.outer(sines[i], sines[j]) for i, j in modes)
            for axis in range(2)
        )
        y = np.clip(grid[:, None] - rows, 0, SIZE - 1)
        x = np.clip(grid - columns, 0, SIZE - 1)
        top, left = np.minimum(y.astype(int), SIZE - 2), np.minimum(x.astype(int), SIZE - 2)
        a, b = y - top, x - left
        upper = (1 - b) * image[:, top, left] + b * image[:, top, left + 1]
        lower = (1 - b) * image[:, top + 1, left] + b * image[:, top + 1, left + 1]
        deformed[:] = (1 - a) * upper + a * lower
    return out


def main() -> None:
    images = np.random.default_rng(0).normal(size=(N, 3, SIZE, SIZE)).astype(np.float32)
    tensor = torch.from_numpy(images)
    # The loop gets its coefficients for nothing.
    coefficients = diffeo_coefficients(N, cutoff=CUTOFF)
    error = np.abs(diffeo(images, delta=DELTA, cutoff=CUTOFF) - loop(images, coefficients)).max()
    print(f"largest difference of the two: {error:.1e}; {torch.get_num_threads()} threads")
    for name, argument in (("diffeo, NumPy", images), ("diffeo, torch", tensor)):
        ratio = paired(lambda argument=argument: diffeo(argument), lambda: loop(images, coefficients), repeats=25)
        unit = f"({ratio.ours * 1e3:.1f} against {ratio.rival * 1e3:.0f} ms, {1 / ratio.median:.0f} times as fast)"
        report(name, ratio, limit=1 / 15, unit=unit)


if __name__ == "__main__":
    main()
