"""Shifts and noise of two-pixel images: their distribution, their borders, and that batches do not matter."""

from __future__ import annotations

import math
from typing import Any

import naive
import numpy as np
import pytest
from helpers.specs import MEDIUM, SMALL, as_tuples, over, task_of
from numpy.typing import NDArray
from scipy import stats

from scaledetect import Task, noise_images, render_pairs, sample_pairs, shift_pairs
from scaledetect.perturbations.move_law import move_probabilities, moves

FLOOR = 1e-6
# SPEC, section 3: by the number of axes a move goes along.
PROBABILITIES = {
    1: (1 / 2,),
    2: (1 / 6, 1 / 12),
    3: (0.0877398280459, 0.0372601719541, 0.0033048710344),
}


def everywhere(p: Any, n: int, task: Task) -> NDArray[np.int64]:
    """Both pixels of n pairs at one place."""
    return np.broadcast_to(np.array(p, dtype=np.int64), (n, 2, task.dim)).copy()


# ---------------------------------------------------------------------- the moves


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_move_probabilities(dim: int) -> None:
    steps, probabilities = moves(dim), move_probabilities(dim)
    assert steps.shape == (3**dim - 1, dim)
    assert [tuple(m) for m in steps.tolist()] == [m for m, _ in naive.move_table(dim)]
    axes = np.abs(steps).sum(axis=1)
    np.testing.assert_allclose(probabilities, [PROBABILITIES[dim][k - 1] for k in axes], rtol=0, atol=5e-14)
    assert probabilities.sum() == pytest.approx(1, abs=1e-14)
    assert (probabilities @ axes) == pytest.approx({1: 1, 2: 4 / 3, 3: 3 / 2}[dim], abs=1e-14)


