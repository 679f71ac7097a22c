"""The board: scores and curves of all stored predictions, ranked among theories told the same, by regime."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.experiments.cards import REGIMES, Regime, list_experiments, load_experiment_card
from scaledetect.experiments.experiment import load_experiment
from scaledetect.experiments.predictions import prediction_of, predictions_folder, read_predictions
from scaledetect.experiments.scoring import SCORED, PredictionScore, by_seed
from scaledetect.experiments.theories import find_theory, theory_names
from scaledetect.theory._contract import TOLD, Theory, Told

__all__ = [
    "BoardRow",
    "BoardTable",
    "Mean",
    "TheoryBoard",
    "curves_of",
    "measured_experiments",
    "predicted_experiments",
    "theory_board",
]


LEAST_SHARE = 0.75
"""Share of the experiments of a table that a theory must speak of to be ranked there."""


@dataclass(frozen=True)
class Mean:
    """Mean over experiments of a score: of the signed squares, their standard error, and shares within 10 %."""

    square: float
    stderr: float
    within_10_percent: float
    net_square: float

    @property
    def value(self) -> float:
        """Root of `square`, 0 where that is negative: for display."""
        return float(np.sqrt(max(self.square, 0.0)))


@dataclass(frozen=True)
class BoardRow:
    """One theory in one regime.

    Attributes
    ----------
    rank : int or None
        1 for the smallest mean over D, G and R of `square`; None where the theory speaks of fewer than three quarters
        of the experiments of the table.
    theory, version, title
    D, G, R : Mean
        Over the experiments that are `common` in the table; without a rank, over all that the theory speaks of.
    scores : tuple of PredictionScore
        One an experiment, by name.
    """

    rank: int | None
    theory: str
    version: int
    title: str
    D: Mean
    G: Mean
    R: Mean
    scores: tuple[PredictionScore, ...]

    @property
    def square(self) -> float:
        """What rows are ranked by."""
        return float(np.mean([getattr(self, name).square for name in SCORED]))


@dataclass(frozen=True)
class BoardTable:
    """All theories that are told the same, in one regime.

    Attributes
    ----------
    regime, told
    experiments : tuple of str
        Those that any of them speaks of.
    common : tuple of str
        Those that all that have a rank speak of: the ranks are decided there.
    rows : tuple of BoardRow
    """

    regime: Regime
    told: Told
    experiments: tuple[str, ...]
    common: tuple[str, ...]
    rows: tuple[BoardRow, ...]


@dataclass(frozen=True)
class TheoryBoard:
    """Tables by regime and by what theories are told, and the predictions that there are not.

    Attributes
    ----------
    tables : tuple of BoardTable
    missing : tuple of (str, str)
        Pairs of a theory and an experiment that it applies to, without a stored prediction.
    """

    tables: tuple[BoardTable, ...]
    missing: tuple[tuple[str, str], ...]


def theory_board(
    experiments: Iterable[str] | None = None, *, theories: Iterable[str] | None = None, folder: str | Path | None = None
) -> TheoryBoard:
    """Score stored predictions; nothing is predicted.

    Parameters
    ----------
    experiments, theories : iterable of str, optional
        Names of those to take; by default all theories, and the experiments that any of them has a prediction for.
    folder : str or Path, optional
        Folder of predictions; that of the package by default.

    Raises
    ------
    KeyError, ValueError
        For an unknown name, and for stored predictions that are not those of the present data.
    """
    place = predictions_folder() if folder is None else Path(folder)
    names = predicted_experiments(place) if experiments is None else sorted(set(experiments))
    found: dict[tuple[Regime, Told], dict[str, list[PredictionScore]]] = defaultdict(lambda: defaultdict(list))
    missing: list[tuple[str, str]] = []
    chosen = {name: find_theory(name) for name in (theory_names() if theories is None else sorted(set(theories)))}
    for theory in chosen.values():
        for name, one in _scores(theory, names, place):
            if one is None:
                missing.append((theory.name, name))
            else:
                found[load_experiment_card(name).regime, theory.told][theory.name].append(one)
    tables = [
        _table(regime, told, found[regime, told], chosen)
        for regime in REGIMES
        for told in TOLD
        if (regime, told) in found
    ]
    return TheoryBoard(tuple(tables), tuple(missing))


def predicted_experiments(folder: Path) -> list[str]:
    """Names of the experiments that some prediction in a folder is for."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in read_predictions(path)[1]]
    return sorted({line["experiment"] for line in lines})


