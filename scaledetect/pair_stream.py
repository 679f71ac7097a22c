"""From the number of a sample to its pair, for any range or set of numbers: stream, population and kernels together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._kernels import backend
from scaledetect.population import BlockTable, LineTable, rank_tables
from scaledetect.stream import (
    CLASSES,
    SMALL_DOMAIN,
    Split,
    class_counts,
    class_window,
    permutation,
    philox_key,
    purpose_of,
    stream_key,
)
from scaledetect.task import Task

__all__ = ["PairStream"]


class PairStream:
    """Writes consecutive samples, from any number on, into given rows."""

    def __init__(self, task: Task, seed: int, split: Split | None, replace: bool) -> None:
        self._task = task
        self._tables = rank_tables(task)
        self._permutations = [permutation(task, seed, name) for name in CLASSES]
        self._windows = [class_window(p.n, split) for p in self._permutations]
        self._draw_keys = [
            philox_key(stream_key(task, seed, name, purpose_of("draw", split))) if replace else None for name in CLASSES
        ]
        # A small class takes many rounds, and is drawn from over and over: its permutation is written out once.
        self._ranks_of_small = [
            self._all_ranks(far) if replace and far_n < SMALL_DOMAIN else None
            for far, far_n in enumerate(p.n for p in self._permutations)
        ]

    def __call__(self, start: int, pairs: NDArray[np.int64], y: NDArray[np.int8]) -> None:
        """Write samples start, start + 1, ... into all rows of `pairs` and `y`."""
        self._label(start, y)
        used = class_counts(self._task, start)
        for far, name in enumerate(CLASSES):
            if self._task.balance == "equal":
                rows = np.arange((start + far) % 2, len(y), 2)
            else:
                rows = np.flatnonzero(y == (1 if name == "near" else -1))
            ranks = self._ranks(far, start, used[far], rows)
            self._unrank(bool(far), ranks, rows, pairs)

    def at(self, numbers: NDArray[np.int64], pairs: NDArray[np.int64], y: NDArray[np.int8]) -> None:
        """The same for samples of any numbers, in any order; without replacement."""
        if self._task.balance == "equal":
            near, index = numbers % 2 == 0, numbers // 2
        else:
            n_near, total = self._permutations[0].n, sum(p.n for p in self._permutations)
            # Products pass 64 bits, so they are Python integers.
            before, after = ((numbers.astype(object) + k) * n_near // total for k in (0, 1))
            near = (after > before).astype(bool)
            index = np.where(near, before, numbers - before).astype(np.int64)
        y[:] = np.where(near, 1, -1)
        for far, mine in enumerate((near, ~near)):
            rows = np.flatnonzero(mine)
            ranks = index[rows].astype(np.uint64)
            window, numbers_of = self._windows[far], self._parameters(far)
            backend().permute_indices(np.int64(window.first), np.int64(window.step), *numbers_of, ranks)
            self._unrank(bool(far), ranks, rows, pairs)

    def _label(self, start: int, y: NDArray[np.int8]) -> None:
        if self._task.balance == "equal":
            y[start % 2 :: 2] = 1
            y[1 - start % 2 :: 2] = -1
            return
        near, far = (p.n for p in self._permutations)
        residue = start * near % (near + far)
        backend().spread_labels(np.uint64(residue), np.uint64(near), np.uint64(near + far), y)

    def _all_ranks(self, far: int) -> NDArray[np.uint64]:
        """Ranks of the class indices of the window, in its order."""
        window = self._windows[far]
        ranks = np.empty(window.length, dtype=np.uint64)
        backend().permute_range(np.int64(window.first), np.int64(window.step), *self._parameters(far), ranks)
        return ranks

    def _parameters(self, far: int) -> tuple[Any, ...]:
        pi = self._permutations[far]
        return np.uint64(pi.n), np.uint64(pi.sides), np.uint64(pi.bits), pi.keys

    def _ranks(self, far: int, start: int, used: int, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        kernels, window, numbers = backend(), self._windows[far], self._parameters(far)
        ranks = np.empty(len(rows), dtype=np.uint64)
        step, key = np.int64(window.step), self._draw_keys[far]
        if key is None:
            kernels.permute_range(np.int64(window.first + window.step * used), step, *numbers, ranks)
            return ranks
        kernels.draw_indices(np.uint64(start), rows, *key, np.uint64(window.length), ranks)
        table = self._ranks_of_small[far]
        if table is not None:
            return table[ranks]
        kernels.permute_indices(np.int64(window.first), step, *numbers, ranks)
        return ranks

    def _unrank(self, far: bool, ranks: NDArray[np.uint64], rows: NDArray[np.int64], pairs: NDArray[np.int64]) -> None:
        kernels, table, shape = backend(), self._tables[far], self._task.shape
        if isinstance(table, BlockTable):
            kernels.unrank_block(ranks, rows, shape, far, int(self._task.xi), table.starts, pairs)
            return
        assert isinstance(table, LineTable)
        unrank = kernels.unrank_periodic if self._task.periodic else kernels.unrank_open
        unrank(ranks, rows, shape, far, table.starts, table.edges, table.guide, table.shift, pairs)
