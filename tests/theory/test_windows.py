"""Windows that overlap under signed noise: sums by prefix sums equal the sums over every pair of pixels."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from scaledetect import Task, theory
from scaledetect.task.task import Labelling
from scaledetect.theory._ensemble import displacement_law, pair_weights
from scaledetect.theory._windows import FirstLayer, local_corrections, stationary_corrections

FloatArray = NDArray[np.float64]

CASES = [
    # (task, filter side, stride): few and many sites to a window, windows that meet once or twice round the ring
    (Task(size=40, xi=9), 3, 1),
    (Task(size=24, xi=7, gap=3, periodic=False), 4, 2),
    (Task(size=15, xi=4), 9, 1),
    (Task(size=15, xi=4, labelling="block"), 15, 2),
    (Task(size=10, xi=3.5, gap=1), 10, 1),
    (Task(dim=2, size=9, xi=3), 2, 1),
    (Task(dim=2, size=7, xi=3, periodic=False), 3, 2),
    (Task(dim=2, size=6, xi=2.5, norm="l1"), 4, 1),
    (Task(dim=2, size=6, xi=2.5, norm="linf", periodic=False), 5, 1),
    (Task(dim=2, size=6, xi=4, labelling="block"), 6, 1),
    (Task(dim=3, size=4, xi=2), 2, 1),
    (Task(dim=3, size=4, xi=2.5, norm="l1"), 3, 2),
]


def window_members(task: Task, filter_size: int, stride: int) -> NDArray[np.bool_]:
    """Which window of layer 1, in row-major order, holds which site: shape (n, N)."""
    one = np.zeros((-(-task.size // stride), task.size), dtype=bool)
    for row, centre in zip(one, range(0, task.size, stride), strict=True):
        row[[(centre - (filter_size - 1) // 2 + t) % task.size for t in range(filter_size)]] = True
    members = one
    for _ in range(task.dim - 1):
        members = np.kron(members, one)
    return members


def sums_over_every_pair(layer: FirstLayer, members: NDArray[np.bool_], weights: FloatArray) -> tuple[FloatArray, ...]:
    """local(i, j) and P[u_i = 2], one pair of pixels after the other: quadratic in the sites of a window, and slow."""
    p, q = np.triu_indices(len(weights), 1)
    probability = weights[p, q]
    level = members[:, p].astype(int) + members[:, q]
    shared = members.astype(int) @ members.T
    distinct, index = np.unique(shared, return_inverse=True)
    values = layer.pair_values(distinct)[index.reshape(shared.shape)]
    local = np.zeros(shared.shape)
    for i, j in np.argwhere(shared > 0):
        local[i, j] = probability @ values[i, j][level[i], level[j]]
    return local, (level == 2) @ probability


@pytest.mark.parametrize(("task", "filter_size", "stride"), CASES)
def test_corrections_equal_the_sum_over_every_pair_of_pixels(task: Task, filter_size: int, stride: int) -> None:
    layer = FirstLayer.of(task, filter_size, stride, sigma=1.3 * task.pixel_value / filter_size**task.dim)
    weights = pair_weights(task)
    expected, both = sums_over_every_pair(layer, window_members(task, filter_size, stride), weights)
    found, found_both = local_corrections(layer, weights)
    # Some 100 additions of probabilities: rounding stays below 1e-13 of the largest entry.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(found_both, both, rtol=0, atol=1e-12)
    if task.periodic and task.labelling == "distance":
        local, two = stationary_corrections(layer, displacement_law(task))
        assert two == pytest.approx(both[0], abs=1e-12)
        first = expected[0].reshape((-(-task.size // stride),) * task.dim)
        held = first if task.size % stride == 0 else first[(slice(1),) * task.dim]
        np.testing.assert_allclose(local, held, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("filter_size", [15, 27])
@pytest.mark.parametrize("labelling", ["distance", "block"])
def test_wide_windows_in_two_dimensions_take_a_second(labelling: Labelling, filter_size: int) -> None:
    task = Task(dim=2, size=28, xi=14, labelling=labelling, periodic=False)
    start = time.thread_time()
    theory.sensitivities(task, filter_size=filter_size, stride=1, depth=1)
    # Processor time of this thread: about 0.5 s; a sum over pairs of sites took minutes.
    assert time.thread_time() - start < 5
