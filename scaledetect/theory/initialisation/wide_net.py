"""The net of infinite width: filters, strides and gains of its layers, and the kernels of given images through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.results import Pooling
from scaledetect.theory._pooling import pool_axis
from scaledetect.theory.initialisation.rectified import mean_gap, rectified_gap

__all__ = ["Distances", "Gain", "WideLayer", "WideNet", "layer_distances"]

Gain = Literal["critical", "paper"]


class WideLayer(NamedTuple):
    """Filter side F, stride s and squared gain g^2 of one layer."""

    filter_size: int
    stride: int
    squared_gain: float


@dataclass(frozen=True)
class WideNet:
    """The numbers of a PoolingNet that its infinite-width limit knows."""

    dim: int
    pooling: Pooling
    gain: Gain = "critical"

    @property
    def layers(self) -> list[WideLayer]:
        """Its layers in their order; the squared gain is 2, or F^d as published."""
        sides = zip(self.pooling.filter_size, self.pooling.stride, strict=True)
        return [WideLayer(f, s, 2.0 if self.gain == "critical" else float(f**self.dim)) for f, s in sides]

    def second_moments(self, square: float) -> FloatArray:
        """E h^2 per site of each layer, averaged over sites and images of mean squared pixel `square`, shape (K,).

        q' = gain^2 (q + 1) / 2, where each layer visits its sites equally often.
        """
        found = []
        for layer in self.layers:
            square = layer.squared_gain * (1 + square) / 2
            found.append(square)
        return np.array(found)


class Distances(NamedTuple):
    """Sums over the sites of one layer, for pairs of images, each of shape (n_pairs, n).

    `full` is E |h(x) - h(y)|^2 per channel, `mean` its part |E h(x) - E h(y)|^2.
    """

    full: FloatArray
    mean: FloatArray


def layer_distances(
    net: WideNet, images: Sequence[FloatArray], pairs: Sequence[tuple[int, int]]
) -> Iterator[Distances]:
    """Distances of `pairs` of `images` (their numbers), layer by layer.

    Each of `images` has shape (L, ..., L, n): the batch comes last, so that windows move over contiguous rows.
    """
    dim = net.dim
    squares = [np.square(x) for x in images]
    gaps = [0.5 * np.square(images[i] - images[j]) for i, j in pairs]
    sites = tuple(range(dim))
    for layer in net.layers:
        seconds = [_window_means(square, dim, layer) for square in squares]
        roots = [np.sqrt(second + 1) for second in seconds]
        gaps = [
            rectified_gap(roots[i], roots[j], _window_means(gap, dim, layer))
            for (i, j), gap in zip(pairs, gaps, strict=True)
        ]
        gain = layer.squared_gain
        full = np.stack([2 * gain * gap.sum(axis=sites) for gap in gaps])
        mean = np.stack([gain * mean_gap(roots[i], roots[j]).sum(axis=sites) for i, j in pairs])
        yield Distances(full, mean)
        squares = [0.5 * gain * (second + 1) for second in seconds]
        gaps = [gain * gap for gap in gaps]


def _window_means(field: FloatArray, dim: int, layer: WideLayer) -> FloatArray:
    """Mean over the windows of `layer`, circularly padded, of a field of shape (L, ..., L, n)."""
    for axis in range(dim):
        field = pool_axis(field, axis, layer.filter_size, layer.stride)
    return field
