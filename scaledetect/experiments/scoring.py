"""Score of a prediction against an experiment: what is compared, and what is no prediction of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.files import plain
from scaledetect.perturbations.noise import NoiseMode
from scaledetect.results import Sensitivities
from scaledetect.statistics.hotelling import ROWS_PER_LAYER, hotelling
from scaledetect.statistics.score import Score, score

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Channels, Experiment
    from scaledetect.theory._contract import Prediction

__all__ = ["SCORED", "PredictionScore", "by_seed", "check_prediction", "score_prediction", "scored_layers"]

SCORED = ("D", "G", "R")

MODE: NoiseMode = "rectified_noise"

FEWEST_NETS = 3


@dataclass(frozen=True)
class PredictionScore:
    """How far a prediction is from an experiment.

    Attributes
    ----------
    experiment : str
    D, G, R : Score
        `square` and its `stderr`, its root `value`, `within_10_percent`, and `net_square`, the score of single nets.
    layers : tuple of str
        Layers that are scored: those with A below the xi of the task, without the ones that were fitted.
    seeds : tuple of int
        Nets that are scored: those with a prediction, without the collapsed ones.
    collapsed : tuple of int
        Nets with a prediction that are left out, as the experiment's `collapsed` says.
    p_value : float or None
        Of Hotelling's joint test of ln D and ln G in these layers, for a prediction that claims to be exact: the chance
        of a larger deviation if it is. None where it does not claim so.
    """

    experiment: str
    D: Score
    G: Score
    R: Score
    layers: tuple[str, ...]
    seeds: tuple[int, ...]
    collapsed: tuple[int, ...]
    p_value: float | None = None

    @property
    def square(self) -> float:
        """Mean of the three squares: what theories are ranked by."""
        return float(np.mean([getattr(self, name).square for name in SCORED]))


def scored_layers(experiment: Experiment, fitted_layers: int = 0) -> slice:
    """Places of the layers that are scored: A below xi, without the first `fitted_layers`."""
    inside = np.less(experiment.A, float(experiment.task.xi))
    last = len(inside) if inside.all() else int(np.argmin(inside))
    if fitted_layers >= last:
        text = f"leaves no layer of {experiment.name!r} to score: {last} have A below xi"
        raise bad_value("fitted_layers", fitted_layers, text)
    return slice(fitted_layers, last)


def score_prediction(
    experiment: Experiment,
    prediction: Prediction,
    *,
    noise: NoiseMode = MODE,
    channels: Channels = "each",
    fitted_layers: int = 0,
    exact: bool = False,
) -> PredictionScore:
    """`Experiment.score`, which explains the arguments."""
    predicted = by_seed(experiment, prediction)
    for one in (prediction,) if isinstance(prediction, Sensitivities) else predicted.values():
        check_prediction(experiment, one, noise=noise, channels=channels)
    left_out = _collapsed(experiment)
    collapsed = tuple(seed for seed in predicted if seed in left_out)
    seeds = tuple(seed for seed in predicted if seed not in collapsed)
    if len(seeds) < FEWEST_NETS:
        text = f"must be of at least {FEWEST_NETS} nets that have not collapsed"
        raise bad_value("prediction", list(predicted), text, "give one for all nets, or for more seeds")
    rows = scored_layers(experiment, fitted_layers)
    found = dict(zip(experiment.seeds, _measured(experiment, noise, channels), strict=True))
    measured = [found[seed] for seed in seeds]
    mine = [predicted[seed] for seed in seeds]
    # One prediction for all nets does not follow single ones, and is not asked to.
    single = not isinstance(prediction, Sensitivities)
    scores = {name: _score(mine, measured, name, rows, single) for name in SCORED}
    p_value = _p_value(mine, measured, rows) if exact else None
    return PredictionScore(
        experiment.name, **scores, layers=experiment.layers[rows], seeds=seeds, collapsed=collapsed, p_value=p_value
    )


def by_seed(experiment: Experiment, prediction: Prediction) -> dict[int, Sensitivities]:
    """The prediction of each net that has one, by seed."""
    given: Any = prediction
    if isinstance(given, Sensitivities):
        return dict.fromkeys(experiment.seeds, given)
    if isinstance(given, Mapping):
        if unknown := [seed for seed in given if seed not in experiment.seeds]:
            text = f"has seeds that {experiment.name!r} has not"
            raise bad_value("prediction", unknown, text, f"it has {experiment.seeds}")
        found = {seed: given[seed] for seed in experiment.seeds if seed in given}
    elif isinstance(given, Sequence) and not isinstance(given, str):
        if len(given) != len(experiment.seeds):
            text = f"must be one for each of the {len(experiment.seeds)} nets of {experiment.name!r}"
            raise bad_value("len(prediction)", len(given), text, "a mapping from seeds may be of some of them")
        found = dict(zip(experiment.seeds, given, strict=True))
    else:
        text, way_out = "must be a Sensitivities, or one a net", "make one with Sensitivities.from_arrays"
        raise bad_type("prediction", given, text, way_out)
    for seed, one in found.items():
        if not isinstance(one, Sensitivities):
            text, way_out = "must be a Sensitivities", "make one with Sensitivities.from_arrays"
            raise bad_type(f"prediction of seed {seed}", one, text, way_out)
    return found


def check_prediction(
    experiment: Experiment, one: Sensitivities, *, noise: NoiseMode = MODE, channels: Channels = "each"
) -> None:
    """Raise unless it can be a prediction of this experiment: its layers, its numbers, and what its `config` says."""
    if one.layers != experiment.layers:
        text = f"must be those of {experiment.name!r}, {experiment.layers}"
        raise bad_value("prediction.layers", one.layers, text)
    for name in SCORED:
        values = getattr(one, name)
        if np.isinf(values).any() or (values < 0).any():
            text = "must be finite and not negative"
            raise bad_value(f"prediction.{name}", values.tolist(), text, "NaN says nothing of a layer")
    for key, said, wanted in _said(experiment, one.config, noise, channels):
        if said != wanted:
            text = f"is a prediction of something else than {experiment.name!r}, which has {wanted!r}"
            way_out = "score another experiment, noise or channels, or predict for this one"
            raise bad_value(f"prediction.config[{key!r}]", said, text, way_out)


def _said(
    experiment: Experiment, config: Mapping[str, Any], noise: str, channels: str
) -> list[tuple[str, object, object]]:
    """What the config of a prediction says that experiments have too: (key, what it says, what it must say)."""
    net, mode, task = config.get("net"), config.get("noise"), config.get("task")
    said: list[tuple[str, object, object]] = []
    if "experiment" in config:
        said.append(("experiment", config["experiment"], experiment.name))
    if isinstance(task, Mapping):
        said.append(("task", dict(task), plain(asdict(experiment.task))))
    if isinstance(net, Mapping):
        pooling = asdict(experiment.pooling)
        said += [(key, net[key], plain(pooling[key])) for key in ("filter_size", "stride") if key in net]
    if mode is not None:
        said.append(("noise", mode.get("mode") if isinstance(mode, Mapping) else mode, noise))
    if "channel_mean" in config:
        said.append(("channel_mean", config["channel_mean"], channels == "mean"))
    return said


@lru_cache(maxsize=64)
def _measured(experiment: Experiment, noise: NoiseMode, channels: Channels) -> tuple[Sensitivities, ...]:
    """The same for all theories."""
    return experiment.measurements(noise, channels)


@lru_cache(maxsize=64)
def _collapsed(experiment: Experiment) -> tuple[int, ...]:
    return experiment.collapsed


def _table(rows: Sequence[Sensitivities], name: str, layers: slice) -> FloatArray:
    return np.array([getattr(one, name)[layers] for one in rows])


def _score(
    predicted: Sequence[Sensitivities], measured: Sequence[Sensitivities], name: str, layers: slice, single: bool
) -> Score:
    stderr = _table(measured, f"{name}_stderr", layers) if single else None
    return score(_table(predicted, name, layers), _table(measured, name, layers), measured_stderr=stderr)


def _p_value(predicted: Sequence[Sensitivities], measured: Sequence[Sensitivities], layers: slice) -> float | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = [
            np.log(_table(measured, name, layers)) - np.log(_table(predicted, name, layers)) for name in ("D", "G")
        ]
    # D and G take turns, so that layers left out by the test are of both.
    rows = np.stack(columns, axis=2).reshape(len(measured), -1)
    varies = np.isfinite(rows).all(axis=0) & (np.ptp(np.where(np.isfinite(rows), rows, 0), axis=0) > 0)
    if not varies.any() or len(rows) < ROWS_PER_LAYER:
        return None
    return hotelling(rows[:, varies]).p_value
