"""Sums over rows of activations: squared distances, and what a mean, its variance and its jackknife need."""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import kernel

__all__ = ["shifted_sums", "squared_distances"]

LANES = 512
"""Sums side by side, added up in double precision at the end: a loop over them becomes vector instructions."""

SLAB = 1 << 13
"""Columns taken through all rows at a time: what is added to them stays in the second-level cache."""


@kernel
def squared_distances(one, other, out):  # type: ignore[no-untyped-def]
    """Write into `out` (n,), double, the sum over each row of (one - other)^2, both (n, A)."""
    n, width = one.shape
    lanes = np.empty(LANES, one.dtype)
    for i in range(n):
        lanes[:] = 0
        for first in range(0, width, LANES):
            last = min(first + LANES, width)
            x, y = one[i, first:last], other[i, first:last]
            for j in range(last - first):
                gap = x[j] - y[j]
                lanes[j] += gap * gap
        total = 0.0
        for j in range(min(LANES, width)):
            total += lanes[j]
        out[i] = total


@kernel
def shifted_sums(rows, reference, signs, classes, cells, start, stop, squares, totals, folds):  # type: ignore[no-untyped-def]
    """Add up v = rows - reference, of shape (n, A), over its columns `start` to `stop`.

    |v|^2 is added to `squares` (n,), double; v of row i to row classes[i] of `totals` (C, A); and signs * v, column by
    column modulo m, to row cells[i] of `folds` (k, m). `start` is a multiple of m.
    """
    n, m = rows.shape[0], folds.shape[1]
    lanes = np.empty(m, rows.dtype)
    slab = m * max(1, SLAB // m)
    for left in range(start, stop, slab):
        right = min(left + slab, stop)
        for i in range(n):
            lanes[:] = 0
            fold = folds[cells[i]]
            for first in range(left, right, m):
                last = min(first + m, right)
                x, origin, sign = rows[i, first:last], reference[first:last], signs[first:last]
                total = totals[classes[i], first:last]
                for j in range(last - first):
                    v = x[j] - origin[j]
                    lanes[j] += v * v
                    total[j] += v
                    fold[j] += sign[j] * v
            square = 0.0
            for j in range(min(m, right - left)):
                square += lanes[j]
            squares[i] += square
