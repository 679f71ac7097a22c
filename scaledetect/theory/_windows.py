"""Signed noise at the first layer: its rectification couples windows that overlap.

Before the ReLU a site of layer 1 holds c + g: c = u a F^-d, where u in {0, 1, 2} is the number of active pixels in its
window, and g is Gaussian of standard deviation sigma F^(-d/2), correlated between windows in proportion to the sites
they share. All that follows needs is E[e_i e_j] for the excess e = ReLU(c + g) - c. Its mean given u is
mu(u) = mu_0 + u slope + kappa [u = 2], so that E[e_i e_j] is

    a part linear in the image, known from its covariance, + kappa mu_0 (P[u_i = 2] + P[u_j = 2]) + local(i, j),

where local vanishes unless the windows overlap: two windows without a common site never hold two pixels together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaledetect.task import Task
from scaledetect.theory._pooling import window_starts
from scaledetect.theory._rectified import excess_mean, rectified_covariance, rectified_variance

__all__ = ["FirstLayer", "both_in_window", "local_corrections", "stationary_corrections"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Weight = Callable[[IntArray, IntArray], FloatArray]
"""Pair weight W(p, q) of two arrays of sites, given as coordinates of shape (..., dim) that broadcast."""

BOTH, FIRST, SECOND = 0, 1, 2
"""A pixel lies in both windows of a pair, or in one of them alone."""

_IN_FIRST = np.array([1, 1, 0])
_IN_SECOND = np.array([1, 0, 1])


@dataclass(frozen=True)
class FirstLayer:
    """The first layer under signed noise: filter side F, and the level a / (sigma F^(d/2)) of one active pixel."""

    size: int
    dim: int
    filter_size: int
    stride: int
    deviation: float
    level: float

    @classmethod
    def of(cls, task: Task, filter_size: int, stride: int, sigma: float) -> FirstLayer:
        """Deviation and level in units in which the active pixel has its true value a."""
        root = float(filter_size) ** (task.dim / 2)
        return cls(task.size, task.dim, filter_size, stride, sigma / root, task.pixel_value / (sigma * root))

    @property
    def mean(self) -> FloatArray:
        """mu(u), u = 0, 1, 2: mean of the excess e at a site whose window holds u active pixels; shape (3,)."""
        return self.deviation * excess_mean(self.level * np.arange(3))

    @property
    def slope(self) -> float:
        """mu(1) - mu(0)."""
        return float(self.mean[1] - self.mean[0])

    @property
    def kappa(self) -> float:
        """mu(2) - 2 mu(1) + mu(0)."""
        return float(self.mean[2] - 2 * self.mean[1] + self.mean[0])

    def pair_values(self, shared: IntArray) -> FloatArray:
        """What levels (u, v) of two windows with `shared` common sites add to local, shape (n, 3, 3)."""
        u, v = np.arange(3)[:, None], np.arange(3)
        correlation = shared[:, None, None] / self.filter_size**self.dim
        same = correlation[:, 0, 0] == 1
        noise = np.empty((shared.size, 3, 3))
        noise[~same] = rectified_covariance(self.level * u, self.level * v, correlation[~same])
        # A window with itself has u = v, only.
        noise[same] = np.diag(rectified_variance(self.level * np.arange(3)))
        mean = self.kappa * self.slope * (u * (v == 2) + v * (u == 2)) + self.kappa**2 * ((u == 2) & (v == 2))
        return np.asarray(self.deviation**2 * noise + mean)

    def displacements(self, spacing: int) -> list[tuple[int, ...]]:
        """Displacements modulo L, multiples of `spacing`, at which two windows share a site."""
        ahead, behind = range(self.filter_size), range(self.size - self.filter_size + 1, self.size)
        near = sorted({z for z in (*ahead, *behind) if z % spacing == 0})
        return list(itertools.product(near, repeat=self.dim))

    def union(self, displacement: tuple[int, ...]) -> tuple[IntArray, IntArray]:
        """Sites of two windows `displacement` apart, (m, dim) relative to the first, and where each lies, (m,)."""
        window, delta = _window_sites(self.filter_size, self.dim), np.array(displacement)
        in_second = ((window - delta) % self.size < self.filter_size).all(axis=1)
        in_first = ((window + delta) % self.size < self.filter_size).all(axis=1)
        sites = np.concatenate([window, (window + delta)[~in_first]])
        where = np.concatenate([np.where(in_second, BOTH, FIRST), np.full((~in_first).sum(), SECOND)])
        return sites, where


def _window_sites(filter_size: int, dim: int) -> IntArray:
    """Sites of a window relative to its first corner, shape (F^d, dim)."""
    return np.stack(np.meshgrid(*[np.arange(filter_size)] * dim, indexing="ij"), axis=-1).reshape(-1, dim)


def both_in_window(layer: FirstLayer, starts: IntArray, weight: Weight) -> FloatArray:
    """P[u = 2]: probability that a window holds both pixels; starts (n, dim) are the windows' first corners."""
    return _pair_sums(layer, starts, _window_sites(layer.filter_size, layer.dim), np.array(0.5), weight)


