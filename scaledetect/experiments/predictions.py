"""Predictions of theories as JSON Lines, a file a theory, with its hash: the board reads them, and computes nothing.

The first line is the header: ``format``, ``theory``, ``version``, ``made_with`` (the versions) and ``sha256``, the hash
of the lines after it. Each other line is
the prediction for one ``experiment`` of this ``recipe`` and these ``data`` (hashes of the card's recipe and of the data
file): D and G by layer, NaN as null, and R is their ratio. With ``seeds`` null they are lists over layers, for all
nets; otherwise lists over these seeds of such lists. Values have seven digits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from scaledetect._base.errors import bad_value
from scaledetect._base.versions import versions
from scaledetect.experiments.cards import FOLDER
from scaledetect.experiments.experiment import Experiment
from scaledetect.experiments.lines import VALUE_DIGITS, Line, dump, rounded, write_lines
from scaledetect.experiments.scoring import by_seed, check_prediction
from scaledetect.results import Sensitivities
from scaledetect.theory._contract import Prediction, Theory

__all__ = [
    "PREDICTIONS_FORMAT",
    "differences",
    "line_of",
    "prediction_of",
    "predictions_folder",
    "read_predictions",
    "store_predictions",
]

PREDICTIONS_FORMAT = "scaledetect.predictions/1"

TOLERANCE = 1e-4
"""Relative difference of numbers computed again on another machine that is not a difference."""


def predictions_folder() -> Path:
    """Where the predictions are that come with the package."""
    with as_file(files(FOLDER)) as folder:
        return folder / "predictions"


def line_of(theory: Theory, experiment: Experiment) -> Line:
    """The prediction of a theory for an experiment, computed and checked, as a line."""
    prediction = theory.predict(experiment)
    found = by_seed(experiment, prediction)
    for one in found.values():
        check_prediction(experiment, one)
    rows = {name: [rounded(getattr(one, name), VALUE_DIGITS) for one in found.values()] for name in ("D", "G")}
    line: Line = {
        "experiment": experiment.name,
        "recipe": experiment.card.recipe_hash,
        "data": experiment.data_hash,
    }
    if isinstance(prediction, Sensitivities):
        return line | {"seeds": None} | {name: values[0] for name, values in rows.items()}
    if theory.told == "task":
        text = "is told the task, and predicts for single nets"
        raise bad_value("theory", theory.name, text, 'return one Sensitivities, or set told = "net"')
    return line | {"seeds": list(found), **rows}


def prediction_of(line: Mapping[str, Any], experiment: Experiment) -> Prediction:
    """The prediction of a line, as `Experiment.score` takes it.

    Raises
    ------
    ValueError
        Where it was made for another recipe or for other data.
    """
    for key, present in (("recipe", experiment.card.recipe_hash), ("data", experiment.data_hash)):
        if line[key] != present:
            text = f"is not that of {experiment.name!r} any more, {present}"
            raise bad_value(key, line[key], text, "predict anew: scaledetect theories --predict")
    if line["seeds"] is None:
        return _sensitivities(line["D"], line["G"], experiment)
    rows = zip(line["seeds"], line["D"], line["G"], strict=True)
    return {seed: _sensitivities(D, G, experiment) for seed, D, G in rows}


def store_predictions(theory: Theory, lines: Iterable[Line], folder: Path) -> Path:
    """Write the predictions of a theory, with their hash, into a folder; lines of other experiments are kept."""
    path = folder / f"{theory.name}.jsonl"
    kept = {}
    if path.exists():
        header, found = read_predictions(path)
        # Another version predicts otherwise everywhere.
        kept = {line["experiment"]: line for line in found if header["version"] == theory.version}
    kept |= {line["experiment"]: line for line in lines}
    rows = [kept[name] for name in sorted(kept)]
    head = {
        "format": PREDICTIONS_FORMAT,
        "theory": theory.name,
        "version": theory.version,
        "made_with": versions(),
        "sha256": _hash(rows),
    }
    write_lines(path, [head, *rows])
    return path


def read_predictions(path: Path) -> tuple[Line, list[Line]]:
    """The header of a file of predictions, and its lines, after a look at its hash.

    Raises
    ------
    ValueError
        For a file that is none of the format, or that is not the one that was stored.
    """
    try:
        lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise bad_value("path", str(path), f"cannot be read as JSON Lines ({error})") from error
    if not lines or not isinstance(lines[0], dict) or lines[0].get("format") != PREDICTIONS_FORMAT:
        raise bad_value("path", str(path), f"does not begin with a header of {PREDICTIONS_FORMAT!r}")
    if lines[0].get("sha256") != (found := _hash(lines[1:])):
        text = f"has lines of the SHA-256 {found}, and its header says {lines[0].get('sha256')}"
        raise bad_value("path", str(path), text, "predict anew, or restore the file")
    return lines[0], lines[1:]


def differences(stored: Line, again: Line) -> Iterator[str]:
    """In words, what differs by more than another machine explains between a stored line and one computed again."""
    for key in ("experiment", "recipe", "data", "seeds"):
        if stored[key] != again[key]:
            yield f"{stored['experiment']}: {key} {stored[key]!r}, and again {again[key]!r}"
            return
    for name in ("D", "G"):
        mine, theirs = (np.array(line[name], dtype=float) for line in (stored, again))
        close = np.isclose(mine, theirs, rtol=TOLERANCE, atol=0, equal_nan=True)
        if not close.all():
            where = tuple(int(i) for i in np.argwhere(~close)[0])
            count = int((~close).sum())
            yield f"{stored['experiment']}: {count} of {close.size} values of {name}, as at {where}"


def _sensitivities(D: list[float | None], G: list[float | None], experiment: Experiment) -> Sensitivities:
    columns: dict[str, Any] = {name: np.array(values, dtype=float) for name, values in (("D", D), ("G", G))}
    config = {"experiment": experiment.name}
    return Sensitivities.from_arrays(**columns, layers=experiment.layers, A=experiment.A, config=config)


def _hash(lines: Iterable[Line]) -> str:
    return hashlib.sha256("".join(map(dump, lines)).encode()).hexdigest()
