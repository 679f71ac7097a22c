"""The class-balanced ensemble of pairs: which pairs are in it, with which weight, and how a pixel moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.move_law import move_pixels, move_probabilities, moves
from scaledetect.task.population import class_sizes
from scaledetect.task.task import Task

__all__ = [
    "class_weights",
    "classify",
    "covariance",
    "degrees",
    "displacement_law",
    "pair_classes",
    "pair_weights",
    "shift_second_moment",
    "transition",
]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def class_weights(task: Task) -> tuple[float, float]:
    """Probability of one unordered near pair and of one unordered far pair, classes 1/2 each."""
    n_near, n_far = class_sizes(task.population)
    return 1 / (2 * n_near), 1 / (2 * n_far)


def classify(task: Task, axes: Sequence[IntArray]) -> tuple[BoolArray, BoolArray]:
    """Near and far, by exact integer comparison, of the displacements whose components (any sign) are `axes`.

    `axes` holds one integer array per dimension; they broadcast. A displacement 0 is neither near nor far. For
    ``labelling="distance"`` only.
    """
    parts = [np.abs(z) for z in axes]
    if task.periodic:
        parts = [np.minimum(z % task.size, -z % task.size) for z in axes]
    near, far = task.near_threshold, task.far_threshold
    total: IntArray
    if task.dim == 1:
        total = 4 * parts[0]
    elif task.norm == "l2":
        total, near, far = sum(16 * z * z for z in parts), near**2, far**2  # type: ignore[assignment]
    elif task.norm == "l1":
        total = sum(4 * z for z in parts)  # type: ignore[assignment]
    else:
        total = 4 * _largest(parts)
    return (total > 0) & (total < near), total >= far


def displacement_law(task: Task) -> FloatArray:
    """Law of q - p over the ring, shape (L, ..., L): half uniform on near displacements, half on far ones.

    For ``labelling="distance"`` with ``periodic=True``; entry z is that of the displacement z modulo L.
    """
    near, far = classify(task, _grid_axes(task.size, task.dim))
    law = np.zeros(near.shape)
    law[near] = 0.5 / np.count_nonzero(near)
    law[far] = 0.5 / np.count_nonzero(far)
    return law


def pair_weights(task: Task) -> FloatArray:
    """W(p, q), shape (N, N): probability that the unordered pair of the image is {p, q}; 0 on the diagonal."""
    near, far = pair_classes(task)
    w_near, w_far = class_weights(task)
    return np.where(near, w_near, np.where(far, w_far, 0.0))


def pair_classes(task: Task) -> tuple[BoolArray, BoolArray]:
    """Whether each ordered pair of sites is near, and whether it is far; each of shape (N, N), both symmetric."""
    near, far = _block_classes(task) if task.labelling == "block" else _distance_classes(task)
    n = task.n_sites
    return near.reshape(n, n), far.reshape(n, n)


def degrees(weights: FloatArray) -> FloatArray:
    """Probability that each pixel is active, shape (N,): the row sums of `pair_weights`. They add up to 2."""
    return np.asarray(weights.sum(axis=1), dtype=np.float64)


def transition(task: Task) -> sparse.csr_array:
    """T(p, p'), shape (N, N), sparse: probability that the shift takes an active pixel from p to p'.

    Periodic tasks wrap; open ones clip at the border, axis by axis; with blocks a move that leaves the block, and with
    it every move that leaves the lattice, is undone as a whole. T is symmetric in all three cases.
    """
    here = np.indices(task.shape).reshape(task.dim, -1).T
    site = np.arange(task.n_sites)
    steps, probability = moves(task.dim), move_probabilities(task.dim)
    there = [np.ravel_multi_index(tuple(move_pixels(here, step, task).T), task.shape) for step in steps]
    entries = (np.repeat(probability, site.size), (np.tile(site, len(steps)), np.concatenate(there)))
    # Moves that end on the same site add up.
    return sparse.coo_array(entries, shape=(site.size, site.size)).tocsr()


def covariance(weights: FloatArray) -> FloatArray:
    """Covariance of the image over a^2, shape (N, N): diag(deg) + W - deg deg^T. Its entries add up to 0."""
    deg = degrees(weights)
    result = weights - np.outer(deg, deg)
    result[np.diag_indices_from(result)] += deg
    return result


def shift_second_moment(weights: FloatArray, shift: sparse.csr_array) -> FloatArray:
    """E[v v^T] / a^2, shape (N, N), of v = tau x - x, with the two pixels moving independently by `shift`."""
    deg = degrees(weights)
    step = sparse.csr_array(shift - sparse.eye_array(deg.size, format="csr"))
    half = np.asarray(step.T @ weights)
    # It is symmetric, so that nothing is lost by leaving it transposed.
    result = np.asarray(step.T @ half.T)
    del half
    flow = sparse.csr_array(sparse.diags_array(deg) @ shift)
    alone = sparse.coo_array(sparse.csr_array(sparse.diags_array(shift.T @ deg + deg) - flow - flow.T))
    result[alone.row, alone.col] += alone.data
    return result


def _largest(parts: Sequence[IntArray]) -> IntArray:
    largest = parts[0]
    for part in parts[1:]:
        largest = np.maximum(largest, part)
    return largest


def _grid_axes(size: int, dim: int) -> list[IntArray]:
    return [np.arange(size).reshape((-1,) + (1,) * (dim - 1 - axis)) for axis in range(dim)]


def _pair_axes(task: Task) -> list[tuple[IntArray, IntArray]]:
    """Coordinates of p and of q per axis, shaped to broadcast over the tensor (p_1 .. p_d, q_1 .. q_d)."""
    axes = _grid_axes(task.size, 2 * task.dim)
    return list(zip(axes[: task.dim], axes[task.dim :], strict=True))


def _distance_classes(task: Task) -> tuple[BoolArray, BoolArray]:
    return classify(task, [p - q for p, q in _pair_axes(task)])


def _block_classes(task: Task) -> tuple[BoolArray, BoolArray]:
    together: BoolArray = np.True_  # type: ignore[assignment]
    same_site: BoolArray = np.True_  # type: ignore[assignment]
    for p, q in _pair_axes(task):
        together = together & (p // task.xi == q // task.xi)
        same_site = same_site & (p == q)
    return together & ~same_site, ~together
