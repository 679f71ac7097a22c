"""Sections 4 and 6 to 8: from the number of a sample to its pair; noise, moves, digest."""

from __future__ import annotations

import hashlib
import itertools
import math
import struct

from naive.population import Pair, Site, Spec
from naive.ranks import class_sizes, unrank
from naive.words import WORD, key, permute, philox_block


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
