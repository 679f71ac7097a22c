"""Sums over rows of activations: squared distances, and what a mean, its variance and its jackknife need."""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import inlined, kernel

__all__ = ["settle_rows", "shifted_sums", "squared_distances"]

LANES = 512
"""Sums side by side, added up in double precision at the end: a loop over them becomes vector instructions."""

SLAB = 1 << 13
"""Columns taken through all rows at a time: what is added to them stays in the second-level cache."""


@inlined
def _added(lanes, count):  # type: ignore[no-untyped-def]
    """The sum of the first `count` lanes in double precision: four sums in turn, none of which waits for another."""
    a = b = c = d = 0.0
    whole = count - count % 4
    for j in range(0, whole, 4):
        a += lanes[j]
        b += lanes[j + 1]
        c += lanes[j + 2]
        d += lanes[j + 3]
    for j in range(whole, count):
        a += lanes[j]
    return a + b + (c + d)


@inlined
def _squared_distance(one, other, lanes):  # type: ignore[no-untyped-def]
    """The sum of (one - other)^2, both (A,)."""
    width = len(one)
    lanes[:] = 0
    for first in range(0, width, LANES):
        last = min(first + LANES, width)
        x, y = one[first:last], other[first:last]
        for j in range(last - first):
            gap = x[j] - y[j]
            lanes[j] += gap * gap
    return _added(lanes, min(LANES, width))


@inlined
def _two_squared_distances(one, other, another, lanes, more_lanes):  # type: ignore[no-untyped-def]
    """The sums of (one - other)^2 and of (one - another)^2: memory gives three rows at once faster than one by one."""
    width = len(one)
    lanes[:] = 0
    more_lanes[:] = 0
    for first in range(0, width, LANES):
        last = min(first + LANES, width)
        x, y, z = one[first:last], other[first:last], another[first:last]
        for j in range(last - first):
            gap = x[j] - y[j]
            lanes[j] += gap * gap
            gap = x[j] - z[j]
            more_lanes[j] += gap * gap
    count = min(LANES, width)
    return _added(lanes, count), _added(more_lanes, count)


@kernel
def squared_distances(one, other, out):  # type: ignore[no-untyped-def]
    """Write into `out` (n,), double, the sum over each row of (one - other)^2, both (n, A)."""
    lanes = np.empty(LANES, one.dtype)
    for i in range(len(one)):
        out[i] = _squared_distance(one[i], other[i], lanes)


@kernel
def shifted_sums(  # type: ignore[no-untyped-def]
    rows, n, reference, signs, cell, size, start, stop, squares, totals, folds
):
    """Add up v = f - reference, f the first `n` of `rows` (n times versions, A), over its columns `start` to `stop`.

    Into `squares` (n times versions,), double: |v|^2, and the squared distances of further versions from the first.
    `size` rows each belong to a cell, the first of which has number `cell`: v is added to row (number mod C) of
    `totals` (C, A), double, by way of sums in the type of the rows; and signs * v, column by column modulo m, to
    `folds` (cells, m). `start` is a multiple of m.
    """
    classes, m = totals.shape[0], folds.shape[1]
    lanes = np.empty(m, rows.dtype)
    gaps, more_gaps = np.empty(LANES, rows.dtype), np.empty(LANES, rows.dtype)
    slab = m * max(1, SLAB // m)
    added = np.empty((classes, slab), rows.dtype)
    for left in range(start, stop, slab):
        right = min(left + slab, stop)
        added[:] = 0
        for i in range(n):
            # Before the other sums: memory gives several rows at once faster, and this one is at hand afterwards.
            row = rows[i, left:right]
            k = n + i
            while k + n < len(rows):
                other, another = rows[k, left:right], rows[k + n, left:right]
                one, two = _two_squared_distances(row, other, another, gaps, more_gaps)
                squares[k] += one
                squares[k + n] += two
                k += 2 * n
            if k < len(rows):
                squares[k] += _squared_distance(row, rows[k, left:right], gaps)
            lanes[:] = 0
            fold, sums = folds[i // size], added[(cell + i // size) % classes]
            for first in range(left, right, m):
                last = min(first + m, right)
                x, origin, sign = rows[i, first:last], reference[first:last], signs[first:last]
                total = sums[first - left : last - left]
                for j in range(last - first):
                    v = x[j] - origin[j]
                    lanes[j] += v * v
                    total[j] += v
                    fold[j] += sign[j] * v
            squares[i] += _added(lanes, min(m, right - left))
        for c in range(classes):
            total, sums = totals[c, left:right], added[c]
            for j in range(right - left):
                total[j] += sums[j]


@kernel
def settle_rows(parts, folds, cell, size, norm, rounding, squares, events, sketches, limits):  # type: ignore[no-untyped-def]
    """Add what `shifted_sums` has of each piece of the columns to the sums of all batches.

    `parts` (pieces, versions times n) go to the first rows of `squares` (versions or more, cells), double, `size` rows
    each to a cell, from number `cell` on; `folds` (pieces, k, m) to `sketches` (cells, m), double. `limits` (n,),
    double, become `rounding` times |v| + `norm`; `events` (versions,) count the rows of each further version that are
    further away.
    """
    pieces, n = parts.shape[0], len(limits)
    for i in range(n):
        for version in range(parts.shape[1] // n):
            square = 0.0
            for piece in range(pieces):
                square += parts[piece, version * n + i]
            squares[version, cell + i // size] += square
            if version == 0:
                limits[i] = rounding * (np.sqrt(square) + norm)
            elif np.sqrt(square) > limits[i]:
                events[version] += 1
    for piece in range(pieces):
        for k in range(folds.shape[1]):
            sketch, fold = sketches[cell + k], folds[piece, k]
            for j in range(len(fold)):
                sketch[j] += fold[j]
