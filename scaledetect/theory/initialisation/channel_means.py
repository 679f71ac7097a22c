"""Fluctuation of a finite net's kernel, to first order in 1/width: what it adds to the distance of channel means.

Given the layer below, channels are independent Gaussian processes of the empirical kernel K + dK, whose diagonal obeys

    dK_k[r] = W (g^2 dK_{k-1} / 2 + e_{k-1})[r],

e the fluctuation of the mean over H channels of h^2, of covariance g^4 Cov(ReLU(z)^2, ReLU(z')^2) / H between any two
sites and images. The kernel between sites gives it. The mean of a channel is g sqrt((K + dK) / (2 pi)); from the square
of its difference between two images, to order 1 / H,

    V = (g^2 / 8 pi) sum_r { Var(dK_x / sqrt(K_x) - dK_y / sqrt(K_y))
                             - (sqrt(K_x) - sqrt(K_y)) (Var(dK_x) / K_x^1.5 - Var(dK_y) / K_y^1.5) } H,

the second part from the curvature of the root. The first layer has a fixed kernel: V_1 = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.theory.initialisation.rectified import rectified_product, square_covariance
from scaledetect.theory.initialisation.wide_net import WideNet
from scaledetect.theory.initialisation.windows import child_sites

__all__ = ["kernel_fluctuation"]
IntArray = NDArray[np.int64]


def kernel_fluctuation(
    net: WideNet, images: Sequence[FloatArray], pairs: Sequence[tuple[int, int]]
) -> Iterator[FloatArray]:
    """V of `pairs` of `images` (their numbers), layer by layer, each of shape (n_pairs, n).

    Each of `images` has shape (L, ..., L, n). It takes 30 n N^2 bytes, N the sites of an image.
    """
    size = len(images[0])
    flat = [np.moveaxis(x, -1, 0).reshape(x.shape[-1], -1) for x in images]
    windows = _windows(net, size)
    seconds = [_second_moments(net, x, windows) for x in flat]
    couples = [*((i, i) for i in range(len(images))), *pairs]
    spreads = {(i, j): _spreads(net, flat[i], flat[j], seconds[i], seconds[j], windows) for i, j in couples}
    for k, layer in enumerate(net.layers):
        parts = [
            _fluctuation(seconds[i][k], seconds[j][k], spreads[i, i][k], spreads[j, j][k], spreads[i, j][k])
            for i, j in pairs
        ]
        yield layer.squared_gain / (8 * math.pi) * np.stack(parts)


def _fluctuation(
    second_x: FloatArray, second_y: FloatArray, own_x: FloatArray, own_y: FloatArray, joint: FloatArray
) -> FloatArray:
    """8 pi V / g^2 from K and H Cov(dK) at the same site, all of shape (n, sites)."""
    root_x, root_y = np.sqrt(second_x), np.sqrt(second_y)
    variance = own_x / second_x + own_y / second_y - 2 * joint / (root_x * root_y)
    curvature = (root_x - root_y) * (own_x / (second_x * root_x) - own_y / (second_y * root_y))
    return np.asarray((variance - curvature).sum(axis=1))


def _windows(net: WideNet, size: int) -> list[IntArray]:
    """Sites below each site of each layer, shape (sites, F^d)."""
    sides = (size, *net.pooling.sizes(size))
    return [
        child_sites(side, net.dim, layer.filter_size, layer.stride)
        for side, layer in zip(sides, net.layers, strict=False)
    ]


def _second_moments(net: WideNet, image: FloatArray, windows: Sequence[IntArray]) -> list[FloatArray]:
    """K at each site of each layer, shape (n, sites)."""
    square, found = np.square(image), []
    for layer, window in zip(net.layers, windows, strict=True):
        found.append(1 + square[:, window].mean(axis=2))
        square = layer.squared_gain / 2 * found[-1]
    return found


def _spreads(
    net: WideNet,
    x: FloatArray,
    y: FloatArray,
    seconds_x: Sequence[FloatArray],
    seconds_y: Sequence[FloatArray],
    windows: Sequence[IntArray],
) -> list[FloatArray]:
    """H times the covariance of dK(x) and dK(y) at the same site, for each layer of shape (n, sites)."""
    product = x[:, :, None] * y[:, None, :]
    spread = np.zeros((len(x), 1, 1))
    found: list[FloatArray] = []
    for layer, window, second_x, second_y in zip(net.layers, windows, seconds_x, seconds_y, strict=True):
        first = not found
        kernel = 1 + _joint_means(product, window)
        spread = np.zeros_like(kernel) if first else _separate_means(spread, window)
        found.append(np.einsum("nrr->nr", spread).copy())
        second_x, second_y = second_x[:, :, None], second_y[:, None, :]
        gain = layer.squared_gain
        spread = np.square(gain) * (0.25 * spread + square_covariance(second_x, second_y, kernel))
        product = gain * rectified_product(second_x, second_y, kernel)
    return found


def _joint_means(product: FloatArray, window: IntArray) -> FloatArray:
    """Mean over the entries of the filter, the same one at both sites: filters are shared."""
    total: FloatArray | float = 0.0
    for entry in window.T:
        total = total + product[:, entry[:, None], entry]
    return np.asarray(total / window.shape[1])


def _separate_means(spread: FloatArray, window: IntArray) -> FloatArray:
    """Mean over the windows of both sites, each on its own."""
    means = np.zeros((len(window), spread.shape[1]))
    np.add.at(means, (np.arange(len(window))[:, None], window), 1 / window.shape[1])
    return np.asarray(means @ spread @ means.T)
