"""Frozen experiments as the tables of `measure_members`: trained nets beside the same nets at initialisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from scaledetect.perturbations.noise import Noise, NoiseMode
from scaledetect.reproduce.primary import Find, try_experiment
from scaledetect.reproduce.study import Tables

if TYPE_CHECKING:
    from scaledetect.experiments import Experiment
    from scaledetect.results import Sensitivities

__all__ = ["experiment_tables"]

CURVES = {"net": "trained", "shuffled": "shuffled", "mean-filters": "trained mean filters"}
PAPER_NOISE: NoiseMode = "rectified_noise"


def experiment_tables(names: Iterable[str] | None = None, *, find: Find | None = None) -> Tables:
    """The table ``curves`` of trained experiments, a job each, and an empty table ``filters``.

    Parameters
    ----------
    names : iterable of str, optional
        Trained experiments; by default all of the package that have data, with data of the same nets at initialisation.
    find : callable, optional
        From a name to an experiment; by default those of the package.
    """
    import pandas as pd

    look = try_experiment if find is None else find
    rows: list[dict[str, Any]] = []
    for name in _trained() if names is None else names:
        trained, initial = look(name), look(_initial_name(name))
        if trained is not None:
            rows += _rows(trained, initial)
    columns = ["job", "curve", "channels", "noise", "seed", "k", "A", "D", "G", "filter_size", "stride", "dim", "xi"]
    filters = pd.DataFrame(columns=["job", "curve", "seed", "k", "constant"])
    return {"curves": pd.DataFrame(rows, columns=columns), "filters": filters}


def _trained() -> list[str]:
    from scaledetect.experiments import list_experiments

    return [*list_experiments("trained"), *list_experiments("ridge")]


def _initial_name(name: str) -> str:
    """``block-1d-L128-ridge-after`` has the nets of ``block-1d-L128-initial``."""
    for ending in ("-ridge-after", "-ridge", "-trained"):
        if name.endswith(ending):
            return f"{name.removesuffix(ending)}-initial"
    return f"{name}-initial"


def _rows(trained: Experiment, initial: Experiment | None) -> Iterator[dict[str, Any]]:
    pooling, task = trained.pooling, trained.task
    about = {
        "job": trained.name, "filter_size": pooling.filter_size[0], "stride": pooling.stride[0], "dim": task.dim,
        "xi": float(task.xi),
    }  # fmt: skip
    # Pairs need the same nets in both.
    seeds = set(trained.seeds) & set(trained.seeds if initial is None else initial.seeds)
    for curve, label in CURVES.items():
        for noise, channels, measured in _measurements(trained, curve):
            yield from _curve(trained, measured, seeds, {**about, "curve": label, "noise": noise, "channels": channels})
    if initial is not None:
        for noise, channels, measured in _measurements(initial, "net"):
            where = {**about, "curve": "initial", "noise": noise, "channels": channels}
            yield from _curve(initial, measured, seeds, where)
    if not task.background_noise:
        where = {**about, "curve": "constant filters", "noise": PAPER_NOISE, "channels": "mean", "seed": np.nan}
        yield from _layers(trained, _constant_filters(trained), where)


def _measurements(e: Experiment, curve: str) -> Iterator[tuple[str, str, tuple[Sensitivities, ...]]]:
    """What there is of a curve: noise mode, channels, and the measurements by seed."""
    there = {(line["noise"], line["channels"]) for line in e.lines if line.get("curve") == curve}
    for noise, channels in sorted(there):
        yield noise, channels, e.measurements(noise, channels, curve)  # type: ignore[arg-type]


def _curve(
    e: Experiment, measured: tuple[Sensitivities, ...], seeds: set[int], where: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    for seed, s in zip(e.seeds, measured, strict=True):
        if seed in seeds:
            yield from _layers(e, s, {**where, "seed": seed})


def _layers(e: Experiment, s: Sensitivities, where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for k in range(e.pooling.depth):
        yield {**where, "k": k + 1, "A": float(e.A[k]), "D": float(s.D[k]), "G": float(s.G[k])}


def _constant_filters(e: Experiment) -> Sensitivities:
    import warnings

    from scaledetect.theory import sensitivities

    pooling = e.pooling
    with warnings.catch_warnings():
        # A last layer of one site may be constant in a net of one channel: its row of NaN says so.
        warnings.filterwarnings("ignore", message="constant over the images", category=RuntimeWarning)
        return sensitivities(
            e.task,
            filter_size=pooling.filter_size,
            stride=pooling.stride,
            depth=pooling.depth,
            noise=Noise(PAPER_NOISE),
        )
