"""Primary hypotheses decided: one number a net from the frozen experiments, t tests at alpha over their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import Noise, NoiseMode
from scaledetect.reproduce import forms
from scaledetect.reproduce.hypotheses import Hypotheses, Hypothesis, load_hypotheses
from scaledetect.statistics import Decision, decide_direction, decide_prediction

if TYPE_CHECKING:
    import pandas as pd

    from scaledetect.experiments import Experiment

__all__ = [
    "Primary",
    "TheoryName",
    "decide_primary",
    "numbers",
    "predicted",
    "primary_frame",
    "try_experiment",
]


Find = Callable[[str], "Experiment | None"]
"""From the name of an experiment to the experiment, or None while there are no data of it."""


@dataclass(frozen=True)
class Primary:
    """A primary hypothesis and what became of it.

    Attributes
    ----------
    hypothesis : Hypothesis
    decision : Decision or None
        None while there are no data. For a direction the ratio that is claimed to exceed 1; for a prediction the mean
        of its form, in the unit of the tolerance.
    n_collapsed : int
        Nets that have no number because they did not learn, or have a NaN in a layer; among `decision.left_out`.
    """

    hypothesis: Hypothesis
    decision: Decision | None
    n_collapsed: int = 0


def decide_primary(hypotheses: Hypotheses | None = None, *, find: Find | None = None) -> tuple[Primary, ...]:
    """Decide the primary hypotheses from the data of the frozen experiments.

    Parameters
    ----------
    hypotheses : Hypotheses, optional
        Those of the package by default.
    find : callable, optional
        From a name to an experiment; by default those of the package.

    Returns
    -------
    tuple of Primary
        In the order of the file. Each is decided at level alpha / m, with m all hypotheses of the file, those without
        data included.
    """
    given = load_hypotheses() if hypotheses is None else hypotheses
    look = try_experiment if find is None else find
    return tuple(_primary(one, given, look) for one in given.hypotheses)


def numbers(hypothesis: Hypothesis, find: Find) -> tuple[FloatArray, int] | None:
    """The number y of each net, NaN for one that has none, and how many collapsed; None while data are missing."""
    experiment = find(hypothesis.experiment)
    baseline = None if hypothesis.baseline is None else find(hypothesis.baseline)
    if experiment is None or (baseline is None and hypothesis.baseline is not None):
        return None
    y = _by_seed(hypothesis, experiment)
    if baseline is not None:
        other = _by_seed(hypothesis, baseline)
        y = {seed: value - other.get(seed, np.nan) for seed, value in y.items()}
    collapsed = set(experiment.collapsed) | (set() if baseline is None else set(baseline.collapsed))
    values = np.array([np.nan if seed in collapsed else value for seed, value in y.items()])
    return values, len(collapsed & set(y))


def primary_frame(found: tuple[Primary, ...]) -> pd.DataFrame:
    """One row a hypothesis: claim, protocol, estimate with its interval, tolerance, p-values, nets, verdict."""
    import pandas as pd

    rows = []
    for one in found:
        h, d = one.hypothesis, one.decision
        about = {"id": h.id, "claim": h.claim, "kind": h.kind, "protocol": h.protocol, "experiment": h.experiment}
        names = ("value", "low", "high", "level", "p_confirm", "p_refute", "n_seeds", "left_out")
        values = {name: np.nan if d is None else getattr(d, name) for name in names}
        rest = {
            "n_collapsed": one.n_collapsed,
            "tolerance": h.tolerance,
            "verdict": "no data" if d is None else d.verdict,
        }
        rows.append({**about, "number": _words(h), **values, **rest})
    return pd.DataFrame(rows)


def try_experiment(name: str) -> Experiment | None:
    """The frozen experiment of this name; None while it has a card but no data."""
    from scaledetect.experiments import load_experiment, load_experiment_card
    from scaledetect.experiments.cards import FOLDER

    load_experiment_card(name)  # which refuses a name that is none
    there = files(FOLDER).joinpath("data", f"{name}.jsonl").is_file()
    return load_experiment(name) if there else None


def _primary(hypothesis: Hypothesis, given: Hypotheses, find: Find) -> Primary:
    found = numbers(hypothesis, find)
    if found is None:
        return Primary(hypothesis, None)
    y, collapsed = found
    if hypothesis.tolerance is None:
        decision = decide_direction(np.exp(y), np.ones(len(y)), alpha=given.alpha, hypotheses=len(given))
    else:
        edges = (-hypothesis.tolerance, hypothesis.tolerance)
        decision = decide_prediction(y, tolerance=edges, alpha=given.alpha, hypotheses=len(given))
    return Primary(hypothesis, decision, collapsed)


def _by_seed(hypothesis: Hypothesis, experiment: Experiment) -> dict[int, float]:
    if hypothesis.form == "ln_half_time":
        places = _places(hypothesis)
        return {
            seed: forms.ln_half_time(track.epochs, track.D[:, places], track.validation_error)
            for seed, track in experiment.tracks.items()
        }
    y = _of_curves(hypothesis, experiment, _curves(hypothesis, experiment)[:, _places(hypothesis)])
    return {seed: float(value) for seed, value in zip(experiment.seeds, y, strict=True)}


def _of_curves(hypothesis: Hypothesis, experiment: Experiment, curves: FloatArray) -> FloatArray:
    if hypothesis.form == "fall":
        return forms.fall(curves)
    if hypothesis.form == "rise":
        return -forms.fall(curves)
    from scaledetect.reproduce.primary import predicted

    assert hypothesis.prediction is not None
    theory = predicted(hypothesis.prediction, experiment, hypothesis.quantity, hypothesis.noise)
    theory = theory[..., _places(hypothesis)]
    if hypothesis.form == "mean_log_ratio":
        return forms.mean_log_ratio(theory, curves)
    A = experiment.A[_places(hypothesis)]
    return forms.slope(curves, A) - forms.slope(theory, A)


def _curves(hypothesis: Hypothesis, experiment: Experiment) -> FloatArray:
    """Measured numbers, shape (seeds, K)."""
    if hypothesis.quantity == "share":
        return experiment.shares(hypothesis.noise).share
    measured = experiment.measurements(hypothesis.noise, hypothesis.channels)
    return np.array([getattr(s, hypothesis.quantity) for s in measured], dtype=np.float64)


def _places(hypothesis: Hypothesis) -> slice:
    return slice(hypothesis.layers[0] - 1, hypothesis.layers[-1])


def _words(h: Hypothesis) -> str:
    """What was estimated, in the paper's letters."""
    first, last = h.layers[0], h.layers[-1]
    X = h.quantity
    change = "" if h.baseline is None else ", over that at initialisation"
    return {
        "fall": f"{X}_{first}/{X}_{last}{change}",
        "rise": f"{X}_{last}/{X}_{first}{change}",
        "slope": f"slope of ln {X} against ln A, layers {first} to {last}, less that of {h.prediction}",
        "mean_log_ratio": f"mean of ln({h.prediction} / measured) of {X}, layers {first} to {last}",
        "ln_half_time": f"ln(epoch of D half-way / epoch of error half-way), D_{first}/D_{last}",
    }[h.form]


