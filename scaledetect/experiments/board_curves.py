"""Curves for the figure of the board: predicted and measured D by layer, for each theory and experiment."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.experiments.board import TheoryBoard
from scaledetect.experiments.experiment import load_experiment
from scaledetect.experiments.predictions import prediction_of, predictions_folder, read_predictions
from scaledetect.experiments.scoring import by_seed

__all__ = ["curves_of"]


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
