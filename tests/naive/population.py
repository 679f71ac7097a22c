"""Section 1 of the document: tasks, labels, and the population by listing every pair of sites."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

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
