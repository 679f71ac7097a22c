"""The public face of kernel learning curves: what comes back, and what is refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import scaledetect as sd
from scaledetect.theory.kernels import population
from scaledetect.theory.kernels.pooling_kernels import PoolingMeanKernel

TASK = sd.Task(size=12, xi=3)


def curve(kernel: str = "linear", **options: Any) -> sd.theory.KernelLearningCurve:
    arguments: dict[str, Any] = {"n_train": [4, 30], "ridge": 0.5, "n_draws": 4} | options
    return sd.theory.kernel_learning_curve(TASK, kernel, **arguments)


def test_the_result_is_frozen_and_says_what_it_is_of() -> None:
    found = curve("nngp-pooling", depth=2, seed=5)
    assert (found.task, found.kernel, found.ridge, found.n_draws, found.seed) == (TASK, "nngp-pooling", 0.5, 4, 5)
    assert dict(found.options) == {"filter_size": 2, "stride": 2, "depth": 2, "gain": "critical"}
    assert (found.n_pairs, len(found)) == (66, 2)
    assert "nngp-pooling, ridge=0.5, 2 points, n_draws=4" in repr(found)
    with pytest.raises(FrozenInstanceError):
        found.ridge = 1.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        found.mse[0] = 1.0
    with pytest.raises(TypeError):
        found.options["depth"] = 3  # type: ignore[index]


def test_the_frame_has_a_row_for_each_number_of_rows() -> None:
    found = curve()
    frame = found.to_frame()
    assert list(frame.columns) == [
        "n_train",
        "mse",
        "mse_finite",
        "mse_measured",
        "mse_stderr",
        "error",
        "error_stderr",
    ]
    for name in frame.columns:
        np.testing.assert_array_equal(frame[name], getattr(found, name))


def test_the_same_arguments_give_the_same_numbers_and_other_points_change_none() -> None:
    one, same, fewer, other = curve(), curve(), curve(n_train=[30]), curve(seed=1)
    for name in ("mse", "mse_measured", "mse_stderr", "error", "error_stderr"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert getattr(one, name)[1] == getattr(fewer, name)[0]
    assert (one.mse_measured != other.mse_measured).all()
    np.testing.assert_array_equal(one.mse, other.mse)


def test_without_draws_there_is_the_formula_alone() -> None:
    found = curve(n_draws=0)
    np.testing.assert_array_equal(found.mse, curve().mse)
    assert all(np.isnan(getattr(found, name)).all() for name in ("mse_measured", "mse_stderr", "error", "error_stderr"))
    assert "not measured" in repr(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "rbf"}, "kernel='rbf': choose one of 'linear', 'gaussian', 'nngp', 'nngp-pooling', "),
        ({"length": 2.0}, "length=2.0: kernel='linear' takes no such option; it takes none"),
        ({"kernel": "nngp", "stride": 2}, "stride=2: kernel='nngp' takes no such option; it takes depth"),
        ({"kernel": "gaussian", "length": 0}, "length=0: must be positive and finite"),
        ({"kernel": "nngp", "depth": 0}, "depth=0: must be at least 1"),
        ({"kernel": "nngp-pooling", "depth": 0}, "depth=0: must be at least 1"),
        ({"kernel": "nngp-pooling", "gain": "large"}, "gain='large': choose one of 'critical', 'paper'"),
        ({"kernel": "nngp-pooling", "stride": (2, 2), "depth": 3}, "stride=.*one per layer"),
        ({"kernel": "nngp-pooling-mean", "filter_size": 0}, "filter_size=0: must be an integer of at least 1"),
        ({"n_train": []}, r"n_train=\[\]: must hold at least one"),
        ({"n_train": [5, 0]}, "n_train=0: must be from 1 to 1000000 rows"),
        ({"n_train": [10**7]}, "n_train=10000000: must be from 1 to 1000000 rows"),
        ({"ridge": -1.0}, "ridge=-1.0: must be finite and not negative"),
        ({"ridge": float("nan")}, "ridge=nan: must be finite"),
        ({"ridge": 1e-13}, "ridge=1e-13: is lost to the rounding of the kernel; take 0, or at least 3e-11"),
        ({"n_draws": 1}, "n_draws=1: must be at least 2, for a standard error, or 0"),
        ({"seed": -1}, "seed=-1"),
        ({"finite_population": True, "ridge": 0.0}, "finite_population=True: needs a ridge above 0; take a small one"),
    ],
)
def test_what_is_out_of_range_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        curve(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_train": 64}, r"n_train=64: must be a sequence of integers; write \[64\]"),
        ({"n_train": [2.5]}, "n_train=2.5: must be a sequence of integers"),
        ({"ridge": "1"}, "ridge='1': must be a number"),
        ({"n_draws": 2.0}, "n_draws=2.0: must be an integer"),
        ({"finite_population": 1}, "finite_population=1: must be True or False"),
        ({"kernel": "nngp", "depth": 1.5}, "depth=1.5: must be an integer"),
        ({"kernel": "nngp-pooling", "depth": 1.5}, "depth=1.5: must be an integer"),
        ({"kernel": "gaussian", "length": "1"}, "length='1': must be a positive number"),
    ],
)
def test_what_is_of_another_type_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        curve(**options)


def test_tasks_too_large_or_with_noise_are_refused() -> None:
    for task, message in (
        (sd.Task(size=101, xi=8), "size=101: the task has 5050 pairs, .* at most 5000 .*; lower size"),
        (sd.Task(size=12, xi=3, background_noise=0.1), "background_noise=0.1: .* infinite"),
    ):
        with pytest.raises(ValueError, match=message):
            sd.theory.kernel_learning_curve(task, n_train=[4])
    assert population.population_of(sd.Task(size=100, xi=8)).images.shape == (4950, 100)


def test_a_kernel_between_too_many_sites_is_refused() -> None:
    """5000 images of 10 x 10 pixels, six layers without stride: 750 thousand million pairs of sites."""
    with pytest.raises(ValueError, match=r"nngp-pooling-mean.*7\.5e\+11 pairs of sites.*'nngp-pooling'"):
        PoolingMeanKernel(filter_size=3, stride=1).gram(np.ones((5000, 10, 10)))
