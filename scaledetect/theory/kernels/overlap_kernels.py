"""Kernels, and those of the overlap x . y of two images alone: linear, Gaussian, wide fully connected nets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scaledetect._base.arguments import at_least_one, positive
from scaledetect._base.array_types import FloatArray
from scaledetect.theory.initialisation.rectified import rectified_product

__all__ = [
    "FullyConnectedKernel",
    "GaussianKernel",
    "Kernel",
    "LinearKernel",
    "symmetric_gram",
]


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


@dataclass(frozen=True)
class LinearKernel:
    """K(x, y) = x . y / N, without a constant."""

    def gram(self, images: FloatArray) -> FloatArray:
        """K of all pairs of images, shape (M, M)."""
        flat = images.reshape(len(images), -1)
        return np.asarray(flat @ flat.T / flat.shape[1])


@dataclass(frozen=True)
class GaussianKernel:
    """K(x, y) = exp(-|x - y|^2 / (2 N length^2)): `length` is in units of the root mean square of a pixel."""

    length: float = 1.0

    def __post_init__(self) -> None:
        positive("length", self.length)

    def gram(self, images: FloatArray) -> FloatArray:
        """K of all pairs of images, shape (M, M)."""
        overlap = LinearKernel().gram(images)
        norm = np.diag(overlap)
        # Overlaps are differences of equal numbers for equal images: rounding must not make a distance negative.
        distance = np.maximum(norm[:, None] + norm - 2 * overlap, 0.0)
        return np.asarray(np.exp(-distance / (2 * self.length**2)))


@dataclass(frozen=True)
class FullyConnectedKernel:
    """NNGP of a fully connected net with biases and `depth` ReLU layers, at critical gain.

    K_1 = 1 + x . y / N, K_{l+1} = 1 + 2 Q(K_l), Q the arc-cosine kernel; the kernel is K_{depth + 1}, that of the
    output.
    """

    depth: int = 3

    def __post_init__(self) -> None:
        at_least_one("depth", self.depth)

    def gram(self, images: FloatArray) -> FloatArray:
        """K of all pairs of images, shape (M, M)."""
        covariance = 1 + LinearKernel().gram(images)
        for _ in range(self.depth):
            variance = np.diag(covariance)
            covariance = 1 + 2 * rectified_product(variance[:, None], variance, covariance)
        return covariance
