"""Decide whether a number agrees with a prediction: two one-sided t tests against the edges of a tolerance."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from scaledetect._base.arguments import entries, finite, real_array
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.statistics.student import student_sample
from scaledetect.statistics.verdict import Decision, Verdict, level_of_each, verdicts

__all__ = ["decide_prediction", "prediction_p_values"]


def decide_prediction(
    values: ArrayLike, *, tolerance: tuple[float, float], alpha: float = 0.05, hypotheses: int = 1
) -> Decision:
    """Decide the claim that a number lies within a tolerance, from its values for several seeds.

    Confirmed where two one-sided t tests find the mean above the lower edge *and* below the upper one, each at level
    alpha / m; refuted where one of them finds it beyond an edge at that level; else open. So scatter is never rewarded
    with a confirmation, nor precision with a refutation.

    Parameters
    ----------
    values : array_like of float, shape (n_seeds,)
        One number a seed: a slope, or the logarithm of measured over predicted. NaN and infinite ones are left out and
        counted.
    tolerance : pair of float
        Lower and upper edge, in the unit of `values`, around the predicted value.
    alpha : float, default 0.05
        Chance of any false confirmation among all hypotheses, and of any false refutation, in (0, 1/2), and at least
        1e-100 for each.
    hypotheses : int, default 1
        Their number, m.

    Returns
    -------
    Decision
        `value` is the mean, `low` and `high` its interval.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Notes
    -----
    Schuirmann, J. Pharmacokin. Biopharm. 15, 657 (1987). `tolerance_for_power` says how wide a tolerance must be for a
    true prediction to be confirmed.

    Examples
    --------
    >>> from scaledetect.statistics import decide_prediction
    >>> slopes = [-1.02, -0.93, -1.08, -0.97, -1.01, -0.99]
    >>> decide_prediction(slopes, tolerance=(-1.2, -0.8)).verdict
    'confirmed'
    >>> decide_prediction(slopes, tolerance=(-0.8, -0.4)).verdict
    'refuted'
    """
    level = level_of_each(alpha, hypotheses)
    edges = _edges(tolerance)
    numbers = _numbers(values)
    sample = student_sample(numbers)
    p_confirm, p_refute = prediction_p_values(numbers, edges)
    mean, margin = float(sample.mean), float(sample.margin(level))
    return Decision(
        verdict=cast(Verdict, str(verdicts(p_confirm, p_refute, level))),
        value=mean,
        low=mean - margin,
        high=mean + margin,
        level=level,
        p_confirm=float(p_confirm),
        p_refute=float(p_refute),
        n_seeds=int(sample.n),
        left_out=numbers.size - int(sample.n),
    )


def prediction_p_values(values: FloatArray, tolerance: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """p-values of confirmation and of refutation, for many claims: values of shape (..., n_seeds), NaN left out."""
    low, high = tolerance
    sample = student_sample(values)
    inside = np.maximum(sample.p_above(low), sample.p_below(high))
    return inside, np.minimum(sample.p_below(low), sample.p_above(high))


def _edges(tolerance: object) -> tuple[float, float]:
    kind = "the lower and the upper edge, two numbers"
    given = entries("tolerance", tolerance, kind=kind)
    edges = [finite("tolerance", edge, kind=kind, allowed="finite and rise") for edge in given]
    if len(edges) != 2:
        raise bad_type("tolerance", tolerance, f"must be {kind}")
    low, high = edges
    if not low < high:
        raise bad_value("tolerance", tolerance, "must be finite and rise")
    return low, high


def _numbers(values: ArrayLike) -> FloatArray:
    numbers = real_array("values", values)
    if numbers.ndim != 1 or not numbers.size:
        raise bad_value("values", numbers.shape, "must have shape (n_seeds,), with at least one seed")
    return numbers
