"""Decide whether a ratio exceeds 1: one-sided Student's t on paired logarithms, at a level shared by all hypotheses."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from scaledetect._base.arguments import real_array
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.statistics.student import student_sample
from scaledetect.statistics.verdict import Decision, Verdict, level_of_each, verdicts

__all__ = ["decide_direction", "direction_p_values", "log_ratio"]


def decide_direction(
    numerator: ArrayLike, denominator: ArrayLike, *, alpha: float = 0.05, hypotheses: int = 1
) -> Decision:
    """Decide the claim that numerator / denominator exceeds 1, from paired numbers of several seeds.

    Confirmed where Student's one-sided t on the logarithms finds their mean above 0 at level alpha / m, refuted where
    it finds it below at the same level, else open.

    Parameters
    ----------
    numerator, denominator : array_like of float, shape (n_seeds,)
        Entry i of both belongs to the same seed. Seeds with a zero, infinite or NaN entry are left out and counted.
        Seeds are independent: nets that share initial weights are not.
    alpha : float, default 0.05
        Chance of any false confirmation among all hypotheses, and of any false refutation, in (0, 1/2), and at least
        1e-100 for each.
    hypotheses : int, default 1
        Their number, m.

    Returns
    -------
    Decision
        `value` is the geometric mean of the ratio, `low` and `high` its interval.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range; for negative numbers, which are no sensitivities.

    Examples
    --------
    >>> from scaledetect.statistics import decide_direction
    >>> found = decide_direction([2.0, 2.4, 1.9, 2.2, 2.1], [1.0, 1.1, 1.0, 1.2, 0.9], hypotheses=8)
    >>> found.verdict, round(found.value, 3), found.n_seeds, found.left_out
    ('confirmed', 2.042, 5, 0)
    """
    level = level_of_each(alpha, hypotheses)
    logs = log_ratio(numerator, denominator)
    sample = student_sample(logs)
    p_confirm, p_refute = direction_p_values(logs)
    mean, margin = float(sample.mean), float(sample.margin(level))
    with np.errstate(over="ignore"):  # few seeds that scatter much: the interval has no end
        value, low, high = (float(np.exp(log)) for log in (mean, mean - margin, mean + margin))
    return Decision(
        verdict=cast(Verdict, str(verdicts(p_confirm, p_refute, level))),
        value=value,
        low=low,
        high=high,
        level=level,
        p_confirm=float(p_confirm),
        p_refute=float(p_refute),
        n_seeds=int(sample.n),
        left_out=logs.size - int(sample.n),
    )


def direction_p_values(logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """p-values of confirmation and of refutation, for many claims: logarithms of shape (..., n_seeds), NaN left out."""
    sample = student_sample(logs)
    return sample.p_above(0.0), sample.p_below(0.0)


def log_ratio(numerator: ArrayLike, denominator: ArrayLike) -> FloatArray:
    """Logarithm of the ratio for each seed, shape (n_seeds,); NaN where a number has none."""
    above, below = (_sensitivities(*pair) for pair in (("numerator", numerator), ("denominator", denominator)))
    if above.size != below.size:
        text = f"has {below.size} seeds, and numerator has {above.size}"
        raise bad_value("denominator", below.tolist(), text, "give one number a seed in both")
    return _logarithm(above) - _logarithm(below)


def _logarithm(values: FloatArray) -> FloatArray:
    return np.log(np.where(np.isfinite(values) & (values > 0), values, np.nan))


def _sensitivities(name: str, values: ArrayLike) -> FloatArray:
    sample = real_array(name, values)
    if sample.ndim != 1 or not sample.size:
        raise bad_value(name, sample.shape, "must have shape (n_seeds,), with at least one seed")
    if (sample < 0).any():
        raise bad_value(name, sample.tolist(), "must not be negative: a sensitivity is a mean square")
    return sample
