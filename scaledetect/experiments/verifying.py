"""Compare data made anew with the frozen ones: equal, of the same nets, or of nets of the same distribution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from scaledetect._base.errors import bad_value
from scaledetect.experiments.experiment import Experiment, load_experiment
from scaledetect.experiments.lines import Line, read_lines

__all__ = ["ExperimentVerdict", "verify_experiment"]

FloatArray = NDArray[np.float64]

PLATFORM = 1e-3
"""Relative difference that processors make in a measurement of the same net in float32, and in its standard errors."""

LEVEL = 1e-3
"""Level, over all layers and quantities together, at which retrained nets are called different."""

ENOUGH = 3
"""Nets on each side that a comparison of distributions needs."""


@dataclass(frozen=True)
class ExperimentVerdict:
    """What a comparison found.

    Attributes
    ----------
    kind : {"identical", "consistent", "differs", "cannot verify"}
        Line by line the same; the same within what processors move, or, for nets that were trained anew, of the same
        distribution; neither; or too few nets to tell.
    why : str
        What differs, or what the comparison rests on.
    """

    kind: Literal["identical", "consistent", "differs", "cannot verify"]
    why: str


def verify_experiment(path: str | Path, experiment: Experiment | None = None) -> ExperimentVerdict:
    """Compare a data file that `make_experiment` wrote, of all seeds or of some, with the frozen data.

    Parameters
    ----------
    path : str or Path
    experiment : Experiment, optional
        By default the one the file names.

    Returns
    -------
    ExperimentVerdict
        Nets of equal weights are compared one by one, to a relative 1e-3. Trained nets are not the same on every
        processor: their ln D, ln G and ln Delta are compared layer by layer by Welch's t test, at level 1e-3 over all
        of them (Bonferroni).

    Raises
    ------
    ValueError
        For a file that is no such data, or of another recipe.
    """
    header, lines = read_lines(Path(path))
    frozen = load_experiment(header["name"]) if experiment is None else experiment
    if header["recipe"] != frozen.card.recipe_hash:
        text = f"was made by another recipe than that of {frozen.name!r}"
        raise bad_value("path", str(path), text, "make it again with the card of this version")
    if header["digest"] != frozen.card.current_digest():
        return ExperimentVerdict("differs", "the data of the task are others than those of the card")
    mine = {_key(line): line for line in lines}
    theirs = {_key(line): line for line in frozen.lines}
    if unknown := [key for key in mine if key not in theirs]:
        return ExperimentVerdict("differs", f"has lines that the frozen data have not: {unknown[0]}")
    seeds = {line["seed"] for line in lines}
    if missing := [key for key in theirs if key not in mine and key[1] in seeds]:
        return ExperimentVerdict("differs", f"lacks lines of the frozen data: {missing[0]}")
    if all(line == theirs[key] for key, line in mine.items()):
        return ExperimentVerdict("identical", f"all {len(lines)} lines of {len(seeds)} nets")
    same = {seed for seed in seeds if mine["net", seed]["weights"] == theirs["net", seed]["weights"]}
    if same == seeds:
        return _same_nets(mine, theirs)
    return _same_distribution(lines, list(frozen.lines), len(seeds))


def _key(line: Line) -> tuple[Any, ...]:
    return (line["kind"], line["seed"], *(line[name] for name in ("curve", "noise", "channels") if name in line))


def _same_nets(mine: dict[tuple[Any, ...], Line], theirs: dict[tuple[Any, ...], Line]) -> ExperimentVerdict:
    worst, where = 0.0, ""
    for key, line in mine.items():
        if line["kind"] != "curve":
            continue
        for name in ("D", "G", "R", "Delta"):
            gap = _gap(line[name], theirs[key][name])
            if gap > worst:
                worst, where = gap, f"{name} of {key}"
    text = f"the same nets; the largest relative difference is {worst:.1e}, in {where}"
    return ExperimentVerdict("consistent" if worst <= PLATFORM else "differs", text)


def _gap(one: list[float | None], other: list[float | None]) -> float:
    a, b = (np.array(values, dtype=float) for values in (one, other))
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return float("inf")
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    return float(np.nanmax(gaps, initial=0.0))


def _same_distribution(mine: list[Line], theirs: list[Line], nets: int) -> ExperimentVerdict:
    if nets < ENOUGH:
        return ExperimentVerdict("cannot verify", f"the nets were trained anew, and {nets} are too few to compare")
    tests = list(_tests(mine, theirs))
    worst = min(p for _, p in tests)
    least = min(1.0, worst * len(tests))
    where = next(name for name, p in tests if p == worst)
    text = f"{nets} nets trained anew, {len(tests)} comparisons; the least p is {worst:.1e}, in {where}"
    return ExperimentVerdict("differs" if least < LEVEL else "consistent", text)


def _tests(mine: list[Line], theirs: list[Line]) -> Iterator[tuple[str, float]]:
    """Name and p-value of Welch's test for each layer and quantity of the nets."""
    for noise in sorted({line["noise"] for line in mine if line["kind"] == "curve"}):
        for name in ("D", "G", "Delta"):
            a, b = (_logarithms(lines, noise, name) for lines in (mine, theirs))
            for k in range(a.shape[1]):
                one, other = a[np.isfinite(a[:, k]), k], b[np.isfinite(b[:, k]), k]
                if min(len(one), len(other)) >= ENOUGH and np.ptp(np.concatenate([one, other])) > 0:
                    yield (
                        f"{name} of layer {k + 1}, {noise}",
                        float(stats.ttest_ind(one, other, equal_var=False).pvalue),
                    )


def _logarithms(lines: list[Line], noise: str, name: str) -> FloatArray:
    """Logarithms of a quantity, shape (nets, K); NaN where it is missing or zero."""
    chosen = [
        line[name]
        for line in lines
        if line["kind"] == "curve" and (line["curve"], line["channels"], line["noise"]) == ("net", "each", noise)
    ]
    values = np.array(chosen, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: FloatArray = np.log(values)
    return logs