@pytest.mark.parametrize("dim", [2, 3])
def test_moves_are_rounded_unit_vectors(dim: int) -> None:
    vectors = np.random.default_rng(0).standard_normal((200_000, dim))
    steps = np.rint(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    index = {m: i for i, (m, _) in enumerate(naive.move_table(dim))}
    counts = np.bincount([index[m] for m in map(tuple, steps.astype(int).tolist())], minlength=3**dim - 1)
    assert stats.chisquare(counts, move_probabilities(dim) * len(vectors)).pvalue > FLOOR


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_sampled_moves(dim: int, periodic: bool) -> None:
    task = Task(dim=dim, size=9, xi=3, periodic=periodic)
    n, center = 60_000, (4,) * dim
    steps = shift_pairs(everywhere(center, n, task), None, task, seed=1) - 4
    index = {m: i for i, (m, _) in enumerate(naive.move_table(dim))}
    first, second = ([index[m] for m in map(tuple, steps[:, k].tolist())] for k in (0, 1))
    probabilities = move_probabilities(dim)
    for found in (first, second):
        counts = np.bincount(found, minlength=len(probabilities))
        assert stats.chisquare(counts, probabilities * n).pvalue > FLOOR
    # Independent: the joint counts, cells with few of them put together.
    joint = np.zeros((len(probabilities),) * 2)
    np.add.at(joint, (first, second), 1)
    expected = np.outer(probabilities, probabilities) * n
    small = expected < 10
    observed, wanted = joint[~small], expected[~small]
    if small.any():
        observed, wanted = np.append(observed, joint[small].sum()), np.append(wanted, expected[small].sum())
    assert stats.chisquare(observed, wanted).pvalue > FLOOR


@over(SMALL + MEDIUM)
def test_shifts_are_those_of_the_document(spec: naive.Spec) -> None:
    task = task_of(spec)
    pairs, y = sample_pairs(task, 12, replace=True)
    moved = shift_pairs(pairs, y, task, seed=3, start=5)
    assert as_tuples(moved) == [naive.shift(pair, j + 5, task=spec, seed=3) for j, pair in enumerate(as_tuples(pairs))]


# ---------------------------------------------------------------------- borders


def test_periodic_wraps() -> None:
    task = Task(dim=2, size=7, xi=2)
    moved = shift_pairs(everywhere((0, 6), 2000, task), None, task)
    assert set(moved[..., 0].ravel()) == {6, 0, 1}
    assert set(moved[..., 1].ravel()) == {5, 6, 0}
    assert not (moved == (0, 6)).all(axis=2).any()


def test_open_clips_each_axis() -> None:
    task = Task(dim=2, size=7, xi=2, periodic=False)
    moved = shift_pairs(everywhere((0, 3), 40_000, task), None, task).reshape(-1, 2)
    assert set(moved[:, 0]) == {0, 1}
    assert set(moved[:, 1]) == {2, 3, 4}
    # A move out of the lattice along axis 1 goes nowhere, and a diagonal one becomes a move along the border.
    cells, counts = np.unique(moved, axis=0, return_counts=True)
    expected = {(0, 2): 3 / 12, (0, 3): 1 / 6, (0, 4): 3 / 12, (1, 2): 1 / 12, (1, 3): 1 / 6, (1, 4): 1 / 12}
    assert [tuple(c) for c in cells.tolist()] == list(expected)
    assert stats.chisquare(counts, np.array(list(expected.values())) * len(moved)).pvalue > FLOOR


def test_moves_out_of_a_block_are_undone_as_a_whole() -> None:
    # Blocks of side 3 on a lattice of side 7: the last has side 1. Of an edge three neighbours lie outside, 1/3 of the
    # moves, and of a corner five.
    task = Task(dim=2, size=7, xi=3, labelling="block")
    undone = {(1, 1): 0, (2, 1): 1 / 6 + 2 / 12, (0, 0): 2 / 6 + 3 / 12, (5, 3): 2 / 6 + 3 / 12, (6, 6): 1}
    for p, share in undone.items():
        moved = shift_pairs(everywhere(p, 20_000, task), None, task).reshape(-1, 2)
        assert (moved // 3 == np.array(p) // 3).all()
        assert ((moved >= 0) & (moved < 7)).all()
        stayed = (moved == p).all(axis=1).mean()
        assert abs(stayed - share) <= 5 * math.sqrt(share * (1 - share) / 40_000)


def test_shifts_of_blocks_keep_the_label() -> None:
    task = Task(dim=3, size=7, xi=3, labelling="block")
    pairs, y = sample_pairs(task, 5000)
    moved = shift_pairs(pairs, y, task)
    near = (moved[:, 0] // 3 == moved[:, 1] // 3).all(axis=1)
    assert (near == (y == 1)).all()


def test_pixels_that_meet_add_up() -> None:
    task = Task(dim=1, size=9, xi=3)
    pairs = np.tile(np.array([[[3], [5]]]), (400, 1, 1))
    moved = shift_pairs(pairs, None, task)
    meet = moved[:, 0, 0] == moved[:, 1, 0]
    assert abs(meet.mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 400)
    images = render_pairs(moved, task, dtype="float64")
    assert (images.sum(axis=(1, 2)) == 2 * task.pixel_value).all()
    assert (images[meet].max(axis=(1, 2)) == 2 * task.pixel_value).all()


# ---------------------------------------------------------------------- counter-based


def test_shifts_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(dim=2, size=28, xi=14, gap=2, periodic=False)
    pairs, y = sample_pairs(task, 70_000)
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "1")
    whole = shift_pairs(pairs, y, task, seed=2)
    for threads, start, stop in (("1", 0, 1), ("2", 100, 101), ("3", 0, 70_000), ("2", 33_333, 70_000)):
        monkeypatch.setenv("SCALEDETECT_NUM_THREADS", threads)
        part = shift_pairs(pairs[start:stop], y[start:stop], task, seed=2, start=start)
        assert (part == whole[start:stop]).all()
    assert (shift_pairs(pairs, y, task, seed=3) != whole).any()


def test_labels_do_not_enter() -> None:
    task = Task(dim=1, size=32, xi=8)
    pairs, y = sample_pairs(task, 10)
    assert (shift_pairs(pairs, y, task) == shift_pairs(pairs, None, task)).all()
    assert (pairs == sample_pairs(task, 10)[0]).all()


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_noise_does_not_depend_on_the_batch(dim: int, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(dim=dim, size=9, xi=3)
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "1")
    whole = noise_images(task, 300, seed=4, dtype=dtype)
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", "3")
    assert (noise_images(task, 300, seed=4, dtype=dtype) == whole).all()
    for start, n in ((0, 1), (7, 13), (299, 1), (5, 0)):
        assert (noise_images(task, n, seed=4, start=start, dtype=dtype) == whole[start : start + n]).all()
    assert whole.shape == (300, 1, *task.shape)
    assert whole.dtype == dtype


def test_threads_do_not_matter_for_much_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(dim=2, size=28, xi=14)
    found = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("SCALEDETECT_NUM_THREADS", threads)
        found.append(noise_images(task, 500).tobytes())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("size", [5, 6, 7, 8])
def test_noise_is_that_of_the_document(size: int) -> None:
    spec = naive.Spec(1, size, 4)
    expected = [naive.normals(spec, j, naive.key(spec, 8, None, "noise"), 1.0) for j in range(100, 110)]
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-6)):
        found = noise_images(task_of(spec), 10, seed=8, start=100, dtype=dtype).reshape(10, size)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def test_noise_is_standard_normal_and_white() -> None:
    noise = noise_images(Task(dim=2, size=10, xi=4), 2000, dtype="float64").reshape(2000, 100)
    n = noise.size
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((noise**power).mean() - moment) < 5 * math.sqrt(variance / n)
    assert stats.kstest(noise.ravel(), "norm").pvalue > FLOOR
    for left, right in ((noise[:, 1:], noise[:, :-1]), (noise[1:], noise[:-1]), (noise[:, ::2], noise[:, 1::2])):
        assert abs((left * right).sum()) < 5 * math.sqrt(left.size)
        assert abs(((left**2 - 1) * (right**2 - 1)).sum()) < 5 * 2 * math.sqrt(left.size)


