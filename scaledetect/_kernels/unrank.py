"""Unranking: the pair of a given rank in its class; `docs/data-spec.md` says the order in words.

`shape` is a tuple with one entry an axis, so that numba specialises each kernel to its dimension and unrolls the loops
over axes. Row `rows[i]` of `out` receives the pair of `ranks[i]`, the pixel that comes first in row-major order first.
"""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import inlined, kernel, udiv

__all__ = ["unrank_block", "unrank_open", "unrank_periodic"]


@inlined
def _halve(product):  # type: ignore[no-untyped-def]
    # Near the largest populations a product of two sizes passes 2^63, never 2^64: its half is right if unsigned.
    return udiv(product, np.int64(2))


@inlined
def _fold(index, side, low, high):  # type: ignore[no-untyped-def]
    # Step t in low..high and base in 0..side-t-1. Rows t and low + high - t together always hold
    # 2 side - low - high places, so a single division finds both.
    width = 2 * side - low - high
    row = udiv(index, width)
    place = index - row * width
    first = side - low - row
    if place < first:
        return low + row, place
    return high - row, place - first


@inlined
def _last_digit(number, radix, axis):  # type: ignore[no-untyped-def]
    # The digit of an axis in mixed radix, and what is left for those before it; the first takes all, undivided.
    left = udiv(number, radix) if axis else np.int64(0)
    return number - left * radix, left


@inlined
def _find_line(rank, starts, guide, shift):  # type: ignore[no-untyped-def]
    bucket = rank >> shift
    low, high = np.int64(guide[bucket]), np.int64(guide[bucket + 1])
    while low < high:
        middle = (low + high + 1) >> 1
        if starts[middle] <= rank:
            low = middle
        else:
            high = middle - 1
    return low


@inlined
def _sort_pixels(out, row, shape):  # type: ignore[no-untyped-def]
    swap, decided = False, False
    for axis in range(len(shape)):
        p, q = out[row, 0, axis], out[row, 1, axis]
        swap |= (not decided) & (p > q)
        decided |= p != q
    for axis in range(len(shape)):
        p, q = out[row, 0, axis], out[row, 1, axis]
        out[row, 0, axis] = q if swap else p
        out[row, 1, axis] = p if swap else q


@kernel
def unrank_open(ranks, rows, shape, far, starts, edges, guide, shift, out):  # type: ignore[no-untyped-def]
    """Pairs of a ``distance`` class on an open lattice."""
    side, dim = max(shape), len(shape)
    for i in range(len(ranks)):
        rank, row = np.int64(ranks[i]), rows[i]
        line = np.int64(0) if dim == 1 else _find_line(rank, starts, guide, shift)
        index = rank - starts[line]
        low, high = (np.int64(edges[line]), side - 1) if far else (np.int64(0), np.int64(edges[line]))
        places, nonzero = np.int64(1), 0
        for axis in range(dim - 2, -1, -1):
            step, line = _last_digit(line, side, axis)
            out[row, 1, axis] = step
            places *= side - step
            nonzero += 1 if step > 0 else 0
        if nonzero == 0:
            low = max(low, np.int64(1))
        inner = np.int64(0)
        if dim > 1:
            count = places << (nonzero > 1)
            last = udiv(index, count)
            inner = index - last * count
            index = last
        plus = _halve((high - low + 1) * (2 * side - low - high))
        if index < plus:
            step, base = _fold(index, side, low, high)
            out[row, 0, dim - 1], out[row, 1, dim - 1] = base, base + step
        else:
            step, base = _fold(index - plus, side, max(low, np.int64(1)), high)
            out[row, 0, dim - 1], out[row, 1, dim - 1] = base + step, base
        backwards = False
        if dim > 2:
            backwards = bool(inner >= places)
            inner -= places if backwards else 0
        for axis in range(dim - 2, -1, -1):
            step = out[row, 1, axis]
            base, inner = _last_digit(inner, side - step, axis)
            negative = backwards and axis == 1
            out[row, 0, axis] = base + step if negative else base
            out[row, 1, axis] = base if negative else base + step
        _sort_pixels(out, row, shape)


