"""Section 5: from a rank to a pair."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache

from naive.population import Pair, Site, Spec, label_of_sizes


def class_sizes(task: Spec) -> tuple[int, int]:
    """(n_near, n_far)."""
    if task.labelling == "block":
        q = block_squares(task) ** task.dim
        return (q - task.sites) // 2, (task.sites**2 - q) // 2
    return line_starts(task, "near")[-1], line_starts(task, "far")[-1]


def digits(x: int, radices: list[int]) -> list[int]:
    out = []
    for r in reversed(radices):
        out.append(x % r)
        x //= r
    assert x == 0, "more than the radices can hold"
    return out[::-1]


def fold(x: int, s: int, a: int, b: int) -> tuple[int, int]:
    width = 2 * s - a - b
    row, o = divmod(x, width)
    return (a + row, o) if o < s - a - row else (b - row, o - (s - a - row))


def fold_domain(s: int, a: int, b: int) -> int:
    return (b - a + 1) * (2 * s - a - b) // 2 if b >= a else 0


def unrank(x: int, task: Spec, cls: str) -> Pair:
    """The pair of a rank, its first site in row-major order first."""
    p, q = unrank_block(x, task, cls) if task.labelling == "block" else unrank_distance(x, task, cls)
    return min(p, q), max(p, q)


# Section 5.1: block.


def block_squares(task: Spec) -> int:
    """Q of one axis: b xi^2 + r^2."""
    b, r = divmod(task.size, task.xi2 // 2)
    return b * (task.xi2 // 2) ** 2 + r * r


def unrank_block(x: int, task: Spec, cls: str) -> Pair:
    size, q1 = task.size, block_squares(task)
    before, split, after = (size, (q1 - size) // 2, q1) if cls == "near" else (q1, (size**2 - q1) // 2, size**2)
    for axis in range(task.dim):
        radices = [before] * axis + [split] + [after] * (task.dim - 1 - axis)
        if x < math.prod(radices):
            break
        x -= math.prod(radices)
    coordinates = []
    for i, digit in enumerate(digits(x, radices)):
        if cls == "near":
            kind = equal if i < axis else rising_in_block if i == axis else same_block
        else:
            kind = same_block if i < axis else rising_across_blocks if i == axis else any_two
        coordinates.append(kind(digit, size, task.xi2 // 2))
    return tuple(c[0] for c in coordinates), tuple(c[1] for c in coordinates)


def equal(x: int, size: int, xi: int) -> tuple[int, int]:
    return x, x


def any_two(x: int, size: int, xi: int) -> tuple[int, int]:
    return x // size, x % size


def same_block(x: int, size: int, xi: int) -> tuple[int, int]:
    b, r = divmod(size, xi)
    e = min(x // xi**2, b)
    y, w = x - e * xi**2, xi if e < b else r
    return e * xi + y // w, e * xi + y % w


def rising_in_block(x: int, size: int, xi: int) -> tuple[int, int]:
    b, r = divmod(size, xi)
    s = xi * (xi - 1) // 2
    e = min(x // s, b)
    w = xi if e < b else r
    t, base = fold(x - e * s, w, 1, w - 1)
    return e * xi + base, e * xi + base + t


def rising_across_blocks(x: int, size: int, xi: int) -> tuple[int, int]:
    b, r = divmod(size, xi)
    whole = xi**2 * b * (b - 1) // 2
    if x < whole:
        t, base = fold(x // xi**2, b, 1, b - 1)
        y = x % xi**2
        return base * xi + y // xi, (base + t) * xi + y % xi
    y = x - whole
    return y // r, b * xi + y % r


# Section 5.2: distance, line by line.


def lines(task: Spec) -> Iterator[Site]:
    half = task.size // 2 if task.periodic else task.size - 1
    return itertools.product(range(half + 1), repeat=task.dim - 1)


def interval(h: Site, task: Spec, cls: str, guess: int = 0) -> tuple[int, int]:
    """[low, high] of the sizes of the last component; empty when high < low. Distance grows with the size."""
    half = task.size // 2 if task.periodic else task.size - 1
    is_near = cls == "near"

    def holds(t: int) -> bool:
        return label_of_sizes((*h, t), task) == 1 if is_near else label_of_sizes((*h, t), task) != -1

    # The first t for which this fails, the first not near or the first far: growing steps from the guess, bisection.
    low = high = guess
    step = 1
    while low > 0 and not holds(low - 1):
        low, high, step = max(0, low - step), low - 1, 2 * step
    while high <= half and holds(high):
        low, high, step = high + 1, min(half + 1, high + step), 2 * step
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if holds(middle) else (low, middle)
    return (0, low - 1) if is_near else (low, half)


def line_parts(h: Site, low: int, high: int, task: Spec) -> list[int]:
    """Sizes of the consecutive parts of a line, in the order of the document."""
    size, n = task.size, task.sites
    if high < low:
        return [0]
    if not task.periodic:
        places, z = math.prod(size - c for c in h), sum(c > 0 for c in h)
        signs = 2 if z > 1 else 1
        if z == 0:
            return [places * fold_domain(size, max(low, 1), high), 0]
        return [places * signs * fold_domain(size, a, high) for a in (low, max(low, 1))]
    g = sum(c != 0 and 2 * c != size for c in h)
    generic = max(0, min(high, (size - 1) // 2) - max(low, 1) + 1)
    if g > 0:
        signs = 2 if g > 1 else 1
        return [n * signs * (high - low + 1), n * signs * generic]
    at_zero = n // 2 if low == 0 and any(h) else 0
    at_half = n // 2 if size % 2 == 0 and high == size // 2 else 0
    return [n * generic, at_zero, at_half]


@lru_cache(maxsize=1024)
def line_starts(task: Spec, cls: str) -> tuple[int, ...]:
    """The number of pairs before each line, and then that of all."""
    starts, first = [0], 0
    for h in lines(task):
        # The end of a line is near that of the line before.
        low, high = interval(h, task, cls, first)
        first = high + 1 if cls == "near" else low
        starts.append(starts[-1] + sum(line_parts(h, low, high, task)))
    return tuple(starts)


def unrank_distance(x: int, task: Spec, cls: str) -> Pair:
    starts = line_starts(task, cls)
    assert 0 <= x < starts[-1], "rank outside the class"
    number = _line_of(x, starts)
    half = task.size // 2 if task.periodic else task.size - 1
    h = tuple(digits(number, [half + 1] * (task.dim - 1)))
    low, high = interval(h, task, cls)
    unrank_line = unrank_periodic if task.periodic else unrank_open
    return unrank_line(x - starts[number], h, low, high, task)


def _line_of(x: int, starts: tuple[int, ...]) -> int:
    """The line that holds the rank: the last that starts at or before it."""
    low, high = 0, len(starts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle] <= x else (low, middle)
    return low


def unrank_open(x: int, h: Site, low: int, high: int, task: Spec) -> Pair:
    z = sum(c > 0 for c in h)
    places, signs = math.prod(task.size - c for c in h), 2 if z > 1 else 1
    if z == 0:
        low = max(low, 1)
    last, y = divmod(x, places * signs)
    first_part = fold_domain(task.size, low, high)
    if last < first_part:
        t, base = fold(last, task.size, low, high)
        end_p, end_q = base, base + t
    else:
        t, base = fold(last - first_part, task.size, max(low, 1), high)
        end_p, end_q = base + t, base
    back, y = divmod(y, places)
    p = digits(y, [task.size - c for c in h])
    q = [base + c for base, c in zip(p, h, strict=True)]
    if back:
        p[1], q[1] = q[1], p[1]
    return (*p, end_p), (*q, end_q)


def unrank_periodic(x: int, h: Site, low: int, high: int, task: Spec) -> Pair:
    size, n = task.size, task.sites
    g = sum(c != 0 and 2 * c != size for c in h)
    if g > 0:
        signs = 2 if g > 1 else 1
        last, y = divmod(x, n * signs)
        m = high - low + 1
        t = low + last if last < m else -(max(low, 1) + last - m)
        back = y // n
        p = digits(y % n, [size] * task.dim)
        move = [*h, t]
        if back:
            move[1] = -move[1]
    else:
        generic, at_zero, _ = line_parts(h, low, high, task)
        if x < generic:
            move = [*h, max(low, 1) + x // n]
            p = digits(x % n, [size] * task.dim)
        else:
            y = x - generic
            move = [*h, 0]
            if y >= at_zero:
                y -= at_zero
                move = [*h, size // 2]
            first = next(i for i, c in enumerate(move) if 2 * c == size)
            radices = [size] * task.dim
            radices[first] = size // 2
            p = digits(y, radices)
    q = [(a + c) % size for a, c in zip(p, move, strict=True)]
    return tuple(p), tuple(q)