MOST_DRAWS, FEWEST_DRAWS = 10_000, 50
"""Draws of the noise for G and R; D is exact whatever they are."""

TheoryName = Literal["constant-filters", "infinite-width", "cluster"]


def predicted(theory: TheoryName, experiment: Experiment, quantity: str, noise: NoiseMode) -> FloatArray:
    """What a theory says of D, G or R: shape (K,), or (seeds, K) for one that is told the net.

    Rows of nets whose weights are not published are NaN: a net trained again is another one than was measured.
    """
    task, pooling = experiment.task, experiment.pooling
    shape: dict[str, Any] = {"filter_size": pooling.filter_size, "stride": pooling.stride, "depth": pooling.depth}
    match theory:
        case "constant-filters":
            from scaledetect.theory import sensitivities

            return np.asarray(getattr(sensitivities(task, **shape, noise=Noise(noise)), quantity))
        case "infinite-width":
            from scaledetect.theory import at_initialisation

            gain = experiment.card.net.gain or "critical"
            return np.asarray(getattr(at_initialisation(task, **shape, gain=gain, noise=Noise(noise)), quantity))
        case "cluster":
            return _cluster(experiment, quantity, noise)


def _cluster(experiment: Experiment, quantity: str, noise: NoiseMode) -> FloatArray:
    from scaledetect.theory import cluster_sensitivities

    rows = np.full((len(experiment.seeds), experiment.pooling.depth), np.nan)
    published = experiment.published_seeds
    draws = MOST_DRAWS if quantity != "D" else FEWEST_DRAWS
    for seed, net in zip(published, experiment.nets(published), strict=True):
        found = cluster_sensitivities(net, experiment.task, n=draws, noise=Noise(noise))
        rows[experiment.seeds.index(seed)] = getattr(found, quantity)
    return rows
