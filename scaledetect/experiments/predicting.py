"""Predictions computed: all anew, or some again to see whether they are what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from scaledetect._base.errors import bad_value
from scaledetect.experiments.board import measured_experiments
from scaledetect.experiments.experiment import load_experiment
from scaledetect.experiments.predictions import (
    differences,
    line_of,
    predictions_folder,
    read_predictions,
    store_predictions,
)
from scaledetect.experiments.theories import find_theory, theory_names

__all__ = ["predict", "verify_predictions"]


def predict(
    theories: Iterable[str] | None = None,
    experiments: Iterable[str] | None = None,
    *,
    folder: str | Path,
    say: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Compute predictions and store them in a folder, after each experiment: one broken off loses one.

    Parameters
    ----------
    theories : iterable of str, optional
        Names, or ``module:Class``; all of the package by default.
    experiments : iterable of str, optional
        Names; all that have data by default. Those a theory does not apply to are passed over.
    folder : str or Path
        Made where it is not there.
    say : callable, optional
        Is told of each prediction.

    Returns
    -------
    list of Path
        The files, one a theory.

    Raises
    ------
    TypeError, ValueError, KeyError
        For unknown names, and predictions that are none: infinite or negative numbers, other layers.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for source in theory_names() if theories is None else theories:
        theory = find_theory(source)
        for name in measured_experiments() if experiments is None else experiments:
            e = load_experiment(name)
            if not theory.applies(e):
                continue
            path = store_predictions(theory, [line_of(theory, e)], folder)
            say(f"{theory.name}: {name}")
            if path not in paths:
                paths.append(path)
    return paths


def verify_predictions(
    theories: Iterable[str] | None = None, experiments: Iterable[str] | None = None, *, folder: str | Path | None = None
) -> list[str]:
    """Compute some predictions again; in words what differs from the stored ones, nothing where all is the same.

    Parameters
    ----------
    theories, experiments : iterable of str, optional
        Those to compute; by default each theory for the first experiment that it has a prediction for.
    folder : str or Path, optional
        Folder of predictions; that of the package by default.
    """
    place = predictions_folder() if folder is None else Path(folder)
    found: list[str] = []
    for source in theory_names() if theories is None else theories:
        theory = find_theory(source)
        path = place / f"{theory.name}.jsonl"
        if not path.exists():
            raise bad_value("theories", theory.name, f"has no predictions in {place}", "predict first")
        header, lines = read_predictions(path)
        if header["version"] != theory.version:
            found.append(f"{theory.name}: version {header['version']} is stored, this is {theory.version}")
            continue
        wanted = [line["experiment"] for line in lines[:1]] if experiments is None else list(experiments)
        for line in (line for line in lines if line["experiment"] in wanted):
            again = line_of(theory, load_experiment(line["experiment"]))
            found += [f"{theory.name}: {text}" for text in differences(line, again)]
    return found