@kernel
def unrank_periodic(ranks, rows, shape, far, starts, edges, guide, shift, out):  # type: ignore[no-untyped-def]
    """Pairs of a ``distance`` class on a periodic lattice."""
    side, dim = max(shape), len(shape)
    sites = np.int64(1)
    for _ in range(dim):
        sites *= side
    half = side >> 1
    even = 2 * half == side
    longest = (side - 1) >> 1  # of the steps that differ from their inverse
    for i in range(len(ranks)):
        rank, row = np.int64(ranks[i]), rows[i]
        line = np.int64(0) if dim == 1 else _find_line(rank, starts, guide, shift)
        index = rank - starts[line]
        low, high = (np.int64(edges[line]), half) if far else (np.int64(0), np.int64(edges[line]))
        signed, nonzero, halved = 0, 0, -1
        for axis in range(dim - 2, -1, -1):
            step, line = _last_digit(line, half + 1, axis)
            out[row, 1, axis] = step
            nonzero += 1 if step > 0 else 0
            if even and step == half:
                halved = axis
            elif step > 0:
                signed += 1
        backwards, backwards_last = False, False
        first = max(low, np.int64(1))
        if signed > 0:
            count = sites << (signed > 1)
            last = udiv(index, count)
            site = index - last * count
            backwards = site >= sites
            site -= sites if backwards else 0
            backwards_last = last > high - low
            step = first + last - (high - low + 1) if backwards_last else low + last
            halved = -1
        else:
            last = udiv(index, sites)
            generic = max(min(high, longest) - first + 1, np.int64(0))
            if last < generic:
                step, site, halved = first + last, index - last * sites, -1
            else:
                # A displacement that is its own inverse: half as many pairs, so half a lattice of first pixels.
                site = index - generic * sites
                step = np.int64(0)
                if low > 0 or nonzero == 0 or site >= sites >> 1:
                    site -= sites >> 1 if low == 0 and nonzero > 0 else 0
                    step = half
                    if halved < 0:
                        halved = dim - 1
        for axis in range(dim - 1, -1, -1):
            p, site = _last_digit(site, half if axis == halved else side, axis)
            negative = backwards_last if axis == dim - 1 else backwards and axis == 1
            if axis < dim - 1:
                step = out[row, 1, axis]
            q = p - step if negative else p + step
            q += side if q < 0 else 0
            q -= side if q >= side else 0
            out[row, 0, axis], out[row, 1, axis] = p, q
        _sort_pixels(out, row, shape)


@inlined
def _same_block(index, block, rest, whole):  # type: ignore[no-untyped-def]
    # Ordered (p, q) of one axis in one block, p = q included.
    area = block * block
    number, width = udiv(index, area), block
    within = index - number * area
    if number >= whole:
        number, within, width = whole, index - whole * area, rest
    row = udiv(within, width)
    return number * block + row, number * block + within - row * width


@inlined
def _rising_in_block(index, block, rest, whole):  # type: ignore[no-untyped-def]
    # p < q of one axis in one block.
    area = _halve(block * (block - 1))
    number, width = udiv(index, area), block
    within = index - number * area
    if number >= whole:
        number, within, width = whole, index - whole * area, rest
    step, base = _fold(within, width, np.int64(1), width - 1)
    return number * block + base, number * block + base + step


@inlined
def _rising_across(index, block, rest, whole):  # type: ignore[no-untyped-def]
    # p < q of one axis in different blocks.
    area = block * block
    inner = ((whole * (whole - 1)) >> 1) * area
    if index < inner:
        number = udiv(index, area)
        within = index - number * area
        step, base = _fold(number, whole, np.int64(1), whole - 1)
        row = udiv(within, block)
        return base * block + row, (base + step) * block + within - row * block
    p = udiv(index - inner, rest)
    return p, whole * block + (index - inner) - p * rest


@kernel
def unrank_block(ranks, rows, shape, far, block, starts, out):  # type: ignore[no-untyped-def]
    """Pairs of a ``block`` class; part i of the rank order is where axis i is the first that separates the pixels."""
    side, dim = max(shape), len(shape)
    whole = udiv(side, block)
    rest = side - whole * block
    same = whole * block * block + rest * rest
    rising = _halve(side * side - same if far else same - side)
    for i in range(len(ranks)):
        rank, row = np.int64(ranks[i]), rows[i]
        part = 0
        for axis in range(1, dim):
            part += rank >= starts[axis]
        index = rank - starts[part]
        for axis in range(dim - 1, -1, -1):
            if axis < part:
                radix = same if far else side
            elif axis == part:
                radix = rising
            else:
                radix = side * side if far else same
            digit, index = _last_digit(index, radix, axis)
            if axis == part:
                p, q = _rising_across(digit, block, rest, whole) if far else _rising_in_block(digit, block, rest, whole)
            elif far and axis > part:
                p = udiv(digit, side)
                q = digit - p * side
            elif far or axis > part:
                p, q = _same_block(digit, block, rest, whole)
            else:
                p, q = digit, digit
            out[row, 0, axis], out[row, 1, axis] = p, q
        _sort_pixels(out, row, shape)
