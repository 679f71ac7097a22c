"""Fit of the power law of measured curves in the receptive field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from scaledetect._base.arguments import integers, real_array
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.results import ExponentFit
from scaledetect.statistics.bootstrap import bootstrap_mean

__all__ = ["fit_exponent"]


def fit_exponent(
    A: ArrayLike,
    values: ArrayLike,
    *,
    layers: tuple[int, int] | None = None,
    level: float = 0.95,
    resamples: int = 9999,
    seed: int = 0,
) -> ExponentFit:
    """Fit values ~ A^exponent over layers, with a bootstrap interval over seeds.

    For each seed the slope of log values against log A is found by least squares; the exponent is their mean. A power
    law gives its exponent exactly.

    Parameters
    ----------
    A : array_like of float, shape (K,) or (n_seeds, K)
        Effective receptive field of each layer, in input pixels: positive, and not the same for all layers.
    values : array_like of float, shape (K,) or (n_seeds, K)
        D, G or R of each layer, one row a seed: positive and finite in the layers used.
    layers : pair of int, optional
        First and last layer to use, counted from 1, both included; at least two. Default: all.
    level : float, default 0.95
        Nominal coverage of the interval, in (0, 1).
    resamples : int, default 9999
        Bootstrap samples, at least 100.
    seed : int, default 0
        Of the resampling.

    Returns
    -------
    ExponentFit
        Its interval is that of `bootstrap_mean` of the slopes: it says how seeds differ, not how well a power law fits.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Examples
    --------
    >>> import scaledetect as sd
    >>> D = [[0.5, 0.25, 0.125, 0.1], [0.25, 0.0625, 0.015625, 0.1]]
    >>> fit = sd.fit_exponent([2.0, 4.0, 8.0, 16.0], D, layers=(1, 3))
    >>> round(fit.exponent, 6), fit.layers, fit.n_seeds
    (-1.5, (1, 2, 3), 2)
    """
    x, y = _rows("A", A), _rows("values", values)
    if x.shape[1] != y.shape[1] or x.shape[0] not in (1, y.shape[0]):
        text = f"must have shape ({x.shape[1]},) or (n_seeds, {x.shape[1]}), as A with shape {x.shape} asks"
        raise bad_value("values", y.shape, text)
    first, last = _range(layers, y.shape[1])
    logs = [_logarithms(name, rows[:, first - 1 : last]) for name, rows in (("A", x), ("values", y))]
    slopes = _slopes(*logs)
    found = bootstrap_mean(slopes, level=level, resamples=resamples, seed=seed)
    return ExponentFit(found.value, found.low, found.high, found.level, found.n_seeds, tuple(range(first, last + 1)))


def _rows(name: str, values: ArrayLike) -> FloatArray:
    rows = np.atleast_2d(real_array(name, values))
    if rows.ndim != 2 or rows.shape[1] < 2 or not rows.shape[0]:
        raise bad_value(name, rows.shape, "must have shape (K,) or (n_seeds, K), with at least two layers")
    return rows


def _range(layers: Sequence[int] | None, depth: int) -> tuple[int, int]:
    if layers is None:
        return 1, depth
    kind = "the first and the last layer, two integers"
    numbers = integers("layers", layers, kind=kind)
    if len(numbers) != 2:
        raise bad_type("layers", layers, f"must be {kind}")
    first, last = numbers
    if not 1 <= first < last <= depth:
        raise bad_value("layers", layers, f"must rise, within 1..{depth}")
    return first, last


def _logarithms(name: str, rows: FloatArray) -> FloatArray:
    if not (np.isfinite(rows) & (rows > 0)).all():
        way_out = "choose other layers, or leave out the seed"
        raise bad_value(name, rows.tolist(), "must be positive and finite in the layers used", way_out)
    return np.asarray(np.log(rows))


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    away = x - x.mean(axis=1, keepdims=True)
    spread = np.square(away).sum(axis=1)
    if not (spread > 1e-20).all():
        raise bad_value("A", np.exp(x).tolist(), "must differ between the layers used")
    return np.asarray((away * y).sum(axis=1) / spread)
