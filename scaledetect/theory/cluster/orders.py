"""The two orders of the cluster expansion: images of no and one active pixel, and of two, where it is exact."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from scaledetect._base.array_types import FloatArray, IntArray
from scaledetect._base.errors import bad_value
from scaledetect.task.task import Task
from scaledetect.theory._ensemble import covariance, degrees, pair_weights, shift_second_moment, transition
from scaledetect.theory._general import DENSE_SITES
from scaledetect.theory.cluster.responses import no_or_one_pixel, site_images

__all__ = [
    "PAIR_IMAGES",
    "FirstOrder",
    "SecondOrder",
]


class FirstOrder:
    """The moments tr(C K), with K the Gram matrix <phi(p), phi(p')> and C a matrix of the task alone.

    Attributes
    ----------
    n_images : int
    images : callable
        Images `low` to `high` - 1: the empty one, and then those with one active pixel.
    """

    def __init__(self, task: Task) -> None:
        if task.n_sites > DENSE_SITES:
            limit = f"holds matrices between pixels and takes at most {DENSE_SITES} sites, not {task.n_sites}"
            raise bad_value("size", task.size, limit, "lower size, or measure the net")
        self.n_images, self.images = 1 + task.n_sites, no_or_one_pixel(task)
        weights = pair_weights(task)
        self._degree = degrees(weights)
        self._covariance = covariance(weights)
        self._shift = shift_second_moment(weights, transition(task))

    def moments(self, f: FloatArray) -> tuple[float, float, float]:
        """Shift, covariance and mean square of numbers whose values on the images are `f`, shape (1 + N, a)."""
        phi = f[1:] - f[0]
        mean = f[0] + self._degree @ phi
        # Rows of both matrices add up to 0: what all pixels share drops out, and is best left out.
        phi -= phi.mean(axis=0)
        gram = phi @ phi.T
        return float(np.vdot(self._shift, gram)), float(np.vdot(self._covariance, gram)), float(mean @ mean)


PAIR_IMAGES = 20_000
"""Images of two pixels beyond which the second order is refused: it runs them all."""

CHUNK_BYTES = 2**26
"""Bytes of differences taken at a time."""


class SecondOrder:
    """The moments of f itself over pairs p, q and their moves; at p = q one pixel has twice the value.

    Attributes
    ----------
    n_images : int
    """

    def __init__(self, task: Task) -> None:
        n = task.n_sites
        self.n_images = n * (n + 1) // 2
        if self.n_images > PAIR_IMAGES:
            limit = f"{n} sites make {self.n_images} images of two pixels, and order 2 runs at most {PAIR_IMAGES}"
            raise bad_value("order", 2, limit, "take a smaller task, or order=1")
        self._task, self._sites = task, np.stack(np.triu_indices(n), axis=1)
        p, q = self._sites.T
        self._image = np.zeros((n, n), dtype=np.int64)
        self._image[p, q] = self._image[q, p] = np.arange(self.n_images)
        weights = pair_weights(task)[p, q]
        self._clean = np.flatnonzero(weights)
        self._weight, self._step = weights[self._clean], transition(task)

    def images(self, low: int, high: int) -> FloatArray:
        """Images `low` to `high` - 1 of all with two pixels p <= q."""
        return site_images(self._sites[low:high], self._task.shape, self._task.pixel_value)

    def moments(self, f: FloatArray) -> tuple[float, float, float]:
        """Shift, covariance and mean square of numbers whose values on the images are `f`, shape (n_images, a)."""
        shift, mean = 0.0, self._weight @ f[self._clean]
        covariance = float(self._weight @ np.square(f[self._clean] - mean).sum(axis=1))
        for clean, moved, chance in self._moves(f.shape[1]):
            shift += float(chance @ np.square(f[moved] - f[clean]).sum(axis=1))
        return shift, covariance, float(mean @ mean)

    def _moves(self, numbers: int) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Images before and after the shift, with the probability of both; a few at a time."""
        p, q = self._sites[self._clean].T
        first, ways = self._step.indptr, np.diff(self._step.indptr)
        most = max(1, CHUNK_BYTES // (8 * numbers))
        for i, j in product(range(ways.max()), repeat=2):
            exist = np.flatnonzero((i < ways[p]) & (j < ways[q]))
            for low in range(0, exist.size, most):
                kept = exist[low : low + most]
                one, other = first[p[kept]] + i, first[q[kept]] + j
                chance = self._weight[kept] * self._step.data[one] * self._step.data[other]
                yield self._clean[kept], self._image[self._step.indices[one], self._step.indices[other]], chance
