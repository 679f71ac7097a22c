"""Stream version 1 in plain Python, written from docs/data-spec.md alone: obviously right rather than fast.

It imports nothing of the package, so that the two can be held together bit for bit. `list_pairs` is another oracle
still: it finds the population by looking at every pair of sites, without any of the formulas.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

WORD = 2**64
Site = tuple[int, ...]
Pair = tuple[Site, Site]


@dataclass(frozen=True)
class Spec:
    """Section 1: xi and gap are given doubled, so that everything is an integer."""

    dim: int
    size: int
    xi2: int
    gap2: int = 0
    labelling: str = "distance"
    norm: str = "l2"
    periodic: bool = True
    balance: str = "equal"

    @property
    def sites(self) -> int:
        return math.prod([self.size] * self.dim)

    @property
    def canonical_norm(self) -> str:
        return "l2" if self.dim == 1 or self.labelling == "block" else self.norm

    @property
    def canonical_periodic(self) -> bool:
        return True if self.labelling == "block" else self.periodic


# Section 1: labels, and the population by listing every pair of sites.


def thresholds(task: Spec) -> tuple[int, int]:
    """4 xi - 2 gap and 4 xi + 2 gap."""
    return 2 * task.xi2 - task.gap2, 2 * task.xi2 + task.gap2


def label_of_sizes(z: Site, task: Spec) -> int:
    """+1 near, -1 far, 0 neither, from the sizes of the components of a displacement."""
    low, high = thresholds(task)
    if task.canonical_norm == "l2":
        measure, low, high = 16 * sum(c * c for c in z), low**2, high**2
    elif task.canonical_norm == "l1":
        measure = 4 * sum(z)
    else:
        measure = 4 * max(z)
    if measure < low:
        return 1
    return -1 if measure >= high else 0


def label(p: Site, q: Site, task: Spec) -> int:
    """+1 near, -1 far, 0 not in the population."""
    if task.labelling == "block":
        xi = task.xi2 // 2
        return 1 if [c // xi for c in p] == [c // xi for c in q] else -1
    z = [abs(a - b) for a, b in zip(p, q, strict=True)]
    if task.periodic:
        z = [min(c, task.size - c) for c in z]
    return label_of_sizes(tuple(z), task)


@lru_cache(maxsize=64)
def list_pairs(task: Spec) -> tuple[frozenset[Pair], frozenset[Pair]]:
    """All near and all far pairs, each with its first site in row-major order first."""
    near: set[Pair] = set()
    far: set[Pair] = set()
    for p, q in itertools.combinations(itertools.product(range(task.size), repeat=task.dim), 2):
        y = label(p, q, task)
        if y:
            (near if y == 1 else far).add((p, q))
    return frozenset(near), frozenset(far)


# Section 2: keys and blocks of words.


def key_text(task: Spec, seed: int, cls: str | None, purpose: str) -> str:
    fields = {
        "class": cls,
        "dim": task.dim,
        "size": task.size,
        "gap_doubled": task.gap2,
        "xi_doubled": task.xi2,
        "labelling": task.labelling,
        "norm": task.canonical_norm,
        "periodic": task.canonical_periodic,
        "purpose": purpose,
        "seed": seed,
        "stream": 1,
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def key(task: Spec, seed: int, cls: str | None, purpose: str) -> bytes:
    return hashlib.sha256(key_text(task, seed, cls, purpose).encode("ascii")).digest()[:16]


def philox_block(key: bytes, m: int) -> tuple[int, int, int, int]:
    """Philox4x64-10 (Salmon et al. 2011) at the counter (m, 0, 0, 0)."""
    k0, k1 = struct.unpack("<QQ", key)
    x0, x1, x2, x3 = m, 0, 0, 0
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * x0, 0xCA5A826395121157 * x2
        x0, x1, x2, x3 = (right // WORD) ^ x1 ^ k0, right % WORD, (left // WORD) ^ x3 ^ k1, left % WORD
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % WORD, (k1 + 0xBB67AE8584CAA73B) % WORD
    return x0, x1, x2, x3


# Section 3: the permutation of a class.


@lru_cache(maxsize=4096)
def round_words(key: bytes, rounds: int) -> tuple[tuple[int, int], ...]:
    """The halves a_i and b_i of the word of every round."""
    words = [w for block in range(1, -(-rounds // 4) + 1) for w in philox_block(key, block)]
    return tuple((w % 2**32, w // 2**32) for w in words[:rounds])


def fold32(y: int) -> int:
    return (y ^ (y >> 32)) % 2**32


def permute(x: int, n: int, key: bytes) -> int:
    bits = max(1, ((n - 1).bit_length() + 1) // 2)
    sides = -(-n // 2**bits)
    words = round_words(key, 24 if n < 1024 else 8)

    def scramble(value: int, i: int) -> int:
        a, b = words[i]
        value = fold32((value ^ a) * 0xD2511F53)
        return fold32((value ^ b) * 0xCD9E8D57)

    while True:
        u, v = x >> bits, x % 2**bits
        for i in range(0, len(words), 2):
            u = (u + (scramble(v, i) * sides >> 32)) % sides
            v ^= scramble(u, i + 1) >> (32 - bits)
        x = u * 2**bits + v
        if x < n:
            return x


# Section 4: from the number of a sample to a rank.


def class_and_index(j: int, task: Spec) -> tuple[str, int]:
    if task.balance == "equal":
        return ("far" if j % 2 else "near"), j // 2
    near, far = class_sizes(task)
    before = j * near // (near + far)
    return ("near", before) if (j + 1) * near // (near + far) > before else ("far", j - before)


def values_of_index(n: int, split: str | None) -> int:
    """How many values the class index can take in a split of a class of n pairs."""
    half = -(-n // 2)
    return {None: n, "train": half, "validation": half, "test": n - half}[split]


def position(c: int, n: int, split: str | None) -> int:
    if not 0 <= c < values_of_index(n, split):
        raise ValueError(f"class index {c} is not in the split {split} of a class of {n} pairs")
    half = -(-n // 2)
    return {None: c, "train": c, "validation": half - 1 - c, "test": n - 1 - c}[split]


def rank(j: int, task: Spec, seed: int = 0, split: str | None = None, replace: bool = False) -> tuple[str, int]:
    """The class of sample j and the rank of its pair in that class."""
    cls, c = class_and_index(j, task)
    n = class_sizes(task)[0 if cls == "near" else 1]
    if replace:
        purpose = "draw" if split is None else f"draw/{split}"
        w = philox_block(key(task, seed, cls, purpose), j + 1)
        c = (w[0] * WORD + w[1]) * values_of_index(n, split) // 2**128
    return cls, permute(position(c, n, split), n, key(task, seed, cls, "permutation"))


# Section 5: from a rank to a pair.


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


# Samples, noise, moves, digest.


def sample(
    task: Spec, n: int, seed: int = 0, split: str | None = None, replace: bool = False, start: int = 0
) -> tuple[list[Pair], list[int]]:
    pairs, labels = [], []
    for j in range(start, start + n):
        cls, x = rank(j, task, seed, split, replace)
        pairs.append(unrank(x, task, cls))
        labels.append(1 if cls == "near" else -1)
    return pairs, labels


def normals(task: Spec, j: int, key: bytes, sigma: float) -> list[float]:
    """Section 6: the noise of the pixels of sample j, in row-major order."""
    blocks = -(-task.sites // 4)
    out: list[float] = []
    for m in range(blocks):
        w = philox_block(key, j * blocks + 1 + m)
        for first, second in ((w[0], w[1]), (w[2], w[3])):
            radius = sigma * math.sqrt(-2 * math.log(((first >> 11) + 1) * 2.0**-53))
            angle = 2 * math.pi * (second >> 11) * 2.0**-53
            out += [radius * math.cos(angle), radius * math.sin(angle)]
    return out[: task.sites]


def background(
    task: Spec, j: int, sigma: float, seed: int = 0, split: str | None = None, replace: bool = False
) -> list[float]:
    purpose = "background" + (f"/{split}" if split else "") + ("/replace" if replace else "")
    return normals(task, j, key(task, seed, None, purpose), sigma)


def move_table(dim: int) -> list[tuple[Site, float]]:
    """The moves in lexicographic order, with their probabilities (SPEC, section 3)."""
    corner = (3 * math.acos(1 / 3) - 1.5 * math.acos(2 * math.sqrt(2) / 3) - math.pi) / (4 * math.pi)
    edge = (2 * math.pi - 6 * math.atan(math.sqrt(2))) / (4 * math.pi) - 2 * corner
    face = 1 / 4 - 4 * edge - 4 * corner
    by_steps = {1: [1 / 2], 2: [1 / 6, 1 / 12], 3: [face, edge, corner]}[dim]
    moves = [m for m in itertools.product((-1, 0, 1), repeat=dim) if any(m)]
    return [(m, by_steps[sum(map(abs, m)) - 1]) for m in moves]


def move_site(p: Site, move: Site, task: Spec) -> Site:
    if task.labelling == "block":
        moved = tuple(a + c for a, c in zip(p, move, strict=True))
        xi = task.xi2 // 2
        stays = all(0 <= b < task.size and b // xi == a // xi for a, b in zip(p, moved, strict=True))
        return moved if stays else p
    if task.periodic:
        return tuple((a + c) % task.size for a, c in zip(p, move, strict=True))
    return tuple(min(max(a + c, 0), task.size - 1) for a, c in zip(p, move, strict=True))


def shift(pair: Pair, j: int, task: Spec, seed: int = 0) -> Pair:
    """Section 7: the moved pixels of sample j, in the order of the pair."""
    table = move_table(task.dim)
    words = philox_block(key(task, seed, None, "shift"), j + 1)
    moved = []
    for p, w in zip(pair, words[:2], strict=True):
        u = (w >> 11) * 2.0**-53
        cumulative = itertools.accumulate(probability for _, probability in table[:-1])
        number = sum(c <= u for c in cumulative)
        moved.append(move_site(p, table[number][0], task))
    return moved[0], moved[1]


def digest(task: Spec, n: int) -> str:
    """Section 8."""
    pairs, labels = sample(task, n)
    data = b"".join(struct.pack("<q", c) for pair in pairs for site in pair for c in site)
    return hashlib.sha256(data + struct.pack(f"<{n}b", *labels)).hexdigest()


# Sensitivities, by their definition: every pair of the population under every two moves.

Net = Callable[[list[float]], list[float]]
"""From the pixels of an image in row-major order to the numbers of a layer."""


def draw_image(sites: Iterable[Site], task: Spec, value: float) -> list[float]:
    """Active pixels of the given value; where they coincide they add up."""
    image = [0.0] * task.sites
    for site in sites:
        image[sum(c * task.size ** (task.dim - 1 - axis) for axis, c in enumerate(site))] += value
    return image


def squared_distance(f: list[float], g: list[float]) -> float:
    return math.fsum((a - b) ** 2 for a, b in zip(f, g, strict=True))


def population_sensitivities(net: Net, task: Spec, value: float) -> tuple[float, float]:
    """(D, Delta) of a layer, exact: no sampling, no formula but the definitions."""

    @cache
    def f(pair: Pair) -> list[float]:
        return net(draw_image(pair, task, value))

    classes = list_pairs(task)
    weighted = [(pair, 0.5 / len(pairs)) for pairs in classes for pair in pairs]
    numerator = math.fsum(
        weight * chance_p * chance_q * squared_distance(f((move_site(p, a, task), move_site(q, b, task))), f((p, q)))
        for (p, q), weight in weighted
        for (a, chance_p), (b, chance_q) in itertools.product(move_table(task.dim), repeat=2)
    )
    mean = [math.fsum(weight * f(pair)[i] for pair, weight in weighted) for i in range(len(f(weighted[0][0])))]
    delta = 2 * math.fsum(weight * squared_distance(f(pair), mean) for pair, weight in weighted)
    return numerator / delta, delta


def without_interaction(net: Net, value: float) -> Net:
    """The net that adds what each active pixel alone does to the empty image: two pixels that meet add up."""

    @cache
    def alone(site: int, sites: int) -> list[float]:
        return net([value if i == site else 0.0 for i in range(sites)])

    def additive(image: list[float]) -> list[float]:
        empty = alone(-1, len(image))
        total = list(empty)
        for site, pixel in enumerate(image):
            for _ in range(round(pixel / value)):
                total = [t + a - e for t, a, e in zip(total, alone(site, len(image)), empty, strict=True)]
        return total

    return additive
