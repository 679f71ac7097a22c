"""Each claim of the paper on two-pixel tasks, decided from the data of `depth-1d`: numbers, intervals, a verdict.

A verdict follows from the interval alone. A ratio that should exceed 1 is *reproduced* where all of its interval does,
*not reproduced* where none of it does, and *inconclusive* in between; the other way round for one that should not. What
theory predicts is *not reproduced* where the interval excludes it, and *reproduced* where the interval holds it and is
narrow: for an exponent 1/2 at most from end to end, for a ratio a factor of 2; else *inconclusive*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import NOISE_MODES
from scaledetect.reproduce.study import Tables
from scaledetect.results import Interval
from scaledetect.statistics.bootstrap import bootstrap_ratio
from scaledetect.statistics.exponent_fit import fit_exponent
from scaledetect.theory import exponents

__all__ = ["Claim", "decide"]

Verdict = Literal["reproduced", "not reproduced", "inconclusive"]

PAPER_NOISE = "rectified_noise"
BOOTSTRAP: dict[str, Any] = {"level": 0.95, "resamples": 2999}
FEWEST_LAYERS = 3
"""Layers that a slope is fitted to, at least."""
WIDEST_EXPONENT, WIDEST_RATIO = 0.5, 2.0
"""Intervals that are longer, or whose ends differ by a larger factor, decide nothing for a prediction."""


@dataclass(frozen=True)
class Claim:
    """One number that speaks for or against a claim.

    Attributes
    ----------
    claim : str
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
        Estimate over seeds and its bootstrap interval.
    n_seeds : int
    expected : str
        What the claim asks of it.
    verdict : {"reproduced", "not reproduced", "inconclusive"}
    """

    claim: str
    job: str
    channels: str
    noise: str
    number: str
    value: float
    low: float
    high: float
    n_seeds: int
    expected: str
    verdict: Verdict


def decide(tables: Tables) -> dict[str, pd.DataFrame]:
    """The table of claims, as ``{"claims": ...}``: a pure function of the tables of `measure_members`."""
    curves, filters = tables["curves"], tables["filters"]
    claims: list[Claim] = []
    for job in dict.fromkeys(curves["job"]):
        data = _Data(curves[curves["job"] == job], filters[filters["job"] == job], str(job))
        for part in (_deformation, _noise, _constant_mode, _shuffling, _slopes, _mean_filters):
            claims += part(data)
    order = {text: place for place, text in enumerate(dict.fromkeys(claim.claim for claim in claims))}
    claims.sort(key=lambda claim: order[claim.claim])
    return {"claims": pd.DataFrame([asdict(claim) for claim in claims])}


class _Data:
    """The rows of one job; arrays have a row a seed and a column a layer."""

    def __init__(self, curves: pd.DataFrame, filters: pd.DataFrame, job: str) -> None:
        self._curves, self._filters, self.job = curves, filters, job
        first = curves.iloc[0]
        self.filter_size, self.stride, self.dim = (int(first[name]) for name in ("filter_size", "stride", "dim"))
        self.A = curves.groupby("k")["A"].first().to_numpy(dtype=np.float64)
        # Beyond xi the task has no more to gain; power laws end before it, where D of constant filters on blocks is 0.
        self.last = max(2, int((self.A - float(first["xi"]) < 1e-9).sum()))
        self.below = int((self.A - float(first["xi"]) < -1e-9).sum())

    @property
    def has_theory(self) -> bool:
        """Background noise has none."""
        return bool((self._curves["curve"] == "constant filters").any())

    def values(self, curve: str, quantity: str, channels: str, noise: str = PAPER_NOISE) -> FloatArray:
        rows = self._curves
        rows = rows[(rows["curve"] == curve) & (rows["channels"] == channels) & (rows["noise"] == noise)]
        return self._by_seed(rows, quantity)

    def exact(self, quantity: str) -> FloatArray:
        """The curve of constant filters, shape (K,)."""
        rows = self._curves[(self._curves["curve"] == "constant filters") & (self._curves["noise"] == PAPER_NOISE)]
        return rows.sort_values("k")[quantity].to_numpy(dtype=np.float64)

    def constant(self, curve: str) -> FloatArray:
        return self._by_seed(self._filters[self._filters["curve"] == curve], "constant")

    def claim(
        self, text: str, number: str, found: Interval, *, channels: str = "", noise: str = "", rises: bool = True
    ) -> Claim:
        """One about a ratio, which is to exceed 1, or not to."""
        values = (found.value, found.low, found.high, found.n_seeds)
        expected = "> 1" if rises else "<= 1"
        return Claim(text, self.job, channels, noise, number, *values, expected, _verdict(found, rises))

    @staticmethod
    def _by_seed(rows: pd.DataFrame, quantity: str) -> FloatArray:
        table = rows.pivot_table(index="seed", columns="k", values=quantity, dropna=False)
        return table.to_numpy(dtype=np.float64)


def _ratio(above: FloatArray, below: FloatArray) -> Interval:
    """`bootstrap_ratio`, or no number at all where one of them is 0 or undefined for a seed: that decides nothing."""
    if not ((above > 0) & (below > 0) & np.isfinite(above) & np.isfinite(below)).all():
        return Interval(np.nan, np.nan, np.nan, BOOTSTRAP["level"], len(above))
    return bootstrap_ratio(above, below, **BOOTSTRAP)


def _slope(A: FloatArray, values: FloatArray) -> Interval:
    """`fit_exponent`, with the same reserve."""
    if not ((values > 0) & np.isfinite(values)).all():
        return Interval(np.nan, np.nan, np.nan, BOOTSTRAP["level"], len(values))
    fit = fit_exponent(A, values, **BOOTSTRAP)
    return Interval(fit.exponent, fit.low, fit.high, fit.level, fit.n_seeds)


def _verdict(found: Interval, rises: bool) -> Verdict:
    if not found.excludes(1):
        return "inconclusive"
    return "reproduced" if (found.low > 1) == rises else "not reproduced"


def _deformation(data: _Data) -> Iterator[Claim]:
    k = data.last
    for channels in ("each", "mean"):
        trained, initial = (data.values(curve, "D", channels) for curve in ("trained", "initial"))
        falls = [_ratio(D[:, 0], D[:, k - 1]) for D in (trained, initial)]
        paired = _ratio(trained[:, 0] * initial[:, k - 1], trained[:, k - 1] * initial[:, 0])
        ratio = f"D_1/D_{k}"
        yield data.claim("D falls with depth after training", ratio, falls[0], channels=channels)
        yield data.claim("D does not fall with depth before training", ratio, falls[1], channels=channels, rises=False)
        yield data.claim(
            "D falls more after training than before", f"{ratio} trained / initial", paired, channels=channels
        )


def _noise(data: _Data) -> Iterator[Claim]:
    k = data.last
    for noise in NOISE_MODES:
        for channels in ("each", "mean"):
            trained, initial = (data.values(curve, "G", channels, noise) for curve in ("trained", "initial"))
            rises = [_ratio(G[:, k - 1], G[:, 0]) for G in (trained, initial)]
            paired = _ratio(trained[:, k - 1] * initial[:, 0], trained[:, 0] * initial[:, k - 1])
            ratio = f"G_{k}/G_1"
            yield data.claim("G rises with depth after training", ratio, rises[0], channels=channels, noise=noise)
            yield data.claim(
                "G does not rise with depth before training",
                ratio,
                rises[1],
                channels=channels,
                noise=noise,
                rises=False,
            )
            yield data.claim(
                "G rises more after training than before",
                f"{ratio} trained / initial",
                paired,
                channels=channels,
                noise=noise,
            )


def _constant_mode(data: _Data) -> Iterator[Claim]:
    trained, initial = data.constant("trained"), data.constant("initial")
    found = _ratio(trained.mean(axis=1), initial.mean(axis=1))
    yield data.claim("The constant mode of the filters grows with training", "mean P_0 trained / initial", found)
    hidden = _ratio(trained[:, 1:].mean(axis=1), initial[:, 1:].mean(axis=1))
    number = "mean P_0 of layers 2 to K, trained / initial"
    yield data.claim("The constant mode of the filters grows with training", number, hidden)


def _shuffling(data: _Data) -> Iterator[Claim]:
    k = data.last
    for quantity, text in (("D", "Shuffling channels raises D"), ("G", "Shuffling channels lowers G")):
        for channels in ("each", "mean"):
            values = [data.values(curve, quantity, channels)[:, k - 1] for curve in ("shuffled", "trained")]
            above, below = values if quantity == "D" else values[::-1]
            number = f"{quantity}_{k} {'shuffled / trained' if quantity == 'D' else 'trained / shuffled'}"
            noise = "" if quantity == "D" else PAPER_NOISE
            yield data.claim(text, number, _ratio(above, below), channels=channels, noise=noise)


def _slopes(data: _Data) -> Iterator[Claim]:
    if data.below < FEWEST_LAYERS:
        return
    law = exponents(filter_size=data.filter_size, stride=data.stride, dim=data.dim)
    kind = "without stride" if data.stride == 1 else "with stride"
    for quantity in ("D", "G"):
        expected = {f"The slope of {quantity} against A, {kind}, is the predicted one": getattr(law, quantity)}
        if data.has_theory:
            exact = fit_exponent(data.A, data.exact(quantity), layers=(1, data.below)).exponent
            expected[f"The slope of {quantity} against A is that of constant filters, exact"] = exact
        for channels in ("each", "mean"):
            fit = _slope(data.A[: data.below], data.values("trained", quantity, channels)[:, : data.below])
            number = f"exponent of {quantity}, layers 1 to {data.below}"
            for text, value in expected.items():
                held = not (value < fit.low or value > fit.high)
                yield Claim(
                    text, data.job, channels, "" if quantity == "D" else PAPER_NOISE, number,
                    fit.value, fit.low, fit.high, fit.n_seeds, f"{value:.3g}",
                    _prediction(held, fit.high - fit.low <= WIDEST_EXPONENT),
                )  # fmt: skip


def _mean_filters(data: _Data) -> Iterator[Claim]:
    if not data.has_theory:
        return
    for quantity in ("D", "G"):
        measured = data.values("trained", quantity, "mean")
        predicted = data.values("trained mean filters", quantity, "mean")
        for k in range(1, data.last + 1):
            found = _ratio(predicted[:, k - 1], measured[:, k - 1])
            yield Claim(
                f"The mean filters predict {quantity} of the channel mean", data.job, "mean",
                "" if quantity == "D" else PAPER_NOISE, f"{quantity}_{k} predicted / measured",
                found.value, found.low, found.high, found.n_seeds, "1",
                _prediction(not found.excludes(1), found.high <= WIDEST_RATIO * found.low),
            )  # fmt: skip


def _prediction(held: bool, narrow: bool) -> Verdict:
    """The verdict on what the theory predicts: whether the interval holds it, and whether it would notice."""
    if not held:
        return "not reproduced"
    return "reproduced" if narrow else "inconclusive"
