"""Frozen result of a test that decides a claim: verdict, estimate, the interval and the p-values behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import at_least_one, fraction
from scaledetect._base.errors import bad_value

__all__ = ["Decision", "Verdict", "level_of_each", "verdicts"]

LEAST_LEVEL = 1e-100
"""Of one test: far below it, SciPy's quantiles of Student's t are -inf or off by factors."""

Verdict = Literal["confirmed", "refuted", "open"]


@dataclass(frozen=True)
class Decision:
    """What the seeds say of one claim.

    Attributes
    ----------
    verdict : {"confirmed", "refuted", "open"}
        Follows from the interval alone: the claim is confirmed where it holds for every number of the interval, refuted
        where it holds for none, and open in between.
    value : float
        Estimate over seeds; NaN where no seed enters.
    low, high : float
        Ends of Student's interval of coverage ``1 - 2 level``; NaN with fewer than two seeds.
    level : float
        Error level of each one-sided test: alpha over the number of hypotheses.
    p_confirm, p_refute : float
        p-values of the two verdicts; NaN with fewer than two seeds.
    n_seeds : int
        Seeds that enter.
    left_out : int
        Seeds that do not: zero or NaN, which have no logarithm.
    """

    verdict: Verdict
    value: float
    low: float
    high: float
    level: float
    p_confirm: float
    p_refute: float
    n_seeds: int
    left_out: int


def level_of_each(alpha: float, hypotheses: int) -> float:
    """Level of one test among several, alpha / m: the chance of any false verdict is at most alpha (Bonferroni)."""
    level = fraction("alpha", alpha, 0.5) / at_least_one("hypotheses", hypotheses)
    if level < LEAST_LEVEL:
        raise bad_value("alpha", alpha, f"over hypotheses={hypotheses} is below {LEAST_LEVEL:g}", "raise it")
    return level


def verdicts(p_confirm: NDArray[np.float64], p_refute: NDArray[np.float64], level: float) -> NDArray[np.str_]:
    """Verdicts of many claims from their p-values, at a level below 1/2; NaN leaves a claim open."""
    found = np.full(np.shape(p_confirm), "open", dtype="<U9")
    found[p_confirm <= level] = "confirmed"
    found[p_refute <= level] = "refuted"
    return found
