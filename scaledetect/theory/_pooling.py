"""Pooling of dense tensors, axis by axis, as the constant-filter net does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect.results import Pooling

__all__ = ["layer_parameters", "pool_axis", "pooled_gains", "pooled_traces", "pooled_vectors", "window_starts"]

FloatArray = NDArray[np.float64]


def layer_parameters(pooling: Pooling, first: int = 0) -> list[tuple[int, int]]:
    """(filter side, stride) of the layers from number `first` (counted from 0) on."""
    return list(zip(pooling.filter_size, pooling.stride, strict=True))[first:]


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


def pooled_traces(matrix: FloatArray, dim: int, layers: list[tuple[int, int]]) -> FloatArray:
    """tr(M_k E M_k^T) after each of `layers`, shape (len(layers),), for the matrix E of a cubic lattice.

    E is pooled as a tensor with `dim` row axes and `dim` column axes: M is never built.
    """
    tensor = _as_tensor(matrix, dim, 2 * dim)
    # Two arrays of this size at a time are enough.
    del matrix
    traces = []
    for filter_size, stride in layers:
        for axis in range(2 * dim):
            tensor = pool_axis(tensor, axis, filter_size, stride)
        traces.append(np.trace(tensor.reshape((tensor.shape[0] ** dim,) * 2)))
    return np.array(traces)


def pooled_vectors(vector: FloatArray, dim: int, layers: list[tuple[int, int]]) -> list[FloatArray]:
    """M_k v after each of `layers`, as flat arrays."""
    tensor = _as_tensor(vector, dim, dim)
    vectors = []
    for filter_size, stride in layers:
        for axis in range(dim):
            tensor = pool_axis(tensor, axis, filter_size, stride)
        vectors.append(tensor.ravel())
    return vectors


def pooled_gains(size: int, dim: int, layers: list[tuple[int, int]]) -> list[FloatArray]:
    """Squared norm of the column of M_k of each input site, flat, shape (size^dim,), after each of `layers`.

    It is what independent noise on that site adds to |f_k|^2; M is a product over axes, so its 1-D factor suffices.
    """
    factor = np.eye(size)
    gains = []
    for filter_size, stride in layers:
        factor = pool_axis(factor, 0, filter_size, stride)
        one = np.einsum("ip,ip->p", factor, factor)
        gain = one
        for _ in range(dim - 1):
            gain = np.multiply.outer(gain, one)
        gains.append(gain.ravel())
    return gains


def _as_tensor(array: FloatArray, dim: int, axes: int) -> FloatArray:
    size = round(len(array) ** (1 / dim))
    return array.reshape((size,) * axes)