def measured_experiments() -> list[str]:
    """Names of the experiments whose data are there."""
    folder = predictions_folder().parent / "data"
    return [name for name in list_experiments() if (folder / f"{name}.jsonl").exists()]


def _scores(theory: Theory, names: Sequence[str], folder: Path) -> Iterable[tuple[str, PredictionScore | None]]:
    """The score for each experiment that the theory applies to; None where no prediction is stored."""
    path = folder / f"{theory.name}.jsonl"
    header, lines = read_predictions(path) if path.exists() else ({}, [])
    stored = {line["experiment"]: line for line in lines if header["version"] == theory.version}
    for name in names:
        e = load_experiment(name)
        if not theory.applies(e):
            continue
        if name not in stored:
            yield name, None
            continue
        prediction = prediction_of(stored[name], e)
        yield name, e.score(prediction, fitted_layers=theory.fitted_layers, exact=theory.exact(e))


def _table(
    regime: Regime, told: Told, scores: dict[str, list[PredictionScore]], theories: dict[str, Theory]
) -> BoardTable:
    speaks = {name: {one.experiment for one in found} for name, found in scores.items()}
    experiments = set().union(*speaks.values())
    whole = [name for name, of in speaks.items() if len(of) >= LEAST_SHARE * len(experiments)]
    common = experiments.intersection(*(speaks[name] for name in whole))
    rows = [_row(theories[name], found, common if name in whole else experiments) for name, found in scores.items()]
    rows.sort(key=lambda row: (row.theory not in whole, row.square))
    ranked = (replace(row, rank=rank if row.theory in whole else None) for rank, row in enumerate(rows, start=1))
    return BoardTable(regime, told, tuple(sorted(experiments)), tuple(sorted(common)), tuple(ranked))


def _row(theory: Theory, scores: list[PredictionScore], decided_on: set[str]) -> BoardRow:
    means = {name: _mean([getattr(one, name) for one in scores if one.experiment in decided_on]) for name in SCORED}
    return BoardRow(None, theory.name, theory.version, theory.title, **means, scores=tuple(scores))


def _mean(scores: Sequence[object]) -> Mean:
    columns = {
        name: np.array([getattr(one, name) for one in scores])
        for name in ("square", "stderr", "within_10_percent", "net_square")
    }
    # Experiments are measured on nets of their own.
    stderr = float(np.sqrt(np.sum(np.square(columns["stderr"]))) / len(scores))
    means = {name: float(np.mean(columns[name])) for name in ("square", "within_10_percent", "net_square")}
    return Mean(stderr=stderr, **means)


def curves_of(board: TheoryBoard, folder: Path | None = None) -> dict[str, list[tuple[FloatArray, FloatArray]]]:
    """By title: pairs of arrays of shape (K,), the scored layers from layer 1 on; NaN where a layer is not scored.

    Geometric means over the nets that are scored.
    """
    place = predictions_folder() if folder is None else folder
    found: dict[str, list[tuple[FloatArray, FloatArray]]] = {}
    for row in (row for table in board.tables for row in table.rows):
        stored = {line["experiment"]: line for line in read_predictions(place / f"{row.theory}.jsonl")[1]}
        for one in row.scores:
            e = load_experiment(one.experiment)
            predicted = by_seed(e, prediction_of(stored[e.name], e))
            measured = dict(zip(e.seeds, e.measured, strict=True))
            last = e.layers.index(one.layers[-1]) + 1
            scored = np.array([name in one.layers for name in e.layers[:last]])
            pair = [_typical([s[seed].D[:last] for seed in one.seeds], scored) for s in (predicted, measured)]
            found.setdefault(row.title, []).append((pair[0], pair[1]))
    return found


def _typical(rows: list[FloatArray], scored: np.ndarray) -> FloatArray:
    table = np.array(rows)
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        # A layer without a number stays without one.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.exp(np.nanmean(np.log(np.where(table > 0, table, np.nan)), axis=0))
    return np.where(scored, mean, np.nan)
