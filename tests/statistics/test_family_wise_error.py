"""The whole verdict procedure, simulated 20,000 times: eight hypotheses with the scatter and correlations of nets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from scaledetect.statistics import decide_direction, decide_prediction, equivalence_power, tolerance_for_power
from scaledetect.statistics.directions import direction_p_values
from scaledetect.statistics.equivalence import prediction_p_values
from scaledetect.statistics.verdict import level_of_each, verdicts

FloatArray = NDArray[np.float64]

STUDIES, SEEDS, ALPHA = 20_000, 40, 0.05
MOST = ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / STUDIES)


@dataclass(frozen=True)
class Hypothesis:
    nets: str
    scatter: float
    prediction: bool

    @property
    def tolerance(self) -> float:
        return tolerance_for_power(self.scatter, SEEDS, hypotheses=len(HYPOTHESES))

    def p_values(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.prediction:
            return prediction_p_values(numbers, (-self.tolerance, self.tolerance))
        return direction_p_values(numbers)


# Scatter over seeds as in the pilot: slopes of D on blocks and on distance, ln D_4, and ratios of G.
HYPOTHESES = (
    Hypothesis("blocks", 0.115, True),
    Hypothesis("blocks", 0.31, True),
    Hypothesis("blocks", 0.31, False),
    Hypothesis("blocks", 0.2, False),
    Hypothesis("distance", 0.46, True),
    Hypothesis("distance", 0.37, True),
    Hypothesis("distance", 0.46, False),
    Hypothesis("distance", 0.2, False),
)
CORRELATIONS = {"independent": 0.0, "same nets": 0.8, "nearly alike": 0.99}


@cache
def numbers(correlation: float) -> FloatArray:
    """Deviations from the truth, shape (hypotheses, studies, seeds): numbers of the same nets go together."""
    rng = np.random.default_rng(2)
    shared = {nets: rng.normal(size=(STUDIES, SEEDS)) for nets in ("blocks", "distance")}
    own, common = math.sqrt(1 - correlation), math.sqrt(correlation)
    return np.stack(
        [h.scatter * (common * shared[h.nets] + own * rng.normal(size=(STUDIES, SEEDS))) for h in HYPOTHESES]
    )


def decided(truths: list[float], correlation: float, *, alpha: float = ALPHA) -> NDArray[np.str_]:
    """Verdicts, shape (hypotheses, studies), where the truth of each hypothesis is given."""
    level = level_of_each(alpha, len(HYPOTHESES))
    drawn = numbers(correlation)
    return np.stack([verdicts(*h.p_values(x + t), level) for h, x, t in zip(HYPOTHESES, drawn, truths, strict=True)])


def edges(side: int = 1) -> list[float]:
    """Each truth on the border between true and false: the edge of its tolerance, or a ratio of 1."""
    return [side * h.tolerance if h.prediction else 0.0 for h in HYPOTHESES]


@pytest.mark.parametrize("correlation", CORRELATIONS.values(), ids=list(CORRELATIONS))
@pytest.mark.parametrize("side", [1, -1])
def test_on_the_border_any_false_verdict_is_as_rare_as_stated(correlation: float, side: int) -> None:
    """On the border a claim may be called false (a confirmation is the error) or true (a refutation is)."""
    found = decided(edges(side), correlation)
    confirmed, refuted = found == "confirmed", found == "refuted"
    some_true = np.arange(len(HYPOTHESES))[:, None] % 2 == 0
    assert confirmed.any(axis=0).mean() <= MOST
    assert refuted.any(axis=0).mean() <= MOST
    assert np.where(some_true, refuted, confirmed).any(axis=0).mean() <= MOST


def test_independent_hypotheses_use_up_the_level() -> None:
    """The procedure is not merely timid: with nothing shared its error is 1 - (1 - alpha/m)^m."""
    expected = 1 - (1 - ALPHA / len(HYPOTHESES)) ** len(HYPOTHESES)
    error = float((decided(edges(), 0.0) == "confirmed").any(axis=0).mean())
    assert abs(error - expected) < 4 * math.sqrt(expected * (1 - expected) / STUDIES)


def test_without_the_division_by_the_number_of_hypotheses_the_error_would_be_six_times_as_large() -> None:
    found = decided(edges(), 0.0, alpha=ALPHA * 0.999 * len(HYPOTHESES))
    assert (found == "confirmed").any(axis=0).mean() > 0.25


def test_within_the_tolerance_a_false_refutation_and_beyond_it_a_false_confirmation_are_rarer_still() -> None:
    inside = [0.5 * h.tolerance if h.prediction else 0.1 * h.scatter for h in HYPOTHESES]
    outside = [1.5 * h.tolerance if h.prediction else -0.1 * h.scatter for h in HYPOTHESES]
    assert (decided(inside, 0.8) == "refuted").any(axis=0).mean() < 0.02
    assert (decided(outside, 0.8) == "confirmed").any(axis=0).mean() < 0.02


def test_true_predictions_are_confirmed_with_the_power_their_tolerance_was_chosen_for() -> None:
    found = decided([0.0] * len(HYPOTHESES), 0.8) == "confirmed"
    for hypothesis, confirmed in zip(HYPOTHESES, found, strict=True):
        if hypothesis.prediction:
            power = equivalence_power(hypothesis.tolerance, hypothesis.scatter, SEEDS, hypotheses=len(HYPOTHESES))
            assert power == pytest.approx(0.8, abs=1e-9)
            assert abs(confirmed.mean() - power) < 4 * math.sqrt(power * (1 - power) / STUDIES)


def test_the_simulated_procedure_is_the_public_one() -> None:
    drawn = numbers(0.8)[:, :50]
    truths = edges()
    level = level_of_each(ALPHA, len(HYPOTHESES))
    for h, x, truth in zip(HYPOTHESES, drawn, truths, strict=True):
        for sample, verdict in zip(x + truth, verdicts(*h.p_values(x + truth), level), strict=True):
            if h.prediction:
                edge = h.tolerance
                one = decide_prediction(sample, tolerance=(-edge, edge), hypotheses=len(HYPOTHESES))
            else:
                one = decide_direction(np.exp(sample), np.ones(SEEDS), hypotheses=len(HYPOTHESES))
            assert one.verdict == verdict
