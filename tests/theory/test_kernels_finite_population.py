"""The theory of repeated rows against exact sums, against the formula it contains, and against measurements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scaledetect import Task
from scaledetect.theory.kernels import finite_population, kernel_learning_curve
from scaledetect.theory.kernels.finite_population import repeated_rows_error
from scaledetect.theory.kernels.population import population_of

UNEQUAL = Task(size=12, xi=3)
"""24 near pairs and 42 far ones."""


@pytest.mark.parametrize("ridge", [0.01, 0.5, 20.0])
@pytest.mark.parametrize("n_train", [1, 30, 400])
def test_images_that_do_not_feel_each_other_have_the_exact_binomial_sum(n_train: int, ridge: float) -> None:
    """K diagonal: f = m k / (m k + ridge) of the label, m binomial."""
    weights = population_of(UNEQUAL).weights
    k = np.linspace(0.5, 2, len(weights))
    expected = 0.0
    for w, own in zip(weights, k, strict=True):
        chances = [math.comb(n_train, m) * w**m * (1 - w) ** (n_train - m) for m in range(n_train + 1)]
        expected += w * sum(p * (ridge / (m * own + ridge)) ** 2 for m, p in enumerate(chances))
    y = population_of(UNEQUAL).y
    assert repeated_rows_error(np.diag(k), weights, y, n_train, ridge) == pytest.approx(expected, rel=1e-9)


def test_rows_that_rarely_repeat_have_the_formula_of_gaussian_features() -> None:
    """496 pairs, 4 rows: one draw in eighty repeats a row."""
    curve = kernel_learning_curve(Task(size=32, xi=8), n_train=[4], ridge=3.0, n_draws=0, finite_population=True)
    assert curve.mse_finite[0] == pytest.approx(curve.mse[0], rel=2e-3)


@pytest.mark.parametrize("labelling", ["distance", "block"])
@pytest.mark.parametrize(("kernel", "options"), [("gaussian", {}), ("nngp", {}), ("nngp-pooling", {"depth": 4})])
def test_towards_ridge_0_it_holds_where_the_formula_fails(kernel: str, options: dict[str, Any], labelling: Any) -> None:
    """Ridge 0.01, P = 256 of 496 pairs: within 2 % and four standard errors (Student's t: once in 5000)."""
    task = Task(size=32, xi=8, labelling=labelling)
    curve = kernel_learning_curve(
        task, kernel, n_train=[256], ridge=0.01, n_draws=60, finite_population=True, **options
    )
    off = np.abs([curve.mse_finite[0], curve.mse[0]] - curve.mse_measured[0])
    assert off[0] < 0.02 * curve.mse_measured[0] + 4 * curve.mse_stderr[0]
    assert off[1] > 0.05 * curve.mse_measured[0]


def test_equations_that_do_not_settle_are_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finite_population, "MAX_STEPS", 2)
    with pytest.warns(RuntimeWarning, match="did not settle at n_train=20, ridge=0.1"):
        curve = kernel_learning_curve(UNEQUAL, n_train=[20], ridge=0.1, n_draws=0, finite_population=True)
    assert np.isnan(curve.mse_finite[0])


def test_it_is_computed_only_where_asked_for() -> None:
    assert np.isnan(kernel_learning_curve(UNEQUAL, n_train=[20], ridge=0.1, n_draws=0).mse_finite[0])
