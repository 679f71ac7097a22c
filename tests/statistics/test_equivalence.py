"""Predictions: two one-sided tests against the edges of a tolerance, beside scipy's one-sided tests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from scaledetect.statistics import decide_prediction

EDGES = (-0.2, 0.2)


def sample(mean: float, n: int = 20, scatter: float = 0.1, seed: int = 1) -> list[float]:
    values = np.random.default_rng(seed).normal(size=n)
    values = (values - values.mean()) / values.std(ddof=1)
    return list(mean + scatter * values)


@pytest.mark.parametrize("mean", [-0.3, -0.15, 0.0, 0.19, 0.28])
def test_p_values_are_those_of_scipys_one_sided_tests(mean: float) -> None:
    values = sample(mean)
    found = decide_prediction(values, tolerance=EDGES)
    above, below = (
        [stats.ttest_1samp(values, edge, alternative=side).pvalue for edge in EDGES] for side in ("greater", "less")
    )
    assert found.p_confirm == pytest.approx(max(above[0], below[1]), rel=1e-9)
    assert found.p_refute == pytest.approx(min(below[0], above[1]), rel=1e-9)


@pytest.mark.parametrize(
    ("mean", "scatter", "verdict"),
    [
        (0.0, 0.1, "confirmed"),
        (0.0, 1.0, "open"),
        (0.19, 0.1, "open"),
        (0.21, 0.1, "open"),
        (0.5, 0.1, "refuted"),
        (-0.5, 0.1, "refuted"),
        (0.5, 2.0, "open"),
    ],
)
def test_the_verdict_follows_from_the_interval(mean: float, scatter: float, verdict: str) -> None:
    found = decide_prediction(sample(mean, scatter=scatter), tolerance=EDGES, hypotheses=8)
    low, high = EDGES
    assert found.verdict == verdict
    assert (low < found.low and found.high < high) == (verdict == "confirmed")
    assert (found.low > high or found.high < low) == (verdict == "refuted")


def test_precision_is_never_punished_and_noise_never_rewarded() -> None:
    """The mean stays: less scatter may only turn open into the right verdict, more scatter only a verdict into open."""
    scatters = [0.01, 0.1, 0.3, 1.0, 3.0]
    inside = [decide_prediction(sample(0.15, scatter=s), tolerance=EDGES).verdict for s in scatters]
    outside = [decide_prediction(sample(0.25, scatter=s), tolerance=EDGES).verdict for s in scatters]
    assert inside == ["confirmed", "confirmed", "open", "open", "open"]
    assert outside == ["refuted", "refuted", "open", "open", "open"]


def test_the_interval_is_students() -> None:
    values = sample(0.1)
    found = decide_prediction(values, tolerance=EDGES, alpha=0.05, hypotheses=5)
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(1 - 2 * 0.01)
    assert (found.low, found.high) == pytest.approx(tuple(interval), rel=1e-10)
    assert found.value == pytest.approx(0.1, rel=1e-10)


def test_values_that_are_not_finite_do_not_enter_and_are_counted() -> None:
    found = decide_prediction([math.nan, *sample(0.0), -math.inf], tolerance=EDGES)
    assert (found.n_seeds, found.left_out, found.verdict) == (20, 2, "confirmed")


@pytest.mark.parametrize("values", [[0.0], [0.0, math.nan]])
def test_one_seed_decides_nothing(values: list[float]) -> None:
    found = decide_prediction(values, tolerance=EDGES)
    assert found.verdict == "open"
    assert math.isnan(found.low)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": (0.2, -0.2)}, "tolerance=.*must be finite and rise"),
        ({"tolerance": (-math.inf, 0.2)}, "tolerance=.*must be finite and rise"),
        ({"tolerance": (0.1,)}, "tolerance=.*two numbers"),
        ({"tolerance": EDGES, "values": [[0.1]]}, r"values=\(1, 1\)"),
        ({"tolerance": EDGES, "alpha": 0.0}, "alpha="),
    ],
)
def test_bad_input_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        decide_prediction(**{"values": [0.1, 0.2], **options})
