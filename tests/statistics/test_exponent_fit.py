"""Exponents and ratios over seeds: power laws exactly, intervals that cover, and arguments that are refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import scaledetect as sd
from scaledetect.statistics.bootstrap import _mean

A = np.array([2.0, 4.0, 8.0, 16.0, 32.0])


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 1.5])
def test_a_power_law_gives_its_exponent(exponent: float) -> None:
    prefactors = np.array([0.3, 1.0, 7.0])[:, None]
    fit = sd.fit_exponent(A, prefactors * A**exponent)
    assert fit.exponent == pytest.approx(exponent, abs=1e-12)
    # The same slope for each seed: nothing is uncertain.
    assert (fit.low, fit.high) == pytest.approx((exponent, exponent), abs=1e-12)
    assert fit.layers == (1, 2, 3, 4, 5)


def test_slopes_are_those_of_polyfit_seed_by_seed() -> None:
    rng = np.random.default_rng(1)
    receptive, values = np.exp(np.cumsum(rng.random((4, 6)), axis=1)), np.exp(rng.normal(size=(4, 6)))
    fit = sd.fit_exponent(receptive, values, layers=(2, 5))
    slopes = [np.polyfit(np.log(a[1:5]), np.log(v[1:5]), 1)[0] for a, v in zip(receptive, values, strict=True)]
    assert fit.exponent == pytest.approx(np.mean(slopes), rel=1e-10)
    assert fit.low < fit.exponent < fit.high
    assert min(slopes) <= fit.low and fit.high <= max(slopes)


def test_a_layer_that_is_not_used_may_be_anything() -> None:
    assert sd.fit_exponent(A, [1.0, 0.5, 0.25, 0.0, np.nan], layers=(1, 3)).exponent == pytest.approx(-1)


def test_one_seed_has_no_interval() -> None:
    fit = sd.fit_exponent(A, A)
    assert math.isnan(fit.low) and math.isnan(fit.high) and fit.n_seeds == 1
    assert not sd.bootstrap_mean([3.0]).excludes(100.0)


def test_the_interval_covers_the_true_exponent_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        true = A ** (-1.0 + 0.3 * rng.normal(size=(20, 1)))
        fit = sd.fit_exponent(A, true * np.exp(0.1 * rng.normal(size=(20, 5))), level=0.9, resamples=400)
        covered += fit.low <= -1.0 <= fit.high
    # Nominally 270; twenty seeds cost a little. The standard deviation is 5.5.
    assert 240 <= covered <= 285


@pytest.mark.parametrize(("n_seeds", "coverage"), [(3, 0.74), (5, 0.84), (10, 0.91)])
def test_few_seeds_cover_as_the_docstring_says(n_seeds: int, coverage: float) -> None:
    rng = np.random.default_rng(4)
    found = [sd.bootstrap_mean(rng.normal(size=n_seeds), resamples=400) for _ in range(400)]
    assert np.mean([not interval.excludes(0) for interval in found]) == pytest.approx(coverage, abs=0.07)


def test_ratios_are_paired_and_turn_over() -> None:
    rng = np.random.default_rng(2)
    size = np.exp(2 * rng.normal(size=12))
    above, below = 1.5 * size * np.exp(0.05 * rng.normal(size=12)), size
    ratio, reverse = sd.bootstrap_ratio(above, below), sd.bootstrap_ratio(below, above)
    assert ratio.value == pytest.approx(np.prod(above / below) ** (1 / 12), rel=1e-12)
    assert ratio.value * reverse.value == pytest.approx(1, rel=1e-12)
    # Sizes differ by orders of magnitude between seeds: only pairs tell 1.5 from 1.
    assert ratio.excludes(1.0) and 1.4 < ratio.low < ratio.high < 1.6
    assert not sd.bootstrap_ratio(above, np.roll(below, 1)).excludes(1.0)


def test_the_same_seed_gives_the_same_interval_and_no_global_state_is_touched() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    values = np.random.default_rng(3).normal(size=9)
    assert sd.bootstrap_mean(values, seed=5) == sd.bootstrap_mean(values, seed=5)
    assert sd.bootstrap_mean(values, seed=5) != sd.bootstrap_mean(values, seed=6)
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index]  # noqa: NPY002


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"A": A, "values": A[:4]}, "values"),
        ({"A": A, "values": -A}, "values"),
        ({"A": A, "values": A * np.nan}, "values"),
        ({"A": np.ones(5), "values": A}, "A"),
        ({"A": [1.0], "values": [1.0]}, "A"),
        ({"A": np.stack([A, A]), "values": A}, "values"),
        ({"A": A, "values": A, "layers": (3, 3)}, "layers"),
        ({"A": A, "values": A, "layers": (0, 3)}, "layers"),
        ({"A": A, "values": A, "layers": (1, 6)}, "layers"),
        ({"A": A, "values": A, "layers": (1.0, 3.0)}, "layers"),
        ({"A": A, "values": A, "level": 1.0}, "level"),
        ({"A": A, "values": A, "level": "0.9"}, "level"),
        ({"A": A, "values": A, "resamples": 10}, "resamples"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name}="):
        sd.fit_exponent(**arguments)


@pytest.mark.parametrize(
    ("numerator", "denominator", "name"),
    [([1.0, 0.0], [1.0, 1.0], "numerator"), ([1.0], [-1.0], "denominator"), ([1.0, 2.0], [1.0] * 3, "denominator")],
)
def test_bad_ratios_are_named(numerator: list[float], denominator: list[float], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}="):
        sd.bootstrap_ratio(numerator, denominator)


def test_an_interval_does_not_depend_on_the_last_bit() -> None:
    """Resamples that are the sample in another order tie with it, however their sums are rounded."""
    values = np.log(np.random.default_rng(0).uniform(1, 3, size=5))
    one = sd.bootstrap_mean(values, resamples=2999)
    for shift in range(1, 9):
        other = sd.bootstrap_mean(values + shift * 1e-15, resamples=2999)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-12)


@pytest.mark.parametrize("axis", [0, -1])
def test_a_mean_is_the_same_in_any_order_and_layout(axis: int) -> None:
    rng = np.random.default_rng(0)
    sample = rng.normal(size=10)
    orders = np.array([rng.permutation(sample) for _ in range(200)])
    found = _mean(orders if axis else np.asfortranarray(orders).T, axis)
    assert set(found.tolist()) == {float(_mean(sample, 0))}
    assert found[0] == pytest.approx(sample.mean(), rel=1e-14)
