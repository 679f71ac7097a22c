"""Exploratory numbers of nets on two-pixel tasks: ratios, slopes and mean filters with intervals, and no verdict.

They were chosen with the data in view, and are many: an interval that excludes 1 decides nothing here. What is decided
was written down before the runs, see `scaledetect.reproduce.primary`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import NOISE_MODES
from scaledetect.reproduce.study import Tables
from scaledetect.results import Interval
from scaledetect.statistics.bootstrap import bootstrap_ratio
from scaledetect.statistics.exponent_fit import fit_exponent
from scaledetect.theory import exponents

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Estimate", "exploratory"]


PAPER_NOISE = "rectified_noise"
BOOTSTRAP: dict[str, Any] = {"level": 0.95, "resamples": 2999}
FEWEST_LAYERS = 3
"""Layers that a slope is fitted to, at least."""


@dataclass(frozen=True)
class Estimate:
    """One number that the data give on a subject.

    Attributes
    ----------
    subject : str
        In words.
    job : str
        Nets and task.
    channels : {"each", "mean", ""}
        Whether single channels or their mean were measured.
    noise : str
        Noise mode, where G takes part.
    number : str
        What was estimated, in the paper's letters.
    value, low, high : float
        Estimate over seeds and its bootstrap interval of nominal coverage 0.95, which few seeds make too narrow.
    n_seeds : int
        Seeds that enter.
    left_out : int
        Seeds that do not: a number of theirs is 0 or NaN, and has no logarithm.
    reference : str
        The number to compare with: 1, or what a theory says.
    """

    subject: str
    job: str
    channels: str
    noise: str
    number: str
    value: float
    low: float
    high: float
    n_seeds: int
    left_out: int
    reference: str


@dataclass(frozen=True)
class _Found:
    interval: Interval
    left_out: int

    @property
    def values(self) -> tuple[float, float, float, int, int]:
        """Value, ends of the interval, seeds that enter, and seeds that do not."""
        found = self.interval
        return found.value, found.low, found.high, found.n_seeds, self.left_out


def exploratory(tables: Tables) -> dict[str, pd.DataFrame]:
    """The table of estimates, as ``{"exploratory": ...}``: a pure function of the tables of `measure_members`.

    `filters` may have no rows of a job, and `curves` none of a curve or a noise mode: there are then no such estimates.
    """
    import pandas as pd

    curves, filters = tables["curves"], tables["filters"]
    found: list[Estimate] = []
    for job in dict.fromkeys(curves["job"]):
        data = _Data(curves[curves["job"] == job], filters[filters["job"] == job], str(job))
        for part in (_deformation, _noise, _constant_mode, _shuffling, _slopes, _mean_filters):
            found += part(data)
    order = {text: number for number, text in enumerate(dict.fromkeys(one.subject for one in found))}
    found.sort(key=lambda one: order[one.subject])
    names = [field.name for field in fields(Estimate)]
    return {"exploratory": pd.DataFrame([asdict(one) for one in found], columns=names)}


class _Data:
    """The rows of one job; arrays have a row a seed and a column a layer."""

    def __init__(self, curves: pd.DataFrame, filters: pd.DataFrame, job: str) -> None:
        self._curves, self._filters, self.job = curves, filters, job
        self._groups = dict(list(curves.groupby(["curve", "channels", "noise"], dropna=False)))
        first = curves.iloc[0]
        self.filter_size, self.stride, self.dim = (int(first[name]) for name in ("filter_size", "stride", "dim"))
        self.A = curves.groupby("k")["A"].first().to_numpy(dtype=np.float64)
        # Beyond xi the task has no more to gain; power laws end before it, where D of constant filters on blocks is 0.
        self.last = max(2, int((self.A - float(first["xi"]) < 1e-9).sum()))
        self.below = int((self.A - float(first["xi"]) < -1e-9).sum())

    @property
    def has_filters(self) -> bool:
        """Whether the spectrum of the filters was taken."""
        return not self._filters.empty

    @property
    def has_theory(self) -> bool:
        """Background noise has none."""
        return bool((self._curves["curve"] == "constant filters").any())

    def values(self, curve: str, quantity: str, channels: str, noise: str = PAPER_NOISE) -> FloatArray:
        return self._by_seed(self._groups[curve, channels, noise], quantity)

    def exact(self, quantity: str) -> FloatArray:
        """The curve of constant filters, shape (K,)."""
        rows = self._curves[(self._curves["curve"] == "constant filters") & (self._curves["noise"] == PAPER_NOISE)]
        return rows.sort_values("k")[quantity].to_numpy(dtype=np.float64)

    def constant(self, curve: str) -> FloatArray:
        return self._by_seed(self._filters[self._filters["curve"] == curve], "constant")

    def has(self, *curves: str, noise: str = PAPER_NOISE, channels: str = "each") -> bool:
        """Whether there are such rows of all these curves."""
        return all((curve, channels, noise) in self._groups for curve in curves)

    def ratio(self, subject: str, number: str, found: _Found, *, channels: str = "", noise: str = "") -> Estimate:
        """An estimate of a ratio, to be compared with 1."""
        return Estimate(subject, self.job, channels, noise, number, *found.values, "1")

    @staticmethod
    def _by_seed(rows: pd.DataFrame, quantity: str) -> FloatArray:
        return rows.pivot(index="seed", columns="k", values=quantity).to_numpy(dtype=np.float64)


def _ratio(above: FloatArray, below: FloatArray) -> _Found:
    """`bootstrap_ratio` over the seeds for which both are positive and finite."""
    enters = _positive(above) & _positive(below)
    if not enters.any():
        return _Found(Interval(np.nan, np.nan, np.nan, BOOTSTRAP["level"], 0), len(enters))
    return _Found(bootstrap_ratio(above[enters], below[enters], **BOOTSTRAP), int((~enters).sum()))


def _slope(A: FloatArray, values: FloatArray) -> _Found:
    """`fit_exponent` over the seeds for which all layers are positive and finite."""
    enters = np.asarray(_positive(values).all(axis=1))
    if not enters.any():
        return _Found(Interval(np.nan, np.nan, np.nan, BOOTSTRAP["level"], 0), len(enters))
    fit = fit_exponent(A, values[enters], **BOOTSTRAP)
    return _Found(Interval(fit.exponent, fit.low, fit.high, fit.level, fit.n_seeds), int((~enters).sum()))


def _positive(values: FloatArray) -> NDArray[np.bool_]:
    return np.isfinite(values) & (values > 0)


def _deformation(data: _Data) -> Iterator[Estimate]:
    k = data.last
    ratio = f"D_1/D_{k}"
    for channels in _channels(data, "trained", "initial"):
        trained, initial = (data.values(curve, "D", channels) for curve in ("trained", "initial"))
        falls = [_ratio(D[:, 0], D[:, k - 1]) for D in (trained, initial)]
        paired = _ratio(trained[:, 0] * initial[:, k - 1], trained[:, k - 1] * initial[:, 0])
        yield data.ratio("Fall of D with depth after training", ratio, falls[0], channels=channels)
        yield data.ratio("Fall of D with depth before training", ratio, falls[1], channels=channels)
        number = f"{ratio} trained / initial"
        yield data.ratio("Fall of D with depth after training over that before", number, paired, channels=channels)


def _noise(data: _Data) -> Iterator[Estimate]:
    k = data.last
    ratio = f"G_{k}/G_1"
    for noise in NOISE_MODES:
        for channels in _channels(data, "trained", "initial", noise=noise):
            trained, initial = (data.values(curve, "G", channels, noise) for curve in ("trained", "initial"))
            rises = [_ratio(G[:, k - 1], G[:, 0]) for G in (trained, initial)]
            paired = _ratio(trained[:, k - 1] * initial[:, 0], trained[:, 0] * initial[:, k - 1])
            where = {"channels": channels, "noise": noise}
            yield data.ratio("Rise of G with depth after training", ratio, rises[0], **where)
            yield data.ratio("Rise of G with depth before training", ratio, rises[1], **where)
            number = f"{ratio} trained / initial"
            yield data.ratio("Rise of G with depth after training over that before", number, paired, **where)


def _constant_mode(data: _Data) -> Iterator[Estimate]:
    if not data.has_filters:
        return
    subject = "Constant mode of the filters, after training over before"
    trained, initial = data.constant("trained"), data.constant("initial")
    yield data.ratio(subject, "mean P_0 trained / initial", _ratio(trained.mean(axis=1), initial.mean(axis=1)))
    hidden = _ratio(trained[:, 1:].mean(axis=1), initial[:, 1:].mean(axis=1))
    yield data.ratio(subject, "mean P_0 of layers 2 to K, trained / initial", hidden)


def _shuffling(data: _Data) -> Iterator[Estimate]:
    k = data.last
    for quantity in ("D", "G"):
        for channels in _channels(data, "shuffled", "trained"):
            shuffled, trained = (data.values(curve, quantity, channels)[:, k - 1] for curve in ("shuffled", "trained"))
            noise = "" if quantity == "D" else PAPER_NOISE
            subject, number = f"{quantity} with channels shuffled", f"{quantity}_{k} shuffled / trained"
            yield data.ratio(subject, number, _ratio(shuffled, trained), channels=channels, noise=noise)


def _slopes(data: _Data) -> Iterator[Estimate]:
    if data.below < FEWEST_LAYERS:
        return
    law = exponents(filter_size=data.filter_size, stride=data.stride, dim=data.dim)
    for quantity in ("D", "G"):
        expected = {f"Slope of {quantity} against A, beside the asymptotic one": getattr(law, quantity)}
        if data.has_theory:
            exact = fit_exponent(data.A, data.exact(quantity), layers=(1, data.below)).exponent
            expected[f"Slope of {quantity} against A, beside that of constant filters"] = exact
        for channels in _channels(data, "trained"):
            fit = _slope(data.A[: data.below], data.values("trained", quantity, channels)[:, : data.below])
            number = f"exponent of {quantity}, layers 1 to {data.below}"
            noise = "" if quantity == "D" else PAPER_NOISE
            for subject, value in expected.items():
                yield Estimate(subject, data.job, channels, noise, number, *fit.values, f"{value:.3g}")


def _mean_filters(data: _Data) -> Iterator[Estimate]:
    if not data.has_theory or not data.has("trained mean filters", "trained", channels="mean"):
        return
    for quantity in ("D", "G"):
        measured = data.values("trained", quantity, "mean")
        predicted = data.values("trained mean filters", quantity, "mean")
        for k in range(1, data.last + 1):
            found = _ratio(predicted[:, k - 1], measured[:, k - 1])
            subject, number = f"{quantity} of the channel mean by mean filters", f"{quantity}_{k} predicted / measured"
            noise = "" if quantity == "D" else PAPER_NOISE
            yield data.ratio(subject, number, found, channels="mean", noise=noise)


def _channels(data: _Data, *curves: str, noise: str = PAPER_NOISE) -> list[str]:
    return [channels for channels in ("each", "mean") if data.has(*curves, noise=noise, channels=channels)]
