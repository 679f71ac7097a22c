"""Moments of rectified Gaussian pairs against quadrature, and where a pair is close."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from scaledetect.theory.initialisation.rectified import mean_gap, rectified_gap, rectified_product, square_covariance

CASES = [(1.0, 2.0, 0.3), (1.5, 1.5, 1.4), (0.7, 3.0, -1.2), (2.0, 1.0, 0.0)]


def density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def conditional(mean: float, spread: float, power: int) -> float:
    """E ReLU(m + s e)^power, power 1 or 2."""
    t = mean / spread
    if power == 1:
        return mean * ndtr(t) + spread * density(t)
    return (mean**2 + spread**2) * ndtr(t) + mean * spread * density(t)


def moment(x: float, y: float, product: float, power: int) -> float:
    """E ReLU(z)^power ReLU(z')^power by quadrature over z: given z, z' is a Gaussian."""
    spread = math.sqrt(y - product**2 / x)
    value, _ = quad(
        lambda u: (math.sqrt(x) * u) ** power * conditional(product / math.sqrt(x) * u, spread, power) * density(u),
        0,
        12,
        epsabs=1e-13,
        epsrel=1e-13,
    )
    return float(value)


@pytest.mark.parametrize(("x", "y", "product"), CASES)
def test_moments_equal_quadrature(x: float, y: float, product: float) -> None:
    seconds = np.array(x), np.array(y), np.array(product)
    assert rectified_product(*seconds) == pytest.approx(moment(x, y, product, 1), abs=1e-11)
    assert square_covariance(*seconds) == pytest.approx(moment(x, y, product, 2) - x * y / 4, abs=1e-11)


@pytest.mark.parametrize(("x", "y", "product"), CASES)
def test_the_gap_is_half_the_mean_squared_difference(x: float, y: float, product: float) -> None:
    gap = rectified_gap(np.sqrt([x]), np.sqrt([y]), np.array([(x + y) / 2 - product]))
    assert gap[0] == pytest.approx((x + y) / 4 - moment(x, y, product, 1), abs=1e-11)


@pytest.mark.parametrize("gap", [1e-4, 1e-8, 1e-12])
def test_a_close_pair_keeps_its_digits(gap: float) -> None:
    # M = [N - (2 sqrt 2 / 3 pi) N^1.5 / sqrt K] / 2 to leading order, K = 4.
    half = rectified_gap(np.array([2.0]), np.array([2.0]), np.array([gap]))[0]
    loss = 2 * math.sqrt(2) / (3 * math.pi) * math.sqrt(gap / 4)
    assert 1 - 2 * half / gap == pytest.approx(loss, rel=0.01, abs=1e-9)


def test_pairs_in_proportion_differ_by_half_their_gap() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 1e-3])
    gap = np.square(x - y) / 2
    assert rectified_gap(x, y, gap) == pytest.approx(gap / 2, rel=1e-7)


def test_equal_images_have_distance_0() -> None:
    root = np.sqrt(np.array([1.0, 2.5, 7.0]))
    assert rectified_gap(root, root, np.zeros(3)).tolist() == [0, 0, 0]


def test_relu_never_takes_two_images_further_apart() -> None:
    # With a squared gain of 2 the distance of two images at a site is 2 M, which is at most N.
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.1, 3, (2, 10_000))
    cosine = rng.uniform(-1, 1, x.size)
    gap = (x**2 + y**2) / 2 - x * y * cosine
    assert (2 * rectified_gap(x, y, gap) <= gap * (1 + 1e-12)).all()


def test_opposite_pairs_never_overlap() -> None:
    x, y = np.array([1.0, 2.0]), np.array([1.0, 0.5])
    assert rectified_gap(x, y, np.square(x + y) / 2) == pytest.approx((x**2 + y**2) / 4, rel=1e-12)


def test_the_mean_gap_is_that_of_two_half_normal_means() -> None:
    x, y = np.array([1.0, 2.0]), np.array([3.0, 0.5])
    means = (x - y) * density(0)
    assert mean_gap(x, y) == pytest.approx(means**2, rel=1e-12)