def test_noise_float32_is_float64_rounded() -> None:
    task = Task(dim=1, size=50, xi=10)
    assert (noise_images(task, 20) == noise_images(task, 20, dtype="float64").astype("float32")).all()


# ---------------------------------------------------------------------- bad input

TASK = Task(dim=1, size=32, xi=8)
PAIRS, LABELS = sample_pairs(TASK, 4)


@pytest.mark.parametrize(
    ("pairs", "options", "error", "message"),
    [
        (PAIRS, {"seed": -1}, ValueError, "seed=-1: must be an integer from 0"),
        (PAIRS, {"seed": 1.0}, TypeError, "seed=1.0: must be an integer"),
        (PAIRS, {"start": -1}, ValueError, "start=-1: must be from 0"),
        (PAIRS, {"start": 0.0}, TypeError, "start=0.0: must be an integer"),
        (PAIRS, {"start": 2**64 - 4}, ValueError, r"start \+ n=18446744073709551616: must be from 0"),
        (PAIRS + 40, {}, ValueError, "pairs='values from .*: must be from 0 to 31"),
        (PAIRS.astype(np.int32), {}, ValueError, r"pairs='int32 array of shape \(4, 2, 1\)': must be int64"),
        (PAIRS[..., 0], {}, ValueError, r"must be int64, \(n, 2, 1\)"),
    ],
)
def test_bad_shift(pairs: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        shift_pairs(pairs, LABELS, TASK, **options)


@pytest.mark.parametrize(
    ("n", "options", "error", "message"),
    [
        (-1, {}, ValueError, "n=-1: must be from 0"),
        (1.0, {}, TypeError, "n=1.0: must be an integer"),
        (1, {"seed": -1}, ValueError, "seed=-1: must be an integer from 0"),
        (1, {"start": -1}, ValueError, "start=-1: must be from 0"),
        (1, {"start": 2**62}, ValueError, "start=.*: noise on 32 pixels is defined for fewer samples"),
        (1, {"dtype": "int8"}, TypeError, "dtype='int8': must be 'float32' or 'float64'"),
    ],
)
def test_bad_noise(n: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        noise_images(TASK, n, **options)
