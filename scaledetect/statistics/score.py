"""Score of a prediction against measurements of many seeds: mean square of its logarithmic error, less the noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scaledetect._base.arguments import real_array
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value

__all__ = ["MISS", "WITHIN", "Score", "score"]

BoolArray = NDArray[np.bool_]

MISS = math.log(10) ** 2
"""What a layer costs for which the prediction says nothing: as much as being off by a factor of ten."""
WITHIN = 0.1
"""A layer is close where the typical ratio of predicted to measured differs from 1 by at most this."""


@dataclass(frozen=True)
class Score:
    """How far a prediction is from what was measured.

    Attributes
    ----------
    square : float
        Signed mean square of the logarithmic error, mean over layers of d_k^2 - v_k: 0 in the mean for a perfect
        prediction, (ln c)^2 for one that is off by a factor c. May be negative, which only says "0 within the noise".
    stderr : float
        Its standard error, by the delete-one jackknife over seeds.
    within_10_percent : float
        Share of layers whose geometric mean over seeds of predicted / measured is within 10 % of 1.
    net_square, net_stderr : float
        The same for single nets: the mean over seeds *and* layers of d_ik^2, less the measurement's own variance; its
        jackknife error. NaN where no errors of the measurement were given.
    layer_squares : tuple of float
        What each layer contributes to `square`; NaN for a layer that was measured for no seed.
    n_seeds : int
    misses, hits, unmeasured : int
        Pairs of a seed and a layer that have no logarithm: a miss (the prediction is NaN, or one of the two is 0 and
        the other not), a hit (0 predicted and 0 measured), and those where the measurement is not defined, which are
        not scored.
    """

    square: float
    stderr: float
    within_10_percent: float
    net_square: float
    net_stderr: float
    layer_squares: tuple[float, ...]
    n_seeds: int
    misses: int
    hits: int
    unmeasured: int

    @property
    def value(self) -> float:
        """Typical logarithmic error, the root of `square`, 0 where that is negative: for display, not for ranking."""
        return math.sqrt(max(self.square, 0.0))

    @property
    def net_value(self) -> float:
        """The same for single nets."""
        return math.sqrt(max(self.net_square, 0.0)) if not math.isnan(self.net_square) else math.nan


def score(predicted: ArrayLike, measured: ArrayLike, *, measured_stderr: ArrayLike | None = None) -> Score:
    """Score a prediction of D, G or R by layer against measurements of several seeds.

    With d_ik = ln(predicted / measured) of seed i and layer k, d_k its mean over seeds and v_k the variance of that
    mean (the sample variance over seeds / n), the score is the mean over layers of d_k^2 - v_k. Noise of the
    measurement and scatter of the nets are so taken off: more seeds change the error of a score, not its mean.

    Parameters
    ----------
    predicted : array_like of float, shape (K,) or (n_seeds, K)
        One prediction for all nets, or one a net, which may follow what is peculiar to each. Not negative, finite; NaN
        where the prediction says nothing, 0 where it says that there is no response. Taken as exact.
    measured : array_like of float, shape (n_seeds, K)
        At least three seeds. Not negative, finite; NaN where it is not defined.
    measured_stderr : array_like of float, shape (n_seeds, K), optional
        Standard errors of `measured`, for the score of single nets; finite wherever it is positive.

    Returns
    -------
    Score

    Raises
    ------
    ValueError
        For infinite or negative numbers, for shapes that do not fit, and where nothing was measured.

    Notes
    -----
    - A miss costs (ln 10)^2. In a layer where only some seeds are missed the two costs are weighted by their shares,
      and so is the share of layers within 10 %; where one seed alone has a logarithm no variance is taken off.
    - d_k^2 - v_k is the mean of d_ik d_jk over pairs of different seeds: unbiased, without any assumption on how seeds
      are distributed or layers correlated.
    - Coverage, simulated with forty seeds and layers that scatter by .02 to .37, independent or correlated by .9: two
      errors reach 0 for a perfect prediction in .90 to .98 of all studies, and from above (``square <= 2 stderr``) in
      .99 or more, since the jackknife is then too wide by up to sqrt(2); off by a factor of 1.2 or 2 they reach
      (ln c)^2 in .89 to .95.

    Examples
    --------
    >>> import numpy as np
    >>> from scaledetect.statistics import score
    >>> measured = np.exp(0.1 * np.random.default_rng(0).normal(size=(40, 3)))
    >>> s = score([1.0, 1.0, 1.0], measured)
    >>> s.square <= 2 * s.stderr, s.within_10_percent
    (True, 1.0)
    >>> round(score([1.5, 1.5, 1.5], measured).value, 2)   # ln 1.5 = 0.41
    0.4
    """
    y = _measured(measured)
    x = _predicted(predicted, y.shape)
    cells = _Cells.of(x, y)
    if not cells.counts.any():
        raise bad_value("measured", "NaN", "must be defined for one seed and layer at least")
    squares = _layer_squares(cells)
    square, jackknife = float(np.nanmean(squares)), _without_each(cells)
    net_square, net_stderr = math.nan, math.nan
    if measured_stderr is not None:
        net_square, net_stderr = _of_single_nets(cells, _relative_variance(measured_stderr, y, cells))
    return Score(
        square=square,
        stderr=_jackknife_stderr(jackknife),
        within_10_percent=float(np.nanmean(_within(cells))),
        net_square=net_square,
        net_stderr=net_stderr,
        layer_squares=tuple(float(value) for value in squares),
        n_seeds=len(y),
        misses=int(cells.misses.sum()),
        hits=int(cells.hits.sum()),
        unmeasured=int((~cells.counts).sum()),
    )


@dataclass(frozen=True)
class _Cells:
    """What each seed and layer contributes; all of shape (n_seeds, K)."""

    d: FloatArray
    """ln(predicted / measured); 0 for a hit and, as a place-holder, for a miss."""
    misses: BoolArray
    hits: BoolArray
    counts: BoolArray
    """Where there is a measurement."""

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray) -> _Cells:
        counts = ~np.isnan(y)
        hits = (x == 0) & (y == 0)
        both = (x > 0) & (y > 0)
        misses = counts & ~hits & ~both
        d = np.log(np.where(both, x, 1.0)) - np.log(np.where(both, y, 1.0))
        return cls(d, misses, hits, counts)

    @property
    def compared(self) -> BoolArray:
        return self.counts & ~self.misses


def _layer_squares(cells: _Cells) -> FloatArray:
    """Contribution of each layer, shape (K,)."""
    sums = [part.sum(axis=0) for part in _parts(cells)]
    return _combined(*sums)


def _without_each(cells: _Cells) -> FloatArray:
    """The score without each seed in turn, shape (n_seeds,)."""
    parts = _parts(cells)
    return _mean_over_layers(_combined(*(part.sum(axis=0) - part for part in parts)))


def _parts(cells: _Cells) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Sums over seeds that the score of a layer needs: of d, of d^2, of seeds compared, and of seeds missed."""
    return cells.d, np.square(cells.d), cells.compared.astype(np.float64), cells.misses.astype(np.float64)


