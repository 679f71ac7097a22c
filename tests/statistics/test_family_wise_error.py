"""The whole verdict procedure, simulated 20,000 times: eight hypotheses with the scatter and correlations of nets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from scaledetect.reproduce import load_hypotheses
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
    tolerance: float | None = None
    seeds: int = SEEDS

    def p_values(self, numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.tolerance is None:
            return direction_p_values(numbers)
        return prediction_p_values(numbers, (-self.tolerance, self.tolerance))


def spread(nets: str, scatter: float, prediction: bool) -> Hypothesis:
    return Hypothesis(nets, scatter, tolerance_for_power(scatter, SEEDS, hypotheses=8) if prediction else None)


# Scatter over seeds as it is known: slopes of D on blocks and on distance, ln D_4, and ratios of G.
KNOWN = (
    spread("blocks", 0.115, True),
    spread("blocks", 0.31, True),
    spread("blocks", 0.31, False),
    spread("blocks", 0.2, False),
    spread("distance", 0.46, True),
    spread("distance", 0.37, True),
    spread("distance", 0.46, False),
    spread("distance", 0.2, False),
)
# Scatter of the pilot, tolerances and numbers of nets as they were written down; nets of a trained experiment begin as
# those of the initial one.
PRIMARY = tuple(
    Hypothesis(h.experiment.partition("-L")[0], h.pilot_sd, h.tolerance, h.seeds) for h in load_hypotheses().hypotheses
)
FAMILIES = {"known": KNOWN, "primary": PRIMARY}
CORRELATIONS = {"independent": 0.0, "same nets": 0.8, "nearly alike": 0.99}


@cache
def numbers(family: str, correlation: float) -> list[FloatArray]:
    """Deviations from the truth, shape (studies, seeds) each: numbers of the same nets go together."""
    rng = np.random.default_rng(2)
    chosen = FAMILIES[family]
    shared = {nets: rng.normal(size=(STUDIES, SEEDS)) for nets in dict.fromkeys(h.nets for h in chosen)}
    own, common = math.sqrt(1 - correlation), math.sqrt(correlation)
    return [
        h.scatter * (common * shared[h.nets] + own * rng.normal(size=(STUDIES, SEEDS)))[:, : h.seeds] for h in chosen
    ]


def decided(family: str, truths: list[float], correlation: float, *, alpha: float = ALPHA) -> NDArray[np.str_]:
    """Verdicts, shape (hypotheses, studies), where the truth of each hypothesis is given."""
    chosen = FAMILIES[family]
    level = level_of_each(alpha, len(chosen))
    drawn = numbers(family, correlation)
    return np.stack([verdicts(*h.p_values(x + t), level) for h, x, t in zip(chosen, drawn, truths, strict=True)])


def edges(family: str, side: int = 1) -> list[float]:
    """Each truth on the border between true and false: the edge of its tolerance, or a ratio of 1."""
    return [side * (h.tolerance or 0.0) for h in FAMILIES[family]]


@pytest.mark.parametrize("correlation", CORRELATIONS.values(), ids=list(CORRELATIONS))
@pytest.mark.parametrize(("family", "side"), [("known", 1), ("primary", -1)])
def test_on_the_border_any_false_verdict_is_as_rare_as_stated(correlation: float, family: str, side: int) -> None:
    """On the border a claim may be called false (a confirmation is the error) or true (a refutation is)."""
    found = decided(family, edges(family, side), correlation)
    confirmed, refuted = found == "confirmed", found == "refuted"
    some_true = np.arange(len(found))[:, None] % 2 == 0
    assert confirmed.any(axis=0).mean() <= MOST
    assert refuted.any(axis=0).mean() <= MOST
    assert np.where(some_true, refuted, confirmed).any(axis=0).mean() <= MOST


def test_independent_hypotheses_use_up_the_level() -> None:
    """The procedure is not merely timid: with nothing shared its error is 1 - (1 - alpha/m)^m."""
    expected = 1 - (1 - ALPHA / len(KNOWN)) ** len(KNOWN)
    error = float((decided("known", edges("known"), 0.0) == "confirmed").any(axis=0).mean())
    assert abs(error - expected) < 4 * math.sqrt(expected * (1 - expected) / STUDIES)


def test_without_the_division_by_the_number_of_hypotheses_the_error_would_be_six_times_as_large() -> None:
    found = decided("known", edges("known"), 0.0, alpha=ALPHA * 0.999 * len(KNOWN))
    assert (found == "confirmed").any(axis=0).mean() > 0.25


def test_within_the_tolerance_a_false_refutation_and_beyond_it_a_false_confirmation_are_rarer_still() -> None:
    inside = [0.5 * h.tolerance if h.tolerance else 0.1 * h.scatter for h in KNOWN]
    outside = [1.5 * h.tolerance if h.tolerance else -0.1 * h.scatter for h in KNOWN]
    assert (decided("known", inside, 0.8) == "refuted").any(axis=0).mean() < 0.02
    assert (decided("known", outside, 0.8) == "confirmed").any(axis=0).mean() < 0.02


@pytest.mark.parametrize("family", FAMILIES)
def test_true_predictions_are_confirmed_with_the_power_stated(family: str) -> None:
    chosen = FAMILIES[family]
    found = decided(family, [0.0] * len(chosen), 0.8) == "confirmed"
    for hypothesis, confirmed in zip(chosen, found, strict=True):
        if hypothesis.tolerance is not None:
            scatter, seeds = hypothesis.scatter, hypothesis.seeds
            power = equivalence_power(hypothesis.tolerance, scatter, seeds, hypotheses=len(chosen))
            assert power > 0.8 - 1e-9
            assert abs(confirmed.mean() - power) <= 4 * math.sqrt(power * (1 - power) / STUDIES) + 1e-4


def test_the_simulated_procedure_is_the_public_one() -> None:
    level = level_of_each(ALPHA, len(KNOWN))
    for h, drawn, truth in zip(KNOWN, numbers("known", 0.8), edges("known"), strict=True):
        x = drawn[:50] + truth
        for sample, verdict in zip(x, verdicts(*h.p_values(x), level), strict=True):
            if h.tolerance is not None:
                one = decide_prediction(sample, tolerance=(-h.tolerance, h.tolerance), hypotheses=len(KNOWN))
            else:
                one = decide_direction(np.exp(sample), np.ones(SEEDS), hypotheses=len(KNOWN))
            assert one.verdict == verdict
