"""Signed noise at the first layer, which rectifies Gaussians: its ReLU couples windows that overlap.

Before the ReLU a site of layer 1 holds c + g: c = u a F^-d, where u in {0, 1, 2} is the number of active pixels in its
window, and g is Gaussian of standard deviation sigma F^(-d/2), correlated between windows in proportion to the sites
they share. All that follows needs is E[e_i e_j] for the excess e = ReLU(c + g) - c. Its mean given u is
mu(u) = mu_0 + u slope + kappa [u = 2], so that E[e_i e_j] is

    a part linear in the image, known from its covariance, + kappa mu_0 (P[u_i = 2] + P[u_j = 2]) + local(i, j),

where local vanishes unless the windows overlap: two windows without a common site never hold two pixels together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from scaledetect._base.array_types import FloatArray
from scaledetect.task.task import Task
from scaledetect.theory._pooling import window_starts
from scaledetect.theory._window_sums import WindowPairs

__all__ = [
    "FirstLayer",
    "excess_mean",
    "excess_second_moment",
    "local_corrections",
    "rectified_covariance",
    "rectified_variance",
    "stationary_corrections",
]


def excess_mean(h: ArrayLike) -> FloatArray:
    """E[ReLU(h + z) - h] for z ~ N(0, 1), h >= 0; in units of the standard deviation."""
    h = np.asarray(h, dtype=np.float64)
    return np.asarray(_density(h) - h * ndtr(-h))


def excess_second_moment(h: ArrayLike) -> FloatArray:
    """E[(ReLU(h + z) - h)^2] for z ~ N(0, 1), h >= 0; in units of the variance."""
    h = np.asarray(h, dtype=np.float64)
    return np.asarray(ndtr(h) + h * h * ndtr(-h) - h * _density(h))


def rectified_variance(h: ArrayLike) -> FloatArray:
    """Variance of ReLU(h + z) for z ~ N(0, 1), h >= 0."""
    return excess_second_moment(h) - excess_mean(h) ** 2


def rectified_covariance(h: ArrayLike, k: ArrayLike, correlation: ArrayLike) -> FloatArray:
    """Cov(ReLU(h + z_1), ReLU(k + z_2)) for standard normal z_1, z_2 of the given correlation in [0, 1).

    The arguments broadcast. By Price's theorem d Cov / d rho = P(h + z_1 > 0, k + z_2 > 0), which integrates to
    rho Phi(h) Phi(k) + (1 / 2 pi) int_0^{asin rho} (rho - sin t) exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt: a
    sum of positive terms. The integral is done by adaptive quadrature, all arguments at once.
    """
    h, k, rho = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (h, k, correlation)))
    if h.size == 0:
        return np.zeros(h.shape)
    from scipy.integrate import quad_vec  # slow to load, and needed only where windows overlap

    top = np.arcsin(rho)

    def integrand(u: float) -> FloatArray:
        sine = np.sin(u * top)
        exponent = (h * h + k * k - 2 * h * k * sine) / (2 * (1 - sine) * (1 + sine))
        return np.asarray((rho - sine) * np.exp(-exponent) * top)

    integral, _ = quad_vec(integrand, 0.0, 1.0, epsabs=1e-15, epsrel=1e-13, norm="max", limit=2000)
    return np.asarray(rho * ndtr(h) * ndtr(k) + integral / (2 * math.pi))


def _density(h: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-h * h / 2) / math.sqrt(2 * math.pi))


IntArray = NDArray[np.int64]


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

    @property
    def pairs(self) -> WindowPairs:
        """Its pairs of windows that overlap."""
        return WindowPairs(self.size, self.filter_size, self.dim)


@dataclass(frozen=True)
class LevelLaw:
    """Joint law of the levels (u, v) of two windows A and B: how many active pixels lie in each.

    The arrays are those of `WindowPairs`, of shape (n, ..., n, I, ..., I); C is the overlap of A and B.

    Attributes
    ----------
    in_overlap : mean number of active pixels in C.
    across, aside, inside : sums of the pair weight over A and B, over A and C, over C and C.
    """

    pairs: WindowPairs
    in_overlap: FloatArray
    across: FloatArray
    aside: FloatArray
    inside: FloatArray

    @classmethod
    def of(cls, pairs: WindowPairs, degree: FloatArray, weights: FloatArray) -> LevelLaw:
        """From the probabilities of active pixels and of pairs of them, as seen from the first sites of windows."""
        inside = pairs.overlap_pair_sums(weights)
        first = pairs.first_sums(weights)
        return cls(pairs, pairs.overlap_sums(degree), pairs.both_sums(first), pairs.overlap_sums(first), inside)

    @property
    def both(self) -> FloatArray:
        """P[u = 2], shape (I, ..., I)."""
        return np.asarray(self.inside[(0,) * self.pairs.dim] / 2)

    def expectation(self, values: FloatArray, place: tuple[int, ...]) -> FloatArray:
        """E[values[u, v]], shape (I, ..., I), at displacement number `place`; `values` has shape (3, 3)."""
        # Of the pair of pixels: cc in C; ca, cb one in C and one in A or B alone; aa, bb, ab none in C.
        cc = self.inside[place] / 2
        ca = self.aside[place] - 2 * cc
        cb = self._from_second(self.aside[self.pairs.opposite(place)], place) - 2 * cc
        aa = self.both - cc - ca
        bb = self._from_second(self.both, place) - cc - cb
        ab = self.across[place] - 2 * cc - ca - cb
        # One pixel in C, in A alone, in B alone, and the other in neither window.
        c = self.in_overlap[place] - 2 * cc - ca - cb
        in_window = self.in_overlap[(0,) * self.pairs.dim]
        a = in_window - self.in_overlap[place] - ca - 2 * aa - ab
        b = self._from_second(in_window, place) - self.in_overlap[place] - cb - 2 * bb - ab
        none = 1 - (a + b + c + aa + bb + ab + ca + cb + cc)
        law = np.array([[none, b, bb], [a, c + ab, cb], [aa, ca, cc]])
        return np.tensordot(values, law, 2)

    def _from_second(self, values: FloatArray, place: tuple[int, ...]) -> FloatArray:
        """What windows A hold in `values`, at the windows B instead."""
        axes = range(self.pairs.dim)
        return np.roll(values, [-int(self.pairs.displacements[k]) for k in place], axes)


def local_corrections(layer: FirstLayer, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The matrix local(i, j) over all pairs of sites of layer 1, shape (n, n), and P[u_i = 2], shape (n,).

    `weights`, of shape (N, N), holds the probability of each pair of pixels.
    """
    pairs, size, dim = layer.pairs, layer.size, layer.dim
    shape = (size,) * dim
    law = LevelLaw.of(
        pairs,
        _seen_from_sites(weights.sum(axis=1).reshape(shape), np.arange(layer.filter_size)),
        _pairs_from_sites(weights.reshape(shape * 2), pairs.site_displacements),
    )
    axis_starts = window_starts(size, layer.filter_size, layer.stride)
    local = np.zeros((axis_starts.size,) * (2 * dim))
    for place, values in _values_by_displacement(layer, stride=1):
        apart = [_windows_apart(axis_starts, size, int(pairs.displacements[k])) for k in place]
        first, second = (np.ix_(*ends) for ends in zip(*apart, strict=True))
        if not all(index.size for index in first):
            continue
        starts = tuple(axis_starts[index] for index in first)
        local[first + second] = local[second + first] = law.expectation(values, place)[starts]
    n = axis_starts.size**dim
    return local.reshape(n, n), law.both[np.ix_(*[axis_starts] * dim)].ravel()


