"""Directions: Student's t on paired logarithms, against scipy's own test and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from scaledetect.statistics import decide_direction


def pairs(ratio: float, n: int = 12, scatter: float = 0.2, seed: int = 0) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    below = np.exp(rng.normal(size=n))
    return list(below * ratio * np.exp(scatter * rng.normal(size=n))), list(below)


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.3])
def test_p_values_and_interval_are_those_of_scipys_paired_test_on_logarithms(ratio: float) -> None:
    above, below = pairs(ratio)
    found = decide_direction(above, below, alpha=0.04, hypotheses=4)
    twin = stats.ttest_rel(np.log(above), np.log(below), alternative="greater")
    assert found.p_confirm == pytest.approx(twin.pvalue, rel=1e-10)
    assert found.p_refute == pytest.approx(1 - twin.pvalue, rel=1e-10)
    interval = stats.ttest_rel(np.log(above), np.log(below)).confidence_interval(1 - 2 * 0.01)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx(tuple(interval), rel=1e-10)
    assert found.level == 0.01


def test_the_ratio_is_the_geometric_mean() -> None:
    assert decide_direction([2.0, 8.0, 4.0], [1.0, 1.0, 1.0]).value == pytest.approx(4.0, rel=1e-12)


def test_two_seeds_have_the_closed_form_of_one_degree_of_freedom() -> None:
    # For one degree of freedom P(T > t) = 1/2 - atan(t)/pi, and t = mean / (half the difference).
    found = decide_direction([math.e, math.e**3], [1.0, 1.0])
    assert found.p_confirm == pytest.approx(0.5 - math.atan(2.0) / math.pi, rel=1e-12)
    assert found.verdict == "open"


@pytest.mark.parametrize(("ratio", "verdict"), [(1.5, "confirmed"), (1 / 1.5, "refuted"), (1.0, "open")])
def test_the_verdict_follows_from_the_interval(ratio: float, verdict: str) -> None:
    found = decide_direction(*pairs(ratio), hypotheses=8)
    assert found.verdict == verdict
    assert (found.low > 1, found.high < 1) == (verdict == "confirmed", verdict == "refuted")


def test_turned_over_the_ratio_gets_the_opposite_verdict() -> None:
    above, below = pairs(1.5)
    one, other = decide_direction(above, below), decide_direction(below, above)
    assert (one.verdict, other.verdict) == ("confirmed", "refuted")
    assert other.value == pytest.approx(1 / one.value, rel=1e-12)
    assert other.p_refute == pytest.approx(one.p_confirm, rel=1e-9)


def test_more_hypotheses_ask_for_more_evidence() -> None:
    above, below = pairs(1.25)
    p = decide_direction(above, below).p_confirm
    enough, too_many = math.floor(0.05 / p), math.floor(0.05 / p) + 1
    assert decide_direction(above, below, hypotheses=enough).verdict == "confirmed"
    assert decide_direction(above, below, hypotheses=too_many).verdict == "open"


def test_zeros_and_nan_do_not_enter_and_are_counted() -> None:
    above, below = pairs(1.3)
    spoiled = decide_direction([0.0, *above, math.nan, 1.0, math.inf], [1.0, *below, 1.0, 0.0, 1.0])
    clean = decide_direction(above, below)
    assert (spoiled.p_confirm, spoiled.value) == pytest.approx((clean.p_confirm, clean.value), rel=1e-10)
    assert (spoiled.n_seeds, clean.n_seeds) == (12, 12)
    assert (spoiled.left_out, clean.left_out) == (4, 0)


@pytest.mark.parametrize("above", [[1.2], [1.2, 0.0], [0.0, 0.0]])
def test_fewer_than_two_seeds_decide_nothing(above: list[float]) -> None:
    found = decide_direction(above, [1.0] * len(above))
    assert found.verdict == "open"
    assert math.isnan(found.low) and math.isnan(found.p_confirm)


def test_equal_ratios_decide_and_a_ratio_of_one_for_all_seeds_does_not() -> None:
    assert decide_direction([0.3, 0.6, 0.9], [0.1, 0.2, 0.3]).verdict == "confirmed"
    assert decide_direction([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]).verdict == "open"


def test_two_seeds_that_scatter_by_hundreds_have_an_interval_without_end() -> None:
    decision = decide_direction([1e200, 1e-200], [1.0, 1.0], hypotheses=1)
    assert decision.verdict == "open" and math.isclose(decision.value, 1.0)
    assert (decision.low, decision.high) == (0.0, math.inf)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"numerator=.*negative"):
        decide_direction([-1.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"denominator=.*has 1 seeds, and numerator has 2"):
        decide_direction([1.0, 1.0], [1.0])
    with pytest.raises(ValueError, match=r"numerator=\(0,\)"):
        decide_direction([], [])
    with pytest.raises(ValueError, match=r"alpha=0\.5: must lie between 0 and 1/2"):
        decide_direction([1.0, 2.0], [1.0, 1.0], alpha=0.5)
    with pytest.raises(TypeError, match="hypotheses=True"):
        decide_direction([1.0, 2.0], [1.0, 1.0], hypotheses=True)
    with pytest.raises(ValueError, match="hypotheses=0: must be at least 1"):
        decide_direction([1.0, 2.0], [1.0, 1.0], hypotheses=0)
