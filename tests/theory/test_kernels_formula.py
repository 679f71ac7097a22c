"""The formula of the learning curve against kernels whose spectrum is known, and against its own equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scaledetect import Task
from scaledetect.theory.kernels import kernel_learning_curve
from scaledetect.theory.kernels.generalisation import Spectrum, effective_ridge, mean_squared_error, spectrum_of
from scaledetect.theory.kernels.learning_curve import KERNELS, build_kernel
from scaledetect.theory.kernels.population import population_of

IDENTITY: dict[str, Any] = {"length": 0.02}
"""Gaussian kernel so narrow that an image is like itself only: exp(-1250) is zero."""

EQUAL = Task(size=9, xi=3)
"""18 near pairs and 18 far ones."""


@pytest.mark.parametrize("ridge", [0.0, 0.01, 1.0, 30.0])
@pytest.mark.parametrize("n_train", [1, 7, 35])
def test_the_identity_kernel_has_the_error_of_its_one_eigenvalue(n_train: int, ridge: float) -> None:
    """All M eigenvalues are 1/M: a quadratic equation. Ridge 0: the error is 1 - P / M."""
    M = 36
    curve = kernel_learning_curve(EQUAL, "gaussian", n_train=[n_train], ridge=ridge, n_draws=0, **IDENTITY)
    # P kappa (1 + M kappa) = M kappa + ridge (1 + M kappa)
    kappa = max(np.roots([n_train * M, n_train - M - ridge * M, -ridge]))
    L = 1 / (1 + M * kappa)
    expected = 1 - n_train / M if ridge == 0 else n_train / (n_train - M * L**2) * (1 - L) ** 2
    assert curve.rank == M
    assert curve.kappa[0] == pytest.approx(kappa, rel=1e-10)
    assert curve.mse[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("task", "ridge"), [(Task(size=12, xi=4), 0.3), (Task(size=15, xi=5, gap=2), 1.0)])
def test_the_linear_kernel_on_a_ring_has_a_fourier_spectrum_and_learns_nothing(task: Task, ridge: float) -> None:
    """E x x^T is circulant. By translation every pixel is as often active in both classes: no linear function helps."""
    L = task.size
    distance = np.minimum(np.arange(L), L - np.arange(L))
    near, far = (distance > 0) & (distance < task.xi - task.gap / 2), distance >= task.xi + task.gap / 2
    law = near / near.sum() / 2 + far / far.sum() / 2
    # a^2 / N = 1/2, and a pixel is active with probability 2 / L.
    eigenvalues = 0.5 * (2 / L) * (1 + np.fft.fft(law).real)
    P = 10
    low, high = 0.0, 10.0
    for _ in range(200):
        kappa = (low + high) / 2
        if (eigenvalues / (eigenvalues + kappa)).sum() + ridge / kappa > P:
            low = kappa
        else:
            high = kappa
    learnt = eigenvalues / (eigenvalues + kappa)
    curve = kernel_learning_curve(task, "linear", n_train=[P], ridge=ridge, n_draws=0)
    assert curve.mse[0] == pytest.approx(P / (P - (learnt**2).sum()), rel=1e-10)
    assert curve.mse[0] > 1


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 0.01, 1.0, 100.0])
@pytest.mark.parametrize("n_train", [1, 5, 20, 60])
def test_kappa_solves_its_equation(n_train: int, ridge: float) -> None:
    eigenvalues = np.arange(1.0, 65.0) ** -2
    kappa = effective_ridge(eigenvalues, n_train, ridge)
    assert (eigenvalues / (eigenvalues + kappa)).sum() + ridge / kappa == pytest.approx(n_train, rel=1e-12)


def test_kappa_is_zero_where_rows_determine_every_function() -> None:
    eigenvalues = np.array([1.0, 0.1])
    assert effective_ridge(eigenvalues, 2, 0.0) == effective_ridge(eigenvalues, 9, 0.0) == 0
    assert effective_ridge(eigenvalues, 9, 1e-8) == pytest.approx(1e-8 / 7, rel=1e-5)


def test_without_ridge_and_with_rows_enough_only_what_the_kernel_misses_is_left() -> None:
    """Ordinary least squares on r Gaussian features: P / (P - r) of the noise; the peak at P = r is infinite."""
    half = Spectrum(np.array([1.0, 0.5, 0.1]), np.array([0.2, 0.2, 0.1]), outside=0.5)
    assert mean_squared_error(half, 12, 0.0) == pytest.approx(12 / 9 * 0.5, rel=1e-14)
    assert mean_squared_error(half, 3, 0.0) == math.inf
    whole = Spectrum(half.eigenvalues, np.array([0.5, 0.3, 0.2]), outside=0.0)
    assert mean_squared_error(whole, 3, 0.0) == mean_squared_error(whole, 12, 0.0) == 0


def test_a_vanishing_ridge_has_the_limit_that_ridge_zero_says() -> None:
    spectrum = Spectrum(np.arange(1.0, 9.0) ** -2, np.full(8, 0.1), outside=0.2)
    for P in (3, 7, 9, 30):
        small, zero = (mean_squared_error(spectrum, P, ridge) for ridge in (1e-11, 0.0))
        assert small == pytest.approx(zero, rel=1e-6)


def test_a_single_gaussian_feature_is_learnt_as_many_rows_learn_it() -> None:
    """One eigenvalue, P and ridge large in proportion: f = P lambda / (P lambda + ridge) of the target."""
    P, ridge = 10**6, 3e6
    spectrum = Spectrum(np.array([2.0]), np.array([1.0]), outside=0.0)
    assert mean_squared_error(spectrum, P, ridge) == pytest.approx((3 / (2 + 3)) ** 2, rel=1e-5)


@pytest.mark.parametrize("task", [Task(size=12, xi=4), Task(dim=2, size=4, xi=2, labelling="block")])
@pytest.mark.parametrize("name", KERNELS)
def test_the_spectrum_is_that_of_the_class_balanced_measure(name: str, task: Task) -> None:
    """Traces of K and K^2 by sums over images, and the label split without loss between its functions and the rest."""
    population = population_of(task)
    w = population.weights
    assert w[population.y > 0].sum() == pytest.approx(0.5) == w[population.y < 0].sum()
    gram = build_kernel(name, {"depth": 2} if "nngp" in name else {}).gram(population.images)
    spectrum = spectrum_of(gram, population)
    assert spectrum.eigenvalues.sum() == pytest.approx(w @ np.diag(gram), rel=1e-10)
    assert np.square(spectrum.eigenvalues).sum() == pytest.approx(w @ gram**2 @ w, rel=1e-10)
    assert spectrum.power.sum() + spectrum.outside == pytest.approx(1, rel=1e-10)
    wy = w * population.y
    assert spectrum.eigenvalues @ spectrum.power == pytest.approx(wy @ gram @ wy, rel=1e-8, abs=1e-14)


def test_more_rows_than_the_population_has_leave_little() -> None:
    curve = kernel_learning_curve(EQUAL, "nngp", n_train=[10, 100, 1000, 10_000], ridge=0.1, n_draws=0)
    assert (np.diff(curve.mse) < 0).all()
    assert curve.mse[-1] < 1e-3
