"""Linear layers on dense tensors: boxes axis by axis, as the constant-filter net pools, and filters of any weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.results import Pooling

__all__ = [
    "Layer",
    "layer_parameters",
    "pool_axis",
    "pooled_gains",
    "pooled_traces",
    "pooled_vectors",
    "row_sums",
    "window_starts",
]


Layer = tuple[int | FloatArray, int]
"""A filter and its stride: the side F of a box of entries F^-d, or the weights themselves, shape (F, ..., F)."""


def layer_parameters(pooling: Pooling, first: int = 0) -> list[Layer]:
    """(filter side, stride) of the layers from number `first` (counted from 0) on."""
    layers: list[Layer] = [*zip(pooling.filter_size, pooling.stride, strict=True)]
    return layers[first:]


def window_starts(size: int, filter_size: int, stride: int) -> NDArray[np.int64]:
    """First site (modulo `size`) of each window on a ring: circular padding of (F-1)//2 on the left, F//2 right."""
    return (np.arange(0, size, stride) - (filter_size - 1) // 2) % size


def pool_axis(tensor: FloatArray, axis: int, filter_size: int, stride: int) -> FloatArray:
    """Mean over windows of `filter_size` sites at distance `stride`, along one periodic axis.

    A window longer than the axis counts its sites as often as it wraps onto them.
    """
    source = np.moveaxis(tensor, axis, 0)
    size = len(source)
    count = -(-size // stride)
    shape = list(tensor.shape)
    shape[axis] = count
    pooled = np.zeros(shape)
    total = np.moveaxis(pooled, axis, 0)
    for offset in range(filter_size):
        # The sites at this offset in their windows, in slices: those before the wrap, and those after it.
        start = (offset - (filter_size - 1) // 2) % size
        before = min(-(-(size - start) // stride), count)
        total[:before] += source[start::stride][:before]
        total[before:] += source[(start + before * stride) % size :: stride][: count - before]
    pooled /= filter_size
    return pooled


def pooled_traces(matrix: FloatArray, dim: int, layers: list[Layer]) -> FloatArray:
    """tr(M_k E M_k^T) after each of `layers`, shape (len(layers),), for the matrix E of a cubic lattice.

    E is pooled as a tensor with `dim` row axes and `dim` column axes: M is never built.
    """
    tensor = _as_tensor(matrix, dim, 2 * dim)
    # Two arrays of this size at a time are enough.
    del matrix
    traces = []
    for layer in layers:
        for first in (0, dim):
            tensor = _pool(tensor, first, dim, layer)
        traces.append(np.trace(tensor.reshape((tensor.shape[0] ** dim,) * 2)))
    return np.array(traces)


def pooled_vectors(vector: FloatArray, dim: int, layers: list[Layer]) -> list[FloatArray]:
    """M_k v after each of `layers`, as flat arrays."""
    tensor = _as_tensor(vector, dim, dim)
    vectors = []
    for layer in layers:
        tensor = _pool(tensor, 0, dim, layer)
        vectors.append(tensor.ravel())
    return vectors


def pooled_gains(size: int, dim: int, layers: list[Layer]) -> list[FloatArray]:
    """Squared norm of the column of M_k of each input site, flat, shape (size^dim,), after each of `layers`.

    It is what independent noise on that site adds to |f_k|^2.
    """
    # Boxes make M a product over axes: its 1-D factor suffices.
    separable = all(isinstance(side, int) for side, _ in layers)
    axes = 1 if separable else dim
    columns = np.eye(size**axes).reshape((size,) * axes + (-1,))
    gains = []
    for layer in layers:
        columns = _pool(columns, 0, axes, layer)
        one = np.square(columns).sum(axis=tuple(range(axes)))
        gain = one
        for _ in range(dim - axes):
            gain = np.multiply.outer(gain, one)
        gains.append(gain.ravel())
    return gains


def row_sums(layers: list[Layer]) -> FloatArray:
    """What every site of f_k is on an image of ones, shape (len(layers),): 1 for boxes."""
    sums = [1.0 if isinstance(side, int) else math.fsum(side.ravel()) for side, _ in layers]
    return np.asarray(np.cumprod(sums), dtype=np.float64)


def _pool(tensor: FloatArray, first: int, count: int, layer: Layer) -> FloatArray:
    """One layer along `count` axes from number `first` on."""
    side, stride = layer
    if not isinstance(side, int):
        return _weigh(tensor, first, side, stride)
    for axis in range(first, first + count):
        tensor = pool_axis(tensor, axis, side, stride)
    return tensor


def _weigh(tensor: FloatArray, axis: int, weights: FloatArray, stride: int) -> FloatArray:
    """Sum over the sites of each window of their weights: `weights` has one axis for each from `axis` on."""
    size, side = tensor.shape[axis], len(weights)
    starts = window_starts(size, side, stride)
    total: FloatArray | None = None
    for offset, weight in enumerate(weights):
        part = np.take(tensor, (starts + offset) % size, axis=axis)
        part = weight * part if np.ndim(weight) == 0 else _weigh(part, axis + 1, weight, stride)
        total = part if total is None else total + part
    assert total is not None
    return total


def _as_tensor(array: FloatArray, dim: int, axes: int) -> FloatArray:
    size = round(len(array) ** (1 / dim))
    return array.reshape((size,) * axes)
