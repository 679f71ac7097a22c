"""The stream of pairs: the pair of sample j, for runs of samples or any set of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect._kernels import backend
from scaledetect.sampling.keys import philox_key, purpose_of, stream_key
from scaledetect.sampling.permutation import class_permutation
from scaledetect.sampling.splits import CLASSES, Split, class_counts, class_window
from scaledetect.task.population import BlockTable, LineTable, rank_tables
from scaledetect.task.task import Task

__all__ = ["PairStream"]


class PairStream:
    """Writes consecutive samples, from any number on, into given rows."""

    def __init__(self, task: Task, seed: int, split: Split | None, replace: bool) -> None:
        self._task = task
        self._tables = rank_tables(task.population)
        self._permutations = [class_permutation(task, seed, name) for name in CLASSES]
        self._windows = [class_window(p.n, split) for p in self._permutations]
        self._draw_keys = [
            philox_key(stream_key(task, seed, name, purpose_of("draw", split))) if replace else None for name in CLASSES
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
            window = self._windows[far]
            ranks = self._permutations[far].of_offsets(window.first, window.step, index[rows].astype(np.uint64))
            self._unrank(bool(far), ranks, rows, pairs)

    def _label(self, start: int, y: NDArray[np.int8]) -> None:
        if self._task.balance == "equal":
            y[start % 2 :: 2] = 1
            y[1 - start % 2 :: 2] = -1
            return
        near, far = (p.n for p in self._permutations)
        residue = start * near % (near + far)
        backend().spread_labels(np.uint64(residue), np.uint64(near), np.uint64(near + far), y)

    def _ranks(self, far: int, start: int, used: int, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        window, pi, key = self._windows[far], self._permutations[far], self._draw_keys[far]
        if key is None:
            return pi.of_run(window.first + window.step * used, window.step, len(rows))
        drawn = np.empty(len(rows), dtype=np.uint64)
        backend().draw_indices(np.uint64(start), rows, *key, np.uint64(window.length), drawn)
        return pi.of_offsets(window.first, window.step, drawn)

    def _unrank(self, far: bool, ranks: NDArray[np.uint64], rows: NDArray[np.int64], pairs: NDArray[np.int64]) -> None:
        kernels, table, shape = backend(), self._tables[far], self._task.shape
        if isinstance(table, BlockTable):
            kernels.unrank_block(ranks, rows, shape, far, int(self._task.xi), table.starts, pairs)
            return
        assert isinstance(table, LineTable)
        unrank = kernels.unrank_periodic if self._task.periodic else kernels.unrank_open
        unrank(ranks, rows, shape, far, table.starts, table.edges, table.guide, table.shift, pairs)
