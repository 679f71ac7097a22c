"""Power spectra of stationary fields on a ring, and what a pooling layer does to them.

The covariance of a stationary field on a periodic lattice of side l is circulant: C(z) = sum_j P(j) cos(2 pi j z / l).
All fields here are even along every axis, so that frequencies j = 0 .. l // 2 per axis suffice; P counts each with its
mirror images. Filtering by a box multiplies P by the squared response of the box, and keeping every s-th site folds
P onto the coarser ring.
"""

from __future__ import annotations

import numpy as np

from scaledetect._base.array_types import FloatArray

__all__ = [
    "box_gain",
    "cosine_deficits",
    "fold",
    "from_covariance",
    "multiplicities",
    "outer_product",
    "run_sums",
    "to_covariance",
]


NEGLIGIBLE = 1e-60
"""Modes damped below this are dropped; a layer whose modes are all below 1e-13 is constant, and refused."""

CHUNK = 16384
"""Frequencies taken at a time: a chunk of three spectra, gain and power stays within the second-level cache."""


def multiplicities(size: int, dim: int) -> FloatArray:
    """How many of the size^dim frequencies each entry of the half spectrum stands for, shape (size//2 + 1, ...)."""
    one = np.full(size // 2 + 1, 2.0)
    one[0] = 1
    if size % 2 == 0:
        one[-1] = 1
    return outer_product(one, dim)


def outer_product(one: FloatArray, dim: int) -> FloatArray:
    """The product over axes of a function of one frequency."""
    product = one
    for _ in range(dim - 1):
        product = np.multiply.outer(product, one)
    return product


def from_covariance(values: FloatArray) -> FloatArray:
    """Fourier transform sum_z C(z) cos(2 pi j z / l) over the half spectrum of an even C, given on the whole ring."""
    half = values.shape[0] // 2 + 1
    transform = np.fft.rfftn(values).real
    return np.ascontiguousarray(transform[(slice(half),) * values.ndim])


def to_covariance(power: FloatArray, size: int) -> FloatArray:
    """C(z) on the whole ring of side `size`, from the power P."""
    values = power / multiplicities(size, power.ndim)
    for axis in range(power.ndim):
        values = np.fft.irfft(values, n=size, axis=axis, norm="forward")
    return values


def cosine_deficits(size: int) -> FloatArray:
    """1 - cos(2 pi j / size), without cancellation, for j = 0 .. size // 2."""
    return np.asarray(2 * np.sin(np.pi * np.arange(size // 2 + 1) / size) ** 2)


def box_gain(size: int, filter_size: int) -> FloatArray:
    """Squared response of the mean over `filter_size` sites of a ring, for j = 0 .. size // 2; exact at its zeros."""
    j = np.arange(size // 2 + 1)
    numerator = np.sin(np.pi * (filter_size * j % size) / size)
    denominator = filter_size * np.sin(np.pi * j / size)
    denominator[0] = 1
    gain = np.square(numerator / denominator)
    gain[0] = 1
    return np.asarray(gain)


def fold(power: FloatArray, size: int, stride: int) -> FloatArray:
    """Power on the ring of side size / stride that keeps every `stride`-th site along all axes."""
    coarse = size // stride
    alias = np.arange(size // 2 + 1) % coarse
    alias = np.minimum(alias, coarse - alias)
    for axis in range(power.ndim):
        source = np.moveaxis(power, axis, 0)
        folded = np.zeros((coarse // 2 + 1, *source.shape[1:]))
        np.add.at(folded, alias, source)
        power = np.moveaxis(folded, 0, axis)
    return np.ascontiguousarray(power)


def run_sums(powers: FloatArray, gain: FloatArray, count: int) -> FloatArray:
    """sum_j powers[q, j] gain[j]^k for k = 1 .. count, shape (count, q).

    Frequencies outside, layers inside, so that a chunk stays in the cache; damped modes leave it as they become
    negligible, which also keeps denormal numbers out.
    """
    sums = np.zeros((count, powers.shape[0]))
    for low in range(0, gain.size, CHUNK):
        part, factor = powers[:, low : low + CHUNK], gain[low : low + CHUNK]
        damping = np.ones(factor.size)
        for k in range(count):
            damping *= factor
            sums[k] += part @ damping
            if k % 16 == 3:
                kept = damping > NEGLIGIBLE
                if not kept.any():
                    break
                if not kept.all():
                    part, factor, damping = part[:, kept], factor[kept], damping[kept]
    return sums