def local_excess(
    layer: FirstLayer,
    displacement: tuple[int, ...],
    values: FloatArray,
    starts: IntArray,
    degree: FloatArray,
    weight: Weight,
) -> FloatArray:
    """The entries local(i, j), shape (n,): i starts at each of `starts` (n, dim), and j is `displacement` further.

    The expectation over the pair of pixels is expanded in where they lie: a constant (both outside), a sum over single
    pixels (`degree`, shape (L, ..., L), their probability), and an interaction of pairs in the union of the windows.
    """
    sites, where = layer.union(displacement)
    u, v = _IN_FIRST[where], _IN_SECOND[where]
    alone = values[u, v] - values[0, 0]
    together = values[u[:, None] + u, v[:, None] + v]
    interaction = together - alone[:, None] - alone - values[0, 0]
    here = (starts[:, None, :] + sites) % layer.size
    single = degree[tuple(np.moveaxis(here, -1, 0))] @ alone
    return np.asarray(values[0, 0] + single + _pair_sums(layer, starts, sites, interaction / 2, weight))


def local_corrections(layer: FirstLayer, degree: FloatArray, weight: Weight) -> tuple[FloatArray, FloatArray]:
    """The matrix local(i, j) over all pairs of sites of layer 1, shape (n, n), and P[u_i = 2], shape (n,)."""
    axis_starts = window_starts(layer.size, layer.filter_size, layer.stride)
    side = axis_starts.size
    local = np.zeros((side**layer.dim,) * 2)
    for displacement, values in _half(layer, 1):
        pairs = [_windows_apart(axis_starts, layer.size, delta) for delta in displacement]
        first, second = (_flat([pair[end] for pair in pairs], side) for end in (0, 1))
        if first.size == 0:
            continue
        starts = axis_starts[np.stack(np.unravel_index(first, (side,) * layer.dim), axis=-1)]
        local[first, second] = local_excess(layer, displacement, values, starts, degree, weight)
        local[second, first] = local[first, second]
    everywhere = np.stack(np.unravel_index(np.arange(side**layer.dim), (side,) * layer.dim), axis=-1)
    return local, both_in_window(layer, axis_starts[everywhere], weight)


def stationary_corrections(layer: FirstLayer, law: FloatArray) -> tuple[FloatArray, float]:
    """The function local of the displacement on the ring of layer 1, shape (L/s, ..., L/s), and P[u = 2].

    For an ensemble invariant under translation, `law` being that of q - p. Where the stride does not divide the size,
    layer 1 is no ring: then only local(0), of shape (1, ..., 1), which every site shares.
    """
    degree = np.broadcast_to(2 / law.size, law.shape)
    origin = np.zeros((1, layer.dim), dtype=np.int64)

    def weight(p: IntArray, q: IntArray) -> FloatArray:
        return np.asarray(law[tuple(np.moveaxis((q - p) % layer.size, -1, 0))] * (2 / law.size))

    divides = layer.size % layer.stride == 0
    local = np.zeros((layer.size // layer.stride if divides else 1,) * layer.dim)
    for displacement, values in _half(layer, layer.stride if divides else layer.size):
        site = np.array(displacement) // layer.stride
        value = local_excess(layer, displacement, values, origin, degree, weight)
        local[tuple(site)] = local[tuple(-site % local.shape[0])] = value[0]
    return local, float(both_in_window(layer, origin, weight)[0])


def _half(layer: FirstLayer, spacing: int) -> Iterator[tuple[tuple[int, ...], FloatArray]]:
    """One of each two opposite displacements that are multiples of `spacing`, with its `pair_values`."""
    kept = [z for z in layer.displacements(spacing) if z <= tuple(-c % layer.size for c in z)]
    shared = np.array([np.count_nonzero(layer.union(z)[1] == BOTH) for z in kept])
    distinct, index = np.unique(shared, return_inverse=True)
    values = layer.pair_values(distinct)
    for displacement, row in zip(kept, index, strict=True):
        yield displacement, values[row]


def _windows_apart(starts: IntArray, size: int, delta: int) -> tuple[IntArray, IntArray]:
    """Indices (i, j) of the windows of one axis with start_j - start_i = delta modulo the size."""
    position = np.full(size, -1)
    position[starts] = np.arange(starts.size)
    second = position[(starts + delta) % size]
    first = np.flatnonzero(second >= 0)
    return first, second[first]


def _flat(indices: list[IntArray], side: int) -> IntArray:
    return np.ravel_multi_index(np.ix_(*indices), (side,) * len(indices)).ravel()


def _pair_sums(layer: FirstLayer, starts: IntArray, sites: IntArray, factor: FloatArray, weight: Weight) -> FloatArray:
    """Sum of W(p, q) factor(p, q) over ordered pairs of `sites` seen from each start; chunked to bound the memory."""
    result = np.empty(len(starts))
    step = max(1, 2_000_000 // len(sites) ** 2)
    for low in range(0, len(starts), step):
        here = (starts[low : low + step, None, :] + sites) % layer.size
        result[low : low + step] = (weight(here[:, :, None], here[:, None]) * factor).sum(axis=(1, 2))
    return result
