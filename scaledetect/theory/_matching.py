"""The strength of noise that matches the deformation: E|tau x - x|^2 / N in closed form, at any size.

With W the weights of pairs, deg its row sums (2 in all) and T the transition matrix of the shift, which is symmetric,

    E|tau x - x|^2 / a^2 = 4 - 2 sum_p deg(p) T(p, p) + tr(W (T - I)^2).

The first sum is over pixels the shift may leave in place; the trace sees pairs at most two pixels apart on each axis.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.move_law import move_probabilities, moves
from scaledetect.task.population import rank_tables
from scaledetect.task.task import Task, check_task
from scaledetect.theory._ensemble import class_weights, classify

__all__ = ["ensemble_sigma"]

IntArray = NDArray[np.int64]


def ensemble_sigma(task: Task) -> float:
    """Standard deviation per pixel of noise as strong as the deformation: sqrt(E|tau x - x|^2 / N).

    Parameters
    ----------
    task : Task
        Any task; the deformation moves the two active pixels only, whatever the background.

    Returns
    -------
    float
        sigma, in units of pixel values; exact over the class-balanced ensemble of pairs and over the moves.

    Notes
    -----
    SPEC of the task, section 3. Time and memory are O(1), or O(L^(d-1)) for an open ``labelling="distance"``.

    Examples
    --------
    >>> from scaledetect import Task, theory
    >>> round(theory.ensemble_sigma(Task(size=32, xi=8)), 12)
    1.395144641759
    """
    check_task(task)
    if task.labelling == "block":
        lost = _block_loss(task)
    elif task.periodic:
        lost = -task.n_sites * _periodic_overlap(task)
    else:
        lost = 2 * _open_rest(task) - _open_overlap(task)
    return task.pixel_value * math.sqrt((4 - lost) / task.n_sites)


def _steps(dim: int) -> tuple[IntArray, FloatArray]:
    """The moves and the step 0, (3^d, dim), with the entries of T - I away from any boundary, (3^d,)."""
    steps = np.concatenate([np.zeros((1, dim), dtype=np.int64), moves(dim)])
    return steps, np.concatenate([[-1.0], move_probabilities(dim)])


def _weights_at(task: Task, displacements: IntArray) -> FloatArray:
    """W of pairs at the given displacements (n, dim) of a ``distance`` task."""
    near, far = classify(task, list(displacements.T))
    w_near, w_far = class_weights(task)
    return np.asarray(near * w_near + far * w_far)


def _periodic_overlap(task: Task) -> float:
    """tr(W (T - I)^2) / N: sum over two steps of W at their difference."""
    steps, entry = _steps(task.dim)
    difference = (steps[:, None] - steps).reshape(-1, task.dim)
    return float(np.outer(entry, entry).ravel() @ _weights_at(task, difference))


# ---------------------------------------------------------------------- open borders


def _open_overlap(task: Task) -> float:
    """tr(W (T - I)^2) with moves clipped axis by axis: counts of places are products over the axes."""
    steps, entry = _steps(task.dim)
    table = _meetings(task.size)
    total = 0.0
    for displacement in itertools.product(range(-2, 3), repeat=task.dim):
        weight = float(_weights_at(task, np.array([displacement]))[0])
        places = np.ones((len(steps), len(steps)))
        for axis, z in enumerate(displacement):
            places *= table[z + 2][np.ix_(steps[:, axis] + 1, steps[:, axis] + 1)]
        total += weight * float(entry @ places @ entry)
    return total


def _meetings(size: int) -> FloatArray:
    """Number of p on an open axis at which p + z exists and p + m, p + z + n, clipped, coincide.

    Shape (5, 3, 3), indexed by z + 2, m + 1, n + 1.
    """
    place = np.arange(size) if size <= 8 else np.concatenate([np.arange(5), np.arange(size - 4, size)])
    weight = np.ones(place.size)
    weight[4 if size > 8 else 0] += size - place.size
    move = np.arange(-1, 2)
    z, m, n, p = np.ix_(np.arange(-2, 3), move, move, place)
    exists = (p + z >= 0) & (p + z < size)
    meet = np.clip(p + m, 0, size - 1) == np.clip(p + z + n, 0, size - 1)
    return np.asarray((exists & meet) @ weight)


def _open_rest(task: Task) -> float:
    """sum_p deg(p) T(p, p): a sum over displacements, line by line, of the places whose pixel may stay."""
    w_near, w_far = class_weights(task)
    near, far = rank_tables(task.population)
    lines = np.indices((task.size,) * (task.dim - 1)).reshape(task.dim - 1, len(near.edges))  # type: ignore[union-attr]
    first = (lines == 0).all(axis=0).astype(np.int64)
    last = np.full(first.size, task.size - 1)
    near_sum = _resting_places(task, lines, first, np.asarray(near.edges))  # type: ignore[union-attr]
    far_sum = _resting_places(task, lines, np.asarray(far.edges), last)  # type: ignore[union-attr]
    return w_near * near_sum + w_far * far_sum


def _resting_places(task: Task, lines: IntArray, low: IntArray, high: IntArray) -> float:
    """Sum of T(p, p) over p and q = p + z, z of components +-`lines` and, in size, low .. high last."""
    edge, inner = _line_places(task.size, low, high)
    axes = [_places(task.size, sizes) for sizes in lines] + [(edge, inner)]
    stay = _stay_probabilities(task.dim)
    total = 0.0
    for at_edge in itertools.product((False, True), repeat=task.dim):
        places = np.ones(low.size)
        for (edge, inner), flag in zip(axes, at_edge, strict=True):
            places = places * (edge if flag else inner)
        total += stay[sum(at_edge)] * float(places.sum())
    return total


def _places(size: int, z: IntArray) -> tuple[FloatArray, FloatArray]:
    """Number of p with p +- z on the axis, over both signs of z: at its two ends, and between them."""
    edge = np.full(z.shape, 2.0)
    return edge, np.where(z == 0, size - 2.0, 2.0 * (size - z - 1))


def _line_places(size: int, low: IntArray, high: IntArray) -> tuple[FloatArray, FloatArray]:
    """`_places` summed over z = low .. high; nothing where high < low."""
    count = np.maximum(high - low + 1, 0).astype(np.float64)
    has_zero = (low == 0) & (count > 0)
    inner = count * (2.0 * (size - 1) - low - high)
    return 2 * count, inner - np.where(has_zero, float(size), 0.0)


def _stay_probabilities(dim: int) -> list[float]:
    """T(p, p) of a pixel at the end of j axes, j = 0 .. d: its move is outward on some of them, and 0 elsewhere."""
    step, probability = moves(dim), move_probabilities(dim)
    at_end = [np.arange(dim) < j for j in range(dim + 1)]
    return [float(probability[((step >= 0) & (step <= ends)).all(axis=1)].sum()) for ends in at_end]


# ---------------------------------------------------------------------- blocks


def _block_loss(task: Task) -> float:
    """2 sum_p deg(p) T(p, p) - tr(W (T - I)^2); W is constant on blocks and T - I has no row sums, but for p = q."""
    w_near, w_far = class_weights(task)
    whole, rest = divmod(task.size, int(task.xi))
    sides = [(int(task.xi), whole)] + ([(rest, 1)] if rest else [])
    lost = 0.0
    for block in itertools.product(sides, repeat=task.dim):
        shape = np.array([side for side, _ in block])
        volume = math.prod(side for side, _ in block)
        degree = w_near * (volume - 1) + w_far * (task.n_sites - volume)
        rest_sum, square = _block_sums(shape)
        lost += math.prod(count for _, count in block) * (2 * degree * rest_sum + w_near * square)
    return lost


def _block_sums(shape: IntArray) -> tuple[float, float]:
    """Trace of T, and sum of the squared entries of T - I, over one block of the given shape."""
    step, probability = moves(shape.size), move_probabilities(shape.size)
    places = np.maximum(shape - np.abs(step), 0).prod(axis=1).astype(np.float64)
    low = np.minimum(np.minimum(step[:, None], step), 0)
    high = np.maximum(np.maximum(step[:, None], step), 0)
    both = np.maximum(shape - (high - low), 0).prod(axis=-1).astype(np.float64)
    leaving = float(probability @ both @ probability)
    return float(shape.prod() - probability @ places), leaving + float(probability**2 @ places)
