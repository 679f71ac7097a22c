"""Keyed permutations of the classes of a task: a generalised Feistel network, or its table where the class is small."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scaledetect._kernels import backend
from scaledetect.sampling.keys import stream_key
from scaledetect.sampling.splits import ClassName
from scaledetect.task.task import Task

__all__ = ["SMALL_DOMAIN", "ClassPermutation", "Permutation", "class_permutation", "permutation"]

Ranks = NDArray[np.uint64]

SMALL_DOMAIN = 1024
"""Below this size the permutation takes `ROUNDS_SMALL` rounds: few rounds mix few bits badly."""

ROUNDS_SMALL = 24
ROUNDS_LARGE = 8


@dataclass(frozen=True, eq=False)
class Permutation:
    """Parameters of the keyed permutation of {0..n-1}; the domain is sides * 2^bits >= n."""

    n: int
    sides: int
    bits: int
    keys: tuple[np.uint64, ...]


def permutation(task: Task, seed: int, class_name: ClassName) -> Permutation:
    """The permutation pi_c of the class, keyed by (task, seed, class)."""
    n = task.n_near if class_name == "near" else task.n_far
    bits = max(1, ((n - 1).bit_length() + 1) // 2)
    rounds = ROUNDS_SMALL if n < SMALL_DOMAIN else ROUNDS_LARGE
    key = int.from_bytes(stream_key(task, seed, class_name, "permutation"), "little")
    words = np.random.Philox(key=key).random_raw(rounds)
    return Permutation(n=n, sides=-(-n >> bits), bits=bits, keys=tuple(words))


@lru_cache(maxsize=256)
def class_permutation(task: Task, seed: int, class_name: ClassName) -> ClassPermutation:
    """The permutation of one class of a task; kept for the last few asked for."""
    return ClassPermutation(task, seed, class_name)


class ClassPermutation:
    """pi of {0 .. n-1}, applied to runs and to arrays of indices."""

    def __init__(self, task: Task, seed: int, class_name: ClassName) -> None:
        pi = permutation(task, seed, class_name)
        self.n = pi.n
        self._numbers = (np.uint64(pi.n), np.uint64(pi.sides), np.uint64(pi.bits), pi.keys)
        # A small class takes many rounds, and is gone through over and over: its permutation is written out once.
        self._table: Ranks | None = None
        if len(pi.keys) == ROUNDS_SMALL:
            self._table = self.of_run(0, 1, pi.n)

    def of_run(self, start: int, step: int, count: int) -> Ranks:
        """pi(start), pi(start + step), ... (`count` values, step +1 or -1)."""
        if self._table is not None:
            return self._table[start + step * np.arange(count)]
        ranks = np.empty(count, dtype=np.uint64)
        backend().permute_range(np.int64(start), np.int64(step), *self._numbers, ranks)
        return ranks

    def of_offsets(self, start: int, step: int, offsets: Ranks) -> Ranks:
        """pi(start + step * offsets), overwriting `offsets` where that saves memory."""
        if self._table is not None:
            return self._table[start + step * offsets.astype(np.int64)]
        backend().permute_indices(np.int64(start), np.int64(step), *self._numbers, offsets)
        return offsets
