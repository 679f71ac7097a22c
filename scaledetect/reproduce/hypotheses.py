"""Primary hypotheses: the file that was written before the runs, checked strictly."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect.perturbations.noise import NoiseMode

__all__ = ["Form", "Hypotheses", "Hypothesis", "load_hypotheses"]

Form = Literal["fall", "rise", "slope", "mean_log_ratio", "ln_half_time"]
"""How one number of a net is formed from its curve; `scaledetect.reproduce.forms` does it."""

FILE = "hypotheses.toml"

_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Hypothesis(_Table):
    """One primary hypothesis.

    Attributes
    ----------
    id, claim : str
        Short name; the claim in words.
    kind : {"direction", "prediction"}
        Whether a mean is claimed to be positive, or to lie within a tolerance of 0.
    protocol : {"paper", "other"}
        Whether it is about the published recipe.
    experiment, baseline : str
        Names of frozen experiments; of the baseline the same number is taken off, seed by seed.
    quantity : {"D", "G", "R", "share", "half_time"}
    channels, noise
        As in `Experiment.measurements`.
    layers : tuple of int
        Counted from 1, one after the other.
    form : {"fall", "rise", "slope", "mean_log_ratio", "ln_half_time"}
    prediction : {"constant-filters", "infinite-width", "cluster"}, optional
        The theory that a slope or a ratio is held against.
    tolerance : float, optional
        Of a prediction: half-width, in the unit of the form.
    least_tolerance, power, pilot_mean, pilot_sd : float
    seeds, pilot_seeds : int
        What the pilot said, and the tolerance it allows at power .8.
    """

    id: str
    claim: str
    kind: Literal["direction", "prediction"]
    protocol: Literal["paper", "other"]
    experiment: str
    baseline: str | None = None
    quantity: Literal["D", "G", "R", "share", "half_time"]
    channels: Literal["each", "mean"] = "each"
    noise: NoiseMode = "rectified_noise"
    layers: Annotated[tuple[_Count, ...], Field(min_length=2, strict=False)]
    form: Form
    prediction: Literal["constant-filters", "infinite-width", "cluster"] | None = None
    tolerance: _Positive | None = None
    least_tolerance: _Positive | None = None
    seeds: _Count
    power: Annotated[float, Field(gt=0, le=1)]
    pilot_mean: float
    pilot_sd: _Positive
    pilot_seeds: _Count

    @model_validator(mode="after")
    def _parts_fit(self) -> Hypothesis:
        if (self.kind == "prediction") != (self.tolerance is not None):
            raise InvalidValueError(f"kind={self.kind!r}: a tolerance goes with predictions, and only with them")
        if (self.form in ("slope", "mean_log_ratio")) != (self.prediction is not None):
            raise InvalidValueError(
                f"form={self.form!r}: a theory goes with slope and mean_log_ratio, and only with them"
            )
        if (self.form == "ln_half_time") != (self.quantity == "half_time"):
            raise InvalidValueError(f"form={self.form!r}: ln_half_time goes with half_time, and only with it")
        if any(after - before != 1 for before, after in pairwise(self.layers)):
            raise InvalidValueError(f"layers={self.layers}: must follow one another")
        if self.least_tolerance is not None and (self.tolerance or 0.0) < self.least_tolerance:
            raise InvalidValueError(
                f"tolerance={self.tolerance}: must be at least least_tolerance={self.least_tolerance}"
            )
        return self


class Hypotheses(_Table):
    """All of them, with the error level that they share.

    Attributes
    ----------
    format : "scaledetect.hypotheses/1"
    alpha : float
        Chance of any false confirmation among all, and of any false refutation.
    pilot : str
        What the tolerances were chosen from.
    hypotheses : tuple of Hypothesis
    """

    format: Literal["scaledetect.hypotheses/1"]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    pilot: str
    hypotheses: Annotated[tuple[Hypothesis, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Hypotheses:
        ids = [one.id for one in self.hypotheses]
        if len(set(ids)) < len(ids):
            raise InvalidValueError(f"id: must differ, and are {ids}")
        return self

    def __len__(self) -> int:
        """m, the number of hypotheses: each is decided at level alpha / m."""
        return len(self.hypotheses)


def load_hypotheses(path: str | Path | None = None) -> Hypotheses:
    """Read hypotheses, by default those of the package.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file.

    Returns
    -------
    Hypotheses

    Raises
    ------
    ValueError
        For a file that cannot be read, is no TOML, or does not hold what it must; the message names file and key.

    Examples
    --------
    >>> from scaledetect.reproduce import load_hypotheses
    >>> found = load_hypotheses()
    >>> found.alpha, found.hypotheses[0].id
    (0.05, 'block-D-falls')
    """
    return _shipped() if path is None else _read(Path(path))


@cache
def _shipped() -> Hypotheses:
    beside = files("scaledetect.reproduce").joinpath(FILE)
    # A wheel has a copy beside this module; a checkout has the file itself.
    return _read(beside if beside.is_file() else Path(__file__).resolve().parents[2] / "docs" / FILE)


def _read(path: Traversable) -> Hypotheses:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise bad_value("path", str(path), f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # not TOML, a number of too many digits, arrays too deep
        raise bad_value("path", str(path), f"is no TOML ({error})") from error
    try:
        return Hypotheses.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise bad_value("path", str(path), f"{where}: {first['msg']}") from error
