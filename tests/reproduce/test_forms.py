"""One number of a net from its curve: closed forms, and what has none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaledetect.reproduce import forms

A = np.array([2.0, 4.0, 8.0, 16.0])


def test_a_fall_is_the_logarithm_of_first_over_last() -> None:
    assert forms.fall(np.array([[0.8, 0.5, 0.1], [0.1, 0.5, 0.8]])) == pytest.approx([math.log(8), -math.log(8)])


def test_the_slope_of_a_power_law_is_its_power_and_a_factor_changes_nothing() -> None:
    curves = np.array([3 * A**-1.3, A**0.7])
    assert forms.slope(curves, A) == pytest.approx([-1.3, 0.7], rel=1e-12)
    assert forms.slope(5 * curves, A) == pytest.approx([-1.3, 0.7], rel=1e-12)


def test_the_slope_is_that_of_least_squares() -> None:
    curve = np.array([0.9, 0.5, 0.4, 0.1])
    expected = np.polynomial.Polynomial.fit(np.log(A), np.log(curve), 1).convert().coef[1]
    assert forms.slope(curve, A) == pytest.approx(expected, rel=1e-10)


def test_a_ratio_is_predicted_over_measured_and_one_prediction_serves_all_nets() -> None:
    curves = np.array([[1.0, 1.0], [2.0, 0.5]])
    assert forms.mean_log_ratio(np.array([math.e, 1.0]), curves) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_a_curve_with_a_number_without_logarithm_has_none(bad: float) -> None:
    curve = np.array([[1.0, 0.5, 0.25, bad]])
    assert np.isnan(forms.fall(curve)) and np.isnan(forms.slope(curve, A))
    assert np.isnan(forms.mean_log_ratio(np.ones(4), curve))


def test_half_way_is_crossed_between_epochs_the_first_time() -> None:
    epochs = np.array([0, 10, 20, 30, 40])
    assert forms.half_time(epochs, np.array([0.0, 1.0, 3.0, 3.5, 4.0])) == pytest.approx(15.0)
    assert forms.half_time(epochs, np.array([4.0, 4.0, 2.0, 0.0, 0.0])) == pytest.approx(20.0)
    # It goes past half-way, back, and past it again.
    assert forms.half_time(epochs, np.array([0.0, 3.0, 1.0, 3.0, 4.0])) == pytest.approx(20 / 3)


@pytest.mark.parametrize("values", [[1.0, 2.0, 1.0], [1.0, math.nan, 2.0], [1.0]])
def test_what_ends_where_it_began_has_no_half_way(values: list[float]) -> None:
    assert math.isnan(forms.half_time(np.arange(len(values)), np.array(values)))


def test_timing_compares_the_epochs_at_which_d_and_the_error_are_half_way() -> None:
    epochs = np.array([0, 1, 2, 3, 4])
    falls = np.array([0.0, 0.0, 1.0, 2.0, 2.0])  # half-way at 2
    D = np.stack([np.ones(5), np.exp(-falls)], axis=1)
    error = np.array([math.nan, 0.3, 0.1, 0.1, 0.1])  # from 1/2 to .1: half-way at 1
    assert forms.ln_half_time(epochs, D, error) == pytest.approx(math.log(2), rel=1e-12)
    assert forms.ln_half_time(epochs, D, np.full(5, math.nan)) != forms.ln_half_time(epochs, D, np.full(5, math.nan))


def test_what_is_known_of_the_error_before_training_does_not_matter() -> None:
    epochs = np.array([0, 1, 2])
    D = np.array([[1.0, 1.0], [1.0, 0.5], [1.0, 0.2]])
    known, unknown = np.array([0.5, 0.2, 0.0]), np.array([math.nan, 0.2, 0.0])
    assert forms.ln_half_time(epochs, D, known) == forms.ln_half_time(epochs, D, unknown)
