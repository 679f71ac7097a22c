"""The primary hypotheses on images: the file that was written before the runs, and their verdicts from tables."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect.statistics import Decision, decide_direction
from scaledetect.statistics.verdict import Verdict, level_of_each

if TYPE_CHECKING:
    import pandas as pd

    from scaledetect.reproduce.study import Tables

__all__ = [
    "ImageHypotheses",
    "ImageHypothesis",
    "claims_frame",
    "claims_table",
    "decide_on_images",
    "load_image_hypotheses",
    "numbers",
]

FILE = "hypotheses-images.toml"

LEAST_KINDS = 5
"""Kinds of nets for a correlation over kinds: fewer say nothing."""

MOST_ENUMERATED, ORDERS = 8, 200_000
"""Kinds of which every order is counted; of more, so many orders are drawn at random, always the same."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ImageHypothesis(_Table):
    """One primary hypothesis on images; the file says how its number is formed."""

    id: str
    claim: str
    number: Literal["fall", "shuffled_output", "shuffled_fall", "constant_rise", "error_correlation"]
    net: str | None = None
    sigma: float = 0.0
    n_train: int | None = None
    quantity: Literal["D", "G", "R"] = "D"
    sign: Literal[-1, 1] = 1

    @model_validator(mode="after")
    def _parts_fit(self) -> ImageHypothesis:
        if (self.number == "error_correlation") != (self.net is None):
            raise InvalidValueError(f"net={self.net!r}: a kind of net goes with all numbers but error_correlation")
        return self


