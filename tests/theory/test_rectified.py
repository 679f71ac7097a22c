"""Moments of rectified Gaussians against quadrature of their definition, and signed noise against Monte Carlo."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import dblquad, quad

from scaledetect import Noise, Task, theory
from scaledetect.theory._windows import excess_mean, excess_second_moment, rectified_covariance, rectified_variance

LEVELS = [0.0, 0.3, 1.1, 2.5, 6.0]


def density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


@pytest.mark.parametrize("h", LEVELS)
def test_excess_moments_equal_quadrature(h: float) -> None:
    def moment(power: int) -> float:
        kink = -h
        parts = [quad(lambda z: (max(h + z, 0) - h) ** power * density(z), *ends) for ends in ((-12, kink), (kink, 12))]
        return float(sum(value for value, _ in parts))

    assert excess_mean(h) == pytest.approx(moment(1), abs=1e-12)
    assert excess_second_moment(h) == pytest.approx(moment(2), abs=1e-12)
    assert rectified_variance(h) == pytest.approx(moment(2) - moment(1) ** 2, abs=1e-12)


@pytest.mark.parametrize("rho", [0.05, 0.5, 0.9])
@pytest.mark.parametrize(("h", "k"), [(0.0, 0.0), (0.0, 1.3), (0.7, 0.7), (2.0, 0.4)])
def test_rectified_covariance_equals_quadrature(h: float, k: float, rho: float) -> None:
    q = math.sqrt(1 - rho * rho)

    # Second variable rho z + q w: its mean given z, over the half-line where it is positive, is integrated too.
    def integrand(w: float, z: float) -> float:
        return (h + z) * (k + rho * z + q * w) * density(z) * density(w)

    product, _ = dblquad(integrand, -h, 9, lambda z: max(-(k + rho * z) / q, -9), lambda z: 9, epsabs=1e-11)
    mean_h, mean_k = float(excess_mean(h)) + h, float(excess_mean(k)) + k
    assert rectified_covariance(h, k, rho) == pytest.approx(product - mean_h * mean_k, abs=1e-9)


def test_rectified_covariance_of_centred_variables_is_the_arc_cosine_kernel() -> None:
    rho = np.linspace(0, 0.999, 50)
    expected = (np.sqrt(1 - rho**2) + rho * (np.pi / 2 + np.arcsin(rho)) - 1) / (2 * np.pi)
    np.testing.assert_allclose(rectified_covariance(0.0, 0.0, rho), expected, rtol=1e-13, atol=1e-15)


def test_rectified_covariance_tends_to_the_variance() -> None:
    h = np.array(LEVELS)
    np.testing.assert_allclose(rectified_covariance(h, h, 1 - 1e-12), rectified_variance(h), rtol=1e-5)


def test_rectified_covariance_without_correlation_vanishes() -> None:
    np.testing.assert_array_equal(rectified_covariance(np.array(LEVELS), 0.5, 0.0), 0)


def test_rectified_covariance_far_from_the_kink_is_linear() -> None:
    assert rectified_covariance(40.0, 35.0, 0.3) == pytest.approx(0.3, rel=1e-14)


def pooled(images: NDArray[np.float64], filter_size: int, stride: int) -> NDArray[np.float64]:
    size = images.shape[1]
    sites = np.arange(0, size, stride)[:, None] + np.arange(filter_size) - (filter_size - 1) // 2
    return np.asarray(np.maximum(images[:, sites % size].mean(axis=2), 0.0))


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("filters", "strides"), [((3, 2), (1, 2)), ((4, 3), (2, 1)), ((2, 2), (2, 2))])
def test_signed_noise_agrees_with_monte_carlo(
    filters: tuple[int, ...], strides: tuple[int, ...], periodic: bool
) -> None:
    task = Task(size=8, xi=2.5, periodic=periodic)
    exact = theory.sensitivities(task, filter_size=filters, stride=strides, depth=2, noise=Noise(sigma=1.7))
    rng = np.random.default_rng(5)
    p, q = np.triu_indices(8, 1)
    apart = np.minimum(q - p, 8 - (q - p)) if periodic else q - p
    near = np.flatnonzero(apart < 2.5)
    far = np.flatnonzero(apart >= 2.5)
    draws = np.concatenate([rng.choice(near, 100_000), rng.choice(far, 100_000)])
    images = np.zeros((draws.size, 8))
    images[np.arange(draws.size), p[draws]] = images[np.arange(draws.size), q[draws]] = task.pixel_value
    noisy, clean = images + 1.7 * rng.standard_normal(images.shape), images
    for k, (filter_size, stride) in enumerate(zip(filters, strides, strict=True)):
        noisy, clean = pooled(noisy, filter_size, stride), pooled(clean, filter_size, stride)
        squares = ((noisy - clean) ** 2).sum(axis=1)
        z = (squares.mean() - exact.G[k] * exact.Delta[k]) / (squares.std() / math.sqrt(draws.size))
        assert abs(z) < 5
