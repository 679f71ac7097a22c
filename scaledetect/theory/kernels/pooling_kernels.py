"""NNGP kernels of an infinitely wide PoolingNet, read out site by site or through its mean over space."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scaledetect._base.arguments import at_least_one, one_of
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.results import Pooling
from scaledetect.theory._pooling import pool_axis, window_starts
from scaledetect.theory.initialisation.rectified import rectified_product
from scaledetect.theory.kernels.overlap_kernels import symmetric_gram

__all__ = ["MAX_SITE_PAIRS", "PoolingKernel", "PoolingMeanKernel"]


MAX_SITE_PAIRS = 4 * 10**9
"""Pairs of sites of pairs of images, over all layers, beyond which the kernel between sites is refused: minutes."""


@dataclass(frozen=True)
class _PoolingRecursion:
    """Numbers of the net, as `scaledetect.nets.PoolingNet` takes them."""

    filter_size: int | tuple[int, ...] = 2
    stride: int | tuple[int, ...] = 2
    depth: int = 6
    gain: Literal["critical", "paper"] = "critical"

    def __post_init__(self) -> None:
        one_of("gain", self.gain, ("critical", "paper"))
        at_least_one("depth", self.depth)
        self.pooling  # noqa: B018 (refuses numbers out of range)

    @property
    def pooling(self) -> Pooling:
        """Filter side and stride of each layer."""
        return Pooling.of(self.filter_size, self.stride, self.depth)

    def layers(self, dim: int) -> list[tuple[int, int, float]]:
        """(filter side F, stride, g^2) of each layer; g^2 multiplies what comes after its ReLU."""
        sides, strides = self.pooling.filter_size, self.pooling.stride
        gains = [2.0 if self.gain == "critical" else float(side**dim) for side in sides]
        return list(zip(sides, strides, gains, strict=True))


class PoolingKernel(_PoolingRecursion):
    """NNGP of PoolingNet read out with one weight a site and channel: K(x, y) = g^2 mean_r Q_K(x, y)[r].

    K_1(x, y)[r] = 1 + (W x y)[r], K_{k+1} = 1 + g^2 W Q_k, with W the strided circular mean over windows and Q_k(x,
    y)[r] = E ReLU(z) ReLU(z') of the pre-activations at the site r, which no other site enters.
    """

    def gram(self, images: FloatArray) -> FloatArray:
        """K of all pairs of images, shape (M, M)."""
        dim, layers = images.ndim - 1, self.layers(images.ndim - 1)
        variances = _variances(images, layers)

        def block(rows: slice, columns: slice) -> FloatArray:
            covariance = images[rows, None] * images[columns]
            factor = 1.0
            for (side, stride, gain), variance in zip(layers, variances, strict=True):
                covariance = 1 + factor * _window_mean(covariance, dim, side, stride)
                covariance = rectified_product(variance[rows, None], variance[columns], covariance)
                factor = gain
            return np.asarray(factor * covariance.mean(axis=tuple(range(2, 2 + dim))))

        return symmetric_gram(len(images), images[0].size, block)


class PoolingMeanKernel(_PoolingRecursion):
    """NNGP of PoolingNet read out through its mean over space: K(x, y) = g^2 mean_{r, r'} Q_K(x, y)[r, r'].

    It needs the kernel between sites: K_1(x, y)[r, r'] = 1 + mean over u of x[s r + u] y[s r' + u], and so on; the
    recursion is that of `PoolingKernel` with the two sites moving together through the windows.
    """

    def gram(self, images: FloatArray) -> FloatArray:
        """K of all pairs of images, shape (M, M).

        Raises
        ------
        ValueError
            For more pairs of sites than `MAX_SITE_PAIRS`.
        """
        dim, layers = images.ndim - 1, self.layers(images.ndim - 1)
        sites = [side**dim for side in self.pooling.sizes(images.shape[1])]
        _check_work(len(images), sites)
        variances = _variances(images, layers)
        axes = [(2 + axis, 2 + dim + axis) for axis in range(dim)]

        def block(rows: slice, columns: slice) -> FloatArray:
            covariance = _first_layer(images[rows], images[columns], layers[0])
            factor = 1.0
            for number, ((side, stride, gain), variance) in enumerate(zip(layers, variances, strict=True)):
                if number:
                    for pair in axes:
                        covariance = _joint_window_mean(covariance, *pair, side, stride)
                covariance = 1 + factor * covariance
                one = variance[rows].reshape(-1, 1, *variance.shape[1:], *[1] * dim)
                other = variance[columns].reshape(1, -1, *[1] * dim, *variance.shape[1:])
                covariance = rectified_product(one, other, covariance)
                factor = gain
            return np.asarray(factor * covariance.mean(axis=tuple(range(2, 2 + 2 * dim))))

        return symmetric_gram(len(images), max(sites) ** 2, block)


def _check_work(n_images: int, sites: list[int]) -> None:
    work = n_images**2 // 2 * sum(n**2 for n in sites)
    if work > MAX_SITE_PAIRS:
        limit = f"the kernel between sites takes {work:.2g} pairs of sites, more than {MAX_SITE_PAIRS:.2g}"
        way_out = "take a smaller task, a larger stride in the first layer, or the kernel 'nngp-pooling'"
        raise bad_value("kernel", "nngp-pooling-mean", limit, way_out)


def _variances(images: FloatArray, layers: list[tuple[int, int, float]]) -> list[FloatArray]:
    """Variance of the pre-activations of each layer, shape (M, n_k[, n_k[, n_k]]): Q(x, x) is half of it."""
    dim, found = images.ndim - 1, []
    moment = images**2
    for side, stride, gain in layers:
        variance = 1 + _window_mean(moment, dim, side, stride, first_axis=1)
        found.append(variance)
        moment = gain * variance / 2
    return found


def _window_mean(tensor: FloatArray, dim: int, side: int, stride: int, first_axis: int = 2) -> FloatArray:
    """W: mean over the circular windows of the last `dim` axes."""
    for axis in range(first_axis, first_axis + dim):
        tensor = pool_axis(tensor, axis, side, stride)
    return tensor


def _joint_window_mean(tensor: FloatArray, axis: int, other_axis: int, side: int, stride: int) -> FloatArray:
    """Mean over u of tensor[.., s r + u, .., s r' + u, ..] along two axes of equal length, circular."""
    size = tensor.shape[axis]
    starts = window_starts(size, side, stride)
    total: FloatArray | None = None
    for offset in range(side):
        sites = (starts + offset) % size
        part = tensor.take(sites, axis=axis).take(sites, axis=other_axis)
        total = part if total is None else total + part
    assert total is not None
    return total / side


def _first_layer(images: FloatArray, others: FloatArray, layer: tuple[int, int, float]) -> FloatArray:
    """Mean over u of x[s r + u] y[s r' + u], shape (rows, columns, n_1.., n_1..): products of windows."""
    side, stride, _ = layer
    dim, size = images.ndim - 1, images.shape[1]
    starts = window_starts(size, side, stride)
    sites = len(starts) ** dim
    total = np.zeros((len(images), len(others), sites, sites))
    for offset in itertools.product(range(side), repeat=dim):
        here = np.ix_(*[(starts + u) % size for u in offset])
        one, other = (array[:, *here].reshape(len(array), sites) for array in (images, others))
        total += one[:, None, :, None] * other[None, :, None, :]
    total /= side**dim
    return total.reshape(len(images), len(others), *[len(starts)] * (2 * dim))
