"""Batches of draws that fit the memory, dealt to the blocks of the jackknife."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Group", "dealt", "rounds_for", "runs"]

CHUNK = 2**26
"""Bytes of images made ready at a time."""

ROUNDS = 8
"""Rows of each sum in a batch from which on the sums cost next to nothing."""


@dataclass(frozen=True)
class Group:
    """Which sums the rows of a batch enter: the first `size` rows number `first`, the next `size` the one after it."""

    first: int
    size: int

    def add(self, total: Tensor, values: Tensor) -> None:
        """Add `values`, shape (..., n), to `total`, shape (..., sums)."""
        sums = values.view(*values.shape[:-1], -1, self.size).sum(dim=-1) if self.size > 1 else values
        total[..., self.first : self.first + sums.shape[-1]] += sums


def dealt(n: int, cells: int, size: int) -> Iterator[tuple[NDArray[np.int64], Group]]:
    """Cut `n` rows, of which row i enters sum i mod `cells`, into batches: the numbers of their rows, and their sums.

    A batch takes all rows of a few sums, at most `size` or those of one; batches are as equal as can be, which saves a
    net the work for shapes it has not met. Rows that do not go round come last.
    """
    each = n // cells
    rows = np.arange(each * cells).reshape(each, cells).T
    most = max(1, size // max(1, each))
    step = -(-cells // -(-cells // most))
    for first in range(0, cells if each else 0, step):
        yield rows[first : first + step].ravel(), Group(first, each)
    for first, count in runs(0, n - each * cells, size):
        yield each * cells + first + np.arange(count), Group(first, 1)


def runs(start: int, n: int, size: int) -> Iterator[tuple[int, int]]:
    """First number and length of consecutive runs of at most `size` that make up `n` numbers from `start` on."""
    for first in range(start, start + n, size):
        yield first, min(size, start + n - first)


def rounds_for(bytes_per_row: int, cells: int, size: int) -> int:
    """How many times to go round all sums before the rows are cut into batches of `size`.

    The more rows of a sum stand in one batch, the less often sums of the size of all activations are written to.
    """
    most = max(1, CHUNK // (cells * bytes_per_row))
    return min(most, max(ROUNDS, size // cells), size)
