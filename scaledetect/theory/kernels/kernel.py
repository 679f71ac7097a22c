"""Base class of kernels on images: a frozen choice of numbers that gives the Gram matrix of a set of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from scaledetect._base.array_types import FloatArray

__all__ = ["Kernel", "symmetric_gram"]


CHUNK = 2**18
"""Numbers of one array of site values held at a time, 2 MB: the caches of a core."""


class Kernel(Protocol):
    """A kernel: its fields are the options it takes."""

    def gram(self, images: FloatArray) -> FloatArray:
        """K(x, y) of all pairs, shape (M, M), of images of shape (M, L[, L[, L]])."""
        ...


def symmetric_gram(n_images: int, sites: int, block: Callable[[slice, slice], FloatArray]) -> FloatArray:
    """The matrix of a symmetric kernel, to the last bit, from its blocks, each computed once.

    Parameters
    ----------
    n_images : int
        M.
    sites : int
        Numbers that a block needs for each pair of images: blocks are cut such that they fit the memory.
    block : callable
        Takes the rows and the columns; returns K, shape (rows, columns).
    """
    gram = np.empty((n_images, n_images))
    for rows in _row_blocks(n_images, sites):
        columns = slice(rows.start, n_images)
        gram[rows, columns] = block(rows, columns)
        gram[columns, rows] = gram[rows, columns].T
        # Sums over sites in another order are not the same to the last bit.
        square = gram[rows, rows]
        gram[rows, rows] = np.triu(square) + np.triu(square, 1).T
    return gram


def _row_blocks(n_images: int, sites: int) -> Iterator[slice]:
    start = 0
    while start < n_images:
        stop = min(start + max(1, CHUNK // ((n_images - start) * sites)), n_images)
        yield slice(start, stop)
        start = stop