def _combined(total: FloatArray, squares: FloatArray, compared: FloatArray, missed: FloatArray) -> FloatArray:
    """Mean of d_ik d_jk over pairs of different seeds, which is d_k^2 - v_k, and the cost of the misses."""
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = (np.square(total) - squares) / (compared * (compared - 1))
        found = np.where(compared > 1, pairs, squares)
        share = missed / (compared + missed)
        return np.asarray((1 - share) * found + share * MISS)


def _within(cells: _Cells) -> FloatArray:
    """Whether each layer is close, times the share of seeds that are compared, shape (K,)."""
    compared = cells.compared.sum(axis=0)
    with np.errstate(invalid="ignore"):
        typical = np.exp(cells.d.sum(axis=0) / compared)
        close = (np.abs(typical - 1) <= WITHIN).astype(np.float64)
        return np.asarray(close * compared / cells.counts.sum(axis=0))


def _of_single_nets(cells: _Cells, variance: FloatArray) -> tuple[float, float]:
    """Mean over seeds and layers of d_ik^2 less the measurement's variance, and its jackknife error."""
    costs = np.where(cells.misses, MISS, np.square(cells.d) - variance) * cells.counts
    sums, counts = costs.sum(axis=0), cells.counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        square = float(np.nanmean(sums / counts))
        without = _mean_over_layers((sums - costs) / (counts - cells.counts))
    return square, _jackknife_stderr(without)


def _mean_over_layers(values: FloatArray) -> FloatArray:
    """Mean of each row over the layers that have a number."""
    return np.asarray(np.nansum(values, axis=1) / np.isfinite(values).sum(axis=1))


def _jackknife_stderr(without: FloatArray) -> float:
    n = len(without)
    return math.sqrt((n - 1) / n * float(np.square(without - without.mean()).sum()))


def _relative_variance(stderr: ArrayLike, y: FloatArray, cells: _Cells) -> FloatArray:
    """Variance of ln(measured), by the delta method; 0 where no logarithm enters."""
    errors = real_array("measured_stderr", stderr)
    if errors.shape != y.shape:
        raise bad_value("measured_stderr", errors.shape, f"must have the shape of measured, {y.shape}")
    enters = cells.compared & ~cells.hits
    if not (np.isfinite(errors[enters]) & (errors[enters] >= 0)).all():
        text = "must be finite and not negative where measured is positive"
        raise bad_value("measured_stderr", errors.tolist(), text)
    return np.square(np.where(enters, errors, 0.0) / np.where(enters, y, 1.0))


def _measured(values: ArrayLike) -> FloatArray:
    y = real_array("measured", values)
    if y.ndim != 2 or y.shape[0] < 3 or not y.shape[1]:
        text = "must have shape (n_seeds, K), with at least three seeds and one layer"
        raise bad_value("measured", y.shape, text)
    _refuse_infinite_or_negative("measured", y)
    return y


def _predicted(values: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    x = real_array("predicted", values)
    if x.shape not in (shape, shape[1:]):
        raise bad_value("predicted", x.shape, f"must have shape ({shape[1]},) or {shape}, as measured asks")
    _refuse_infinite_or_negative("predicted", x)
    return np.broadcast_to(x, shape)


def _refuse_infinite_or_negative(name: str, values: FloatArray) -> None:
    if np.isinf(values).any() or (values < 0).any():
        way_out = "NaN says that a layer has no number"
        raise bad_value(name, values.tolist(), "must be finite and not negative", way_out)