class ImageHypotheses(_Table):
    """All of them: the error level that they share, and the training error at which a net has learnt."""

    format: Literal["scaledetect.image-hypotheses/1"]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    most_train_error: Annotated[float, Field(gt=0, lt=1)]
    hypotheses: Annotated[tuple[ImageHypothesis, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _ids_differ(self) -> ImageHypotheses:
        ids = [one.id for one in self.hypotheses]
        if len(set(ids)) < len(ids):
            raise InvalidValueError(f"id: must differ, and are {ids}")
        return self


@dataclass(frozen=True)
class DecidedOnImages:
    """A hypothesis, its decision (None without data), and how many nets were left out as they had not learnt."""

    hypothesis: ImageHypothesis
    decision: Decision | None
    not_learnt: int


def load_image_hypotheses(path: str | Path | None = None) -> ImageHypotheses:
    """Read hypotheses on images, by default those of the package; a `ValueError` names file and key."""
    beside = files("scaledetect.reproduce").joinpath(FILE)
    # A wheel has a copy beside the package's modules; a checkout has the file itself.
    shipped = beside if beside.is_file() else Path(__file__).resolve().parents[3] / "docs" / FILE
    source = shipped if path is None else Path(path)
    try:
        return ImageHypotheses.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except OSError as error:
        raise bad_value("path", str(source), f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise bad_value("path", str(source), f"is no TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise bad_value("path", str(source), f"{where}: {first['msg']}") from error


def decide_on_images(tables: Tables, hypotheses: ImageHypotheses | None = None) -> tuple[DecidedOnImages, ...]:
    """Decide the hypotheses from the tables ``nets``, ``layers`` and ``spectra`` of the figures on images.

    Each is decided at level alpha / m, with m all hypotheses of the file, those without data included.
    """
    given = load_image_hypotheses() if hypotheses is None else hypotheses
    return tuple(_decided(one, tables, given) for one in given.hypotheses)


def claims_frame(found: tuple[DecidedOnImages, ...]) -> pd.DataFrame:
    """One row a hypothesis: claim, estimate with its interval, p-values, nets, verdict."""
    import pandas as pd

    names = ("value", "low", "high", "level", "p_confirm", "p_refute", "n_seeds", "left_out")
    rows = []
    for one in found:
        h, d = one.hypothesis, one.decision
        values = {name: np.nan if d is None else getattr(d, name) for name in names}
        about = {"id": h.id, "claim": h.claim, "net": h.net or "all", "sigma": h.sigma, "number": h.number}
        verdict = "no data" if d is None else d.verdict
        rows.append({**about, "quantity": h.quantity, **values, "not_learnt": one.not_learnt, "verdict": verdict})
    return pd.DataFrame(rows)


def claims_table(found: pd.DataFrame) -> str:
    """The rows of `claims_frame` as a table in Markdown, for a page."""
    import pandas as pd

    lines = ["| claim | ratio or correlation | interval | nets or kinds | verdict |", "|---|---|---|---|---|"]
    for row in found.to_dict("records"):
        value = "-" if pd.isna(row["value"]) else f"{row['value']:.3g}"
        interval = "-" if pd.isna(row["low"]) else f"{row['low']:.3g} to {row['high']:.3g}"
        n = "0" if pd.isna(row["n_seeds"]) else f"{row['n_seeds']:.0f}"
        lines.append(f"| {row['claim']} | {value} | {interval} | {n} | **{row['verdict']}** |")
    return "\n".join(lines)


def numbers(hypothesis: ImageHypothesis, tables: Tables, most_train_error: float) -> tuple[FloatArray, int]:
    """The number y of each net that has learnt, by seed, and how many of its kind have not."""
    nets = tables["nets"]
    mine = _stratum(nets[nets["net"] == hypothesis.net], hypothesis).sort_values("seed")
    learnt = mine[mine["train_error"] <= most_train_error]
    y = [_number(hypothesis, tables, int(seed)) for seed in learnt["seed"]]
    return np.array(y, dtype=np.float64), len(mine) - len(learnt)


def _decided(hypothesis: ImageHypothesis, tables: Tables, given: ImageHypotheses) -> DecidedOnImages:
    m = len(given.hypotheses)
    if hypothesis.number == "error_correlation":
        return _correlated(hypothesis, tables, given)
    y, not_learnt = numbers(hypothesis, tables, given.most_train_error)
    if not len(y):
        return DecidedOnImages(hypothesis, None, not_learnt)
    decision = decide_direction(np.exp(y), np.ones(len(y)), alpha=given.alpha, hypotheses=m)
    return DecidedOnImages(hypothesis, decision, not_learnt)


def _number(h: ImageHypothesis, tables: Tables, seed: int) -> float:
    if h.number == "constant_rise":
        constant = {curve: _constant_share(h, tables, seed, curve) for curve in ("initial", "trained")}
        return float(np.log(constant["trained"] / constant["initial"]))
    D = {curve: _curve(h, tables, seed, curve) for curve in ("initial", "trained", "shuffled")}
    if h.number == "shuffled_output":
        return float(np.log(D["shuffled"][-1] / D["trained"][-1]))
    after = D["trained" if h.number == "fall" else "shuffled"]
    return float(np.log(after[0] / after[-1]) - np.log(D["initial"][0] / D["initial"][-1]))


def _curve(h: ImageHypothesis, tables: Tables, seed: int, curve: str) -> FloatArray:
    rows = _of_net(tables["layers"], h, seed)
    return rows[rows["curve"] == curve].sort_values("k")["D"].to_numpy(dtype=np.float64)


def _constant_share(h: ImageHypothesis, tables: Tables, seed: int, curve: str) -> float:
    """Mean over convolutions of the share of the constant, the mode of eigenvalue 0."""
    rows = _of_net(tables["spectra"], h, seed)
    return float(rows[(rows["curve"] == curve) & (rows["eigenvalue"] < 1e-9)]["P"].mean())


def _of_net(table: pd.DataFrame, h: ImageHypothesis, seed: int) -> pd.DataFrame:
    return _stratum(table[(table["net"] == h.net) & (table["seed"] == seed)], h)


def _stratum(table: pd.DataFrame, h: ImageHypothesis) -> pd.DataFrame:
    """The rows that the hypothesis speaks of: one strength of noise on the training images, one number of them."""
    mine = table[table["sigma"] == h.sigma]
    return mine if h.n_train is None else mine[mine["n_train"] == h.n_train]


def _correlated(h: ImageHypothesis, tables: Tables, given: ImageHypotheses) -> DecidedOnImages:
    """Spearman's coefficient over kinds, and the share of all orders that reach it."""
    nets = _stratum(tables["nets"], h)
    learnt = nets[nets["train_error"] <= given.most_train_error]
    logs = learnt.assign(log=np.log(learnt[h.quantity].where(learnt[h.quantity] > 0)))
    kinds = logs.groupby("net")[["test_error", "log"]].mean().dropna()
    not_learnt = len(nets) - len(learnt)
    if len(kinds) < LEAST_KINDS:
        return DecidedOnImages(h, None, not_learnt)
    errors, x = (kinds[name].to_numpy(dtype=np.float64) for name in ("test_error", "log"))
    rho = float(kinds.corr("spearman").to_numpy()[0, 1])
    ranks, others = (np.argsort(np.argsort(values)).astype(np.float64) for values in (x, errors))
    # Spearman's coefficient grows with the product of the ranks; the observed order is one of those that are counted.
    ours, orders = h.sign * float(ranks @ others), h.sign * (_orders(ranks) @ others)
    p_confirm, p_refute = float((orders >= ours).mean()), float((orders <= ours).mean())
    level = level_of_each(given.alpha, len(given.hypotheses))
    verdict: Verdict = "confirmed" if p_confirm <= level else "refuted" if p_refute <= level else "open"
    decision = Decision(verdict, rho, np.nan, np.nan, level, p_confirm, p_refute, len(kinds), 0)
    return DecidedOnImages(h, decision, not_learnt)


def _orders(ranks: FloatArray) -> FloatArray:
    """Every order of the ranks, or many at random with the observed one among them; one a row."""
    if len(ranks) <= MOST_ENUMERATED:
        return np.array(list(itertools.permutations(ranks)), dtype=np.float64)
    rng = np.random.Generator(np.random.Philox(key=0))
    drawn = rng.permuted(np.broadcast_to(ranks, (ORDERS, len(ranks))), axis=1)
    return np.concatenate([ranks[None], drawn])
