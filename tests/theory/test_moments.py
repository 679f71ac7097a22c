"""Sensitivities from moments by hand: what is rounding, what is constant, and what has no value."""

from __future__ import annotations

import math
import warnings
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import scaledetect as sd
from scaledetect import theory
from scaledetect.theory._matching import _meetings
from scaledetect.theory._mean_filters import _sizes
from scaledetect.theory._moments import Moments, excess_response, noise_response, without_rounding
from scaledetect.theory._sensitivities import outcome
from scaledetect.theory._windows import FirstLayer

EPS = 2.0**-52
TASK = sd.Task(size=16, xi=4, amplitude=3.0)


def moments(**fields: Any) -> Moments:
    """Of one layer; 1 for what is not given."""
    one = {name: np.ones(1) for name in ("sites", "mean_sum", "mean_square", "covariance", "shift", "white", "active")}
    return Moments(**{**one, **{name: np.array([value]) for name, value in fields.items()}})


@pytest.mark.parametrize("second", [1.0, 3.0])
def test_a_move_below_the_rounding_of_its_terms_is_none(second: float) -> None:
    """64 spacings of four times E|f|^2, itself included."""
    limit = 256 * EPS * second
    found = without_rounding(np.array([limit, limit * (1 + 1e-9), -1.0, second]), np.full(4, second))
    assert found.tolist() == [0, limit * (1 + 1e-9), 0, second]


@pytest.mark.parametrize("mean_square", [0.0, 1.0])
def test_a_layer_is_constant_up_to_a_thousand_spacings(mean_square: float) -> None:
    """2 cov <= 1000 eps (cov + |E f|^2), itself included; R is of the numerators, and stays."""
    limit = 500 * EPS * (mean_square or 1.0)
    layers = ("one",), np.ones(1)
    small = moments(covariance=limit, mean_square=(mean_square or 1.0) - limit)
    with pytest.warns(RuntimeWarning, match=r"constant over the images .* NaN: one$"):
        found = outcome(TASK, layers, small, np.full(1, 2.0), 1.0, {})
    assert np.isnan([found.D[0], found.G[0]]).all()
    assert (found.R[0], found.Delta[0]) == (4.5, 18 * limit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = outcome(
            TASK, layers, moments(covariance=limit * 1.01, mean_square=(mean_square or 1.0)), np.ones(1), 1.0, {}
        )
    assert found.D[0] == pytest.approx(1 / (2.02 * limit))
    assert found.G[0] == pytest.approx(1 / 9 / (2.02 * limit))


def test_only_constant_layers_are_named() -> None:
    ones = np.ones(2)
    two = Moments(ones, ones, ones, np.array([1.0, 0.0]), ones)
    with pytest.warns(RuntimeWarning, match=r"NaN: second$"):
        found = outcome(TASK, (("first", "second"), np.ones(2)), two, np.ones(2), 0.5, {"a": 1})
    assert np.isnan(found.D).tolist() == [False, True]
    assert (found.sigma, found.kind, found.config) == (0.5, "theory", {"a": 1})
    for name in ("D_stderr", "G_stderr", "R_stderr", "Delta_stderr"):
        assert getattr(found, name).tolist() == [0, 0]


def test_negative_numerators_are_rounding_and_a_ratio_needs_noise() -> None:
    layers = ("one",), np.ones(1)
    found = outcome(TASK, layers, moments(shift=-1e-3), np.array([-1e-3]), 1.0, {})
    assert (found.D[0], found.G[0], math.isnan(found.R[0])) == (0, 0, True)
    assert math.isnan(outcome(TASK, layers, moments(), np.zeros(1), 1.0, {}).R[0])
    found = outcome(TASK, layers, moments(), np.array([1e-3]), 1.0, {})
    assert found.R[0] == pytest.approx(9 / 1e-3)
    with pytest.warns(RuntimeWarning):
        found = outcome(TASK, layers, moments(covariance=-1.0), np.ones(1), 1.0, {})
    assert found.Delta[0] == 0


def test_the_warning_points_to_the_call() -> None:
    with pytest.warns(RuntimeWarning, match="constant") as caught:
        theory.sensitivities(sd.Task(size=16, xi=4), depth=8)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("mode", ["rectified_noise", "rectified_input"])
def test_rectified_noise_is_an_excess_of_known_mean_and_variance_at_each_pixel(mode: Any) -> None:
    """Two pixels of value a and N - 2 of 0, not pooled: N E e^2 by quadrature."""
    a, sigma, sites = 0.7, 0.9, 10
    x = np.linspace(-12, 12, 240_001)
    weight = np.exp(-x * x / 2) * (x[1] - x[0]) / math.sqrt(2 * math.pi)
    level = a if mode == "rectified_input" else 0.0

    def second(value: float) -> float:
        noisy = np.maximum(value + sigma * x, 0) if mode == "rectified_input" else value + np.maximum(sigma * x, 0)
        return float(weight @ (noisy - value) ** 2)

    # In units of the active pixel: |f|^2 = 2, its sum 2, tr(M M^T) = N, over active pixels 2.
    one = moments(sites=sites, mean_sum=2, mean_square=0.5, covariance=1.5, white=sites, active=2)
    expected = (sites - 2) * second(0.0) + 2 * second(level)
    assert excess_response(one, mode, a, sigma)[0] == pytest.approx(expected, rel=1e-7)
    first = FirstLayer.of(sd.Task(size=10, xi=3, amplitude=a), 2, 2, sigma)
    assert noise_response(one, mode, a, first, sigma)[0] == excess_response(one, mode, a, sigma)[0]
    assert excess_response(one, "signed", a, sigma)[0] == pytest.approx(sigma**2 * sites)


def test_moments_stay_as_they_are() -> None:
    one = moments()
    assert one.second.tolist() == [2]
    assert (one.both.shape, one.local.shape) == ((0,), (0,))
    with pytest.raises(FrozenInstanceError):
        one.sites = np.ones(2)  # type: ignore[misc]


@pytest.mark.parametrize("size", [3, 4, 7, 8, 9, 12])
def test_meetings_are_counted_pixel_by_pixel(size: int) -> None:
    """Pixels p and p + z of an open axis that are at one place after moves by m and n, which stop at the ends."""

    def clipped(place: int) -> int:
        return min(max(place, 0), size - 1)

    expected = [
        [
            [sum(0 <= p + z < size and clipped(p + m) == clipped(p + z + n) for p in range(size)) for n in (-1, 0, 1)]
            for m in (-1, 0, 1)
        ]
        for z in range(-2, 3)
    ]
    assert _meetings(size).tolist() == expected


def test_a_net_of_nothing_sees_no_site() -> None:
    assert np.isnan(_sizes([np.zeros(2), np.ones(2)], (2, 2))).tolist() == [True, True]
    np.testing.assert_allclose(_sizes([np.ones(2), -3 * np.ones(2)], (2, 2)), [2, 4])
