"""Kernel ridge regression on random rows: the rows, the solution, its scores, and the formula beside them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scaledetect import Task
from scaledetect.theory.kernels import kernel_learning_curve
from scaledetect.theory.kernels.learning_curve import build_kernel
from scaledetect.theory.kernels.population import population_of
from scaledetect.theory.kernels.ridge_regression import draw_rows, fit_and_predict, score_draws

IDENTITY: dict[str, Any] = {"length": 0.02}
UNEQUAL = Task(size=12, xi=3)
"""24 near pairs and 42 far ones."""


def test_rows_are_drawn_with_their_weights() -> None:
    """How often each image is drawn, a chi-squared of 65 degrees of freedom: above 120 once in 30,000."""
    population = population_of(UNEQUAL)
    n = 20_000
    counts = np.bincount(draw_rows(population, n, seed=3, draw=0), minlength=len(population.y))
    expected = n * population.weights
    assert ((counts - expected) ** 2 / expected).sum() < 120


def test_classes_are_drawn_and_rows_are_not_dealt_in_equal_number() -> None:
    population = population_of(UNEQUAL)
    near = np.array([(population.y[draw_rows(population, 20, seed=0, draw=j)] > 0).sum() for j in range(400)])
    # Binomial of mean 10 and variance 5: five standard errors of each.
    assert near.mean() == pytest.approx(10, abs=5 * math.sqrt(5 / 400))
    assert near.var() == pytest.approx(5, abs=5 * 5 * math.sqrt(2 / 400))


def test_a_smaller_draw_is_the_beginning_of_a_larger_one_and_draws_and_seeds_differ() -> None:
    population = population_of(UNEQUAL)
    long = draw_rows(population, 50, seed=1, draw=2)
    np.testing.assert_array_equal(draw_rows(population, 13, seed=1, draw=2), long[:13])
    for other in (draw_rows(population, 50, seed=2, draw=2), draw_rows(population, 50, seed=1, draw=3)):
        assert (other != long).any()


def test_rows_are_the_same_on_every_machine() -> None:
    rows = draw_rows(population_of(UNEQUAL), 8, seed=0, draw=1)
    assert rows.tolist() == ROWS


ROWS = [6, 2, 51, 26, 22, 51, 34, 11]


@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_rows_that_repeat_count_as_often_as_they_do(ridge: float) -> None:
    """The system of all P rows, repeated ones too, solved as it stands."""
    population = population_of(UNEQUAL)
    gram = build_kernel("nngp-pooling", {"depth": 3}).gram(population.images)
    rows = draw_rows(population, 60, seed=0, draw=0)
    assert len(set(rows.tolist())) < 60
    alpha = np.linalg.solve(gram[np.ix_(rows, rows)] + ridge * np.eye(60), population.y[rows])
    np.testing.assert_allclose(fit_and_predict(gram, population.y, rows, ridge), gram[:, rows] @ alpha, atol=1e-9)


def test_without_ridge_the_rows_are_fitted() -> None:
    population = population_of(UNEQUAL)
    gram = build_kernel("nngp", {}).gram(population.images)
    rows = draw_rows(population, 40, seed=0, draw=0)
    f = fit_and_predict(gram, population.y, rows, 0.0)
    np.testing.assert_allclose(f[rows], population.y[rows], atol=1e-9)
    np.testing.assert_allclose(f, fit_and_predict(gram, population.y, rows, 1e-9), atol=1e-5)


def test_without_ridge_a_kernel_of_low_rank_gives_the_fit_of_least_squares() -> None:
    """Twelve pixels and forty rows: least squares on the pixels themselves, by another routine."""
    population = population_of(UNEQUAL)
    gram = build_kernel("linear", {}).gram(population.images)
    pixels = population.images
    for n in (8, 40):
        rows = draw_rows(population, n, seed=0, draw=0)
        weights = np.linalg.lstsq(pixels[rows], population.y[rows])[0]
        f = fit_and_predict(gram, population.y, rows, 0.0)
        np.testing.assert_allclose(f, pixels @ weights, atol=1e-9)


def test_images_alike_to_the_kernel_with_other_labels_are_fitted_by_their_mean() -> None:
    gram, y = np.ones((4, 4)), np.array([1.0, 1.0, -1.0, 1.0])
    np.testing.assert_allclose(fit_and_predict(gram, y, np.array([0, 2, 2, 1, 2]), 0.0), -0.2, atol=1e-12)


def test_scores_are_those_of_the_predictions_with_the_weights_of_the_measure() -> None:
    population = population_of(UNEQUAL)
    gram = build_kernel("gaussian", {}).gram(population.images)
    scores = score_draws(population, gram, n_train=20, ridge=0.5, n_draws=3, seed=7)
    rows = draw_rows(population, 20, seed=7, draw=2)
    f, near = fit_and_predict(gram, population.y, rows, 0.5), population.y > 0
    mse = (((f - 1) ** 2)[near].mean() + ((f + 1) ** 2)[~near].mean()) / 2
    error = ((f < 0)[near].mean() + (f > 0)[~near].mean()) / 2
    assert scores.mse[2] == pytest.approx(mse, rel=1e-12)
    assert scores.error[2] == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_identity_kernel_remembers_rows_and_knows_nothing_else(ridge: float) -> None:
    """An image drawn m times has f = m / (m + ridge) of its label; one that was not has 0, wrong half of the time.

    P = 30 rows, exact binomial sums; 300 draws, each number within five of its standard errors.
    """
    P, n_draws = 30, 300
    curve = kernel_learning_curve(UNEQUAL, "gaussian", n_train=[P], ridge=ridge, n_draws=n_draws, **IDENTITY)
    mse = error = 0.0
    for w in population_of(UNEQUAL).weights:
        chances = [math.comb(P, m) * w**m * (1 - w) ** (P - m) for m in range(P + 1)]
        mse += w * (chances[0] + sum(chances[m] * (ridge / (m + ridge)) ** 2 for m in range(1, P + 1)))
        error += w * chances[0] / 2
    assert abs(curve.mse_measured[0] - mse) < 5 * curve.mse_stderr[0]
    assert abs(curve.error[0] - error) < 5 * curve.error_stderr[0]


CURVES: list[tuple[str, dict[str, Any]]] = [
    ("linear", {}),
    ("gaussian", {"length": 0.7}),
    ("nngp", {"depth": 2}),
    ("nngp-pooling", {"depth": 4}),
    ("nngp-pooling-mean", {"filter_size": (4, 2), "stride": (4, 2), "depth": 2}),
]


@pytest.mark.parametrize("labelling", ["distance", "block"])
@pytest.mark.parametrize(("kernel", "options"), CURVES)
def test_with_ridge_1_the_formula_is_within_two_per_cent(kernel: str, options: dict[str, Any], labelling: Any) -> None:
    """496 pairs; the formula may be 2 % off, and the measurement four standard errors (Student's t: once in 5000)."""
    task = Task(size=32, xi=8, labelling=labelling)
    curve = kernel_learning_curve(task, kernel, n_train=[32, 256], ridge=1.0, n_draws=60, **options)
    assert (np.abs(curve.mse - curve.mse_measured) < 0.02 * curve.mse_measured + 4 * curve.mse_stderr).all()
    # Without an error that is small against one there would be nothing to compare.
    assert (curve.mse_stderr < 0.012).all()


def test_towards_ridge_0_the_formula_fails_since_rows_repeat() -> None:
    """The pooling kernel on blocks: it promises far less than is measured."""
    task = Task(size=32, xi=8, labelling="block")
    curve = kernel_learning_curve(task, "nngp-pooling", n_train=[256], ridge=0.01, n_draws=20, depth=4)
    assert curve.mse[0] + 5 * curve.mse_stderr[0] < 0.75 * curve.mse_measured[0]