def stationary_corrections(layer: FirstLayer, law: FloatArray) -> tuple[FloatArray, float]:
    """The function local of the displacement on the ring of layer 1, shape (L/s, ..., L/s), and P[u = 2].

    For an ensemble invariant under translation, `law` being that of q - p. Where the stride does not divide the size,
    layer 1 is no ring: then only local(0), of shape (1, ..., 1), which every site shares.
    """
    pairs, dim = layer.pairs, layer.dim
    one = (1,) * dim
    degree = np.full((layer.filter_size,) * dim + one, 2 / law.size)
    seen = law[np.ix_(*[pairs.site_displacements] * dim)] * (2 / law.size)
    levels = LevelLaw.of(pairs, degree, seen.reshape(seen.shape + one))
    divides = layer.size % layer.stride == 0
    local = np.zeros((layer.size // layer.stride if divides else 1,) * dim)
    for place, values in _values_by_displacement(layer, layer.stride if divides else layer.size):
        site = pairs.displacements[list(place)] // layer.stride
        local[tuple(site)] = local[tuple(-site % local.shape[0])] = levels.expectation(values, place).item()
    return local, levels.both.item()


def _values_by_displacement(layer: FirstLayer, stride: int) -> Iterator[tuple[tuple[int, ...], FloatArray]]:
    """One of each two opposite displacements that are multiples of `stride`: its number, and its `pair_values`."""
    pairs = layer.pairs
    near = np.flatnonzero(pairs.displacements % stride == 0).tolist()
    places = [z for z in itertools.product(near, repeat=layer.dim) if z <= pairs.opposite(z)]
    shared = pairs.overlap_sums(np.ones((layer.filter_size,) * layer.dim)).astype(np.int64)
    distinct, index = np.unique([shared[place] for place in places], return_inverse=True)
    values = layer.pair_values(distinct)
    for place, row in zip(places, index, strict=True):
        yield place, values[row]


def _pairs_from_sites(weights: FloatArray, displacements: IntArray) -> FloatArray:
    """W(i, i + r), shape (R, ..., R, L, ..., L), from W(p, q), shape (L, ..., L, L, ..., L)."""
    dim, size = weights.ndim // 2, weights.shape[0]
    r, i = _axes(displacements, size, dim)
    return np.asarray(weights[(*i, *((site + step) % size for site, step in zip(i, r, strict=True)))])


def _seen_from_sites(values: FloatArray, displacements: IntArray) -> FloatArray:
    """The values at i + r, shape (R, ..., R, L, ..., L), from those at i."""
    r, i = _axes(displacements, values.shape[0], values.ndim)
    return np.asarray(values[tuple((site + step) % values.shape[0] for site, step in zip(i, r, strict=True))])


def _axes(displacements: IntArray, size: int, dim: int) -> tuple[tuple[IntArray, ...], tuple[IntArray, ...]]:
    """Components of r and of i, shaped to broadcast over arrays of shape (R, ..., R, L, ..., L)."""
    axes = np.ix_(*[displacements] * dim, *[np.arange(size)] * dim)
    return axes[:dim], axes[dim:]


def _windows_apart(starts: IntArray, size: int, delta: int) -> tuple[IntArray, IntArray]:
    """Indices (i, j) of the windows of one axis with start_j - start_i = delta modulo the size."""
    position = np.full(size, -1)
    position[starts] = np.arange(starts.size)
    second = position[(starts + delta) % size]
    first = np.flatnonzero(second >= 0)
    return first, second[first]
