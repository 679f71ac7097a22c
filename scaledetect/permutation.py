"""The keyed permutation of a class: indices to ranks, by the kernels, or by a table where the class is small."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scaledetect._kernels import backend
from scaledetect.stream import SMALL_DOMAIN, ClassName, permutation
from scaledetect.task import Task

__all__ = ["ClassPermutation", "class_permutation"]

Ranks = NDArray[np.uint64]


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
        if pi.n < SMALL_DOMAIN:
            self._table = self.of_run(0, 1, pi.n)
            self._table.flags.writeable = False

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
