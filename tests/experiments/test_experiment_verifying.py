"""Comparison of data made anew with the frozen ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_experiment import small_card

from scaledetect.experiments.experiment import Experiment, read_experiment
from scaledetect.experiments.lines import Line, write_lines
from scaledetect.experiments.making import make_experiment
from scaledetect.experiments.verifying import verify_experiment


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("frozen")
    card = small_card(folder, "plain", "initialisation", "", nets=12)
    return read_experiment(card, make_experiment(card, folder / "out"))


def changed(frozen: Experiment, folder: Path, change: Callable[[Line], object], seeds: int = 12) -> Path:
    """The frozen data with a change to each line, as a file."""
    lines = [json.loads(json.dumps(line)) for line in frozen.lines if line["seed"] < seeds]
    for line in lines:
        change(line)
    write_lines(folder / "plain.jsonl", [frozen.header, *lines])
    return folder / "plain.jsonl"


def scale(factor: float, name: str = "D") -> Callable[[Line], object]:
    def change(line: Line) -> None:
        if line["kind"] == "curve":
            line[name] = [value * factor for value in line[name]]

    return change


def other_nets(spread: float, shift: float) -> Callable[[Line], object]:
    """Nets of other weights, whose D are others by some per cent."""
    rng = np.random.default_rng(0)

    def change(line: Line) -> None:
        if line["kind"] == "net":
            line["weights"] = "0" * 64
        if line["kind"] == "curve":
            factor = np.exp(shift + spread * rng.standard_normal())
            line["D"] = [value * factor for value in line["D"]]

    return change


@pytest.mark.parametrize(
    ("change", "seeds", "kind", "why"),
    [
        (lambda line: None, 12, "identical", "all 96 lines of 12 nets"),
        (lambda line: None, 1, "identical", "all 8 lines of 1 nets"),
        (scale(1 + 1e-5), 12, "consistent", "the same nets"),
        (scale(1.01), 12, "differs", "the same nets; the largest relative difference is 9.9e-03, in D"),
        (scale(1.01, "Delta"), 12, "differs", "in Delta"),
        (other_nets(0.05, 0.0), 12, "consistent", "12 nets trained anew"),
        (other_nets(0.05, 1.0), 12, "differs", "in D of layer"),
        (other_nets(0.05, 1.0), 2, "cannot verify", "2 are too few"),
    ],
)
def test_verdicts(frozen: Experiment, tmp_path: Path, change: Any, seeds: int, kind: str, why: str) -> None:
    verdict = verify_experiment(changed(frozen, tmp_path, change, seeds), frozen)
    assert verdict.kind == kind and why in verdict.why


def test_a_missing_and_an_unknown_line_differ(frozen: Experiment, tmp_path: Path) -> None:
    path = changed(frozen, tmp_path, lambda line: None)
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole[:5] + whole[6:]))
    assert verify_experiment(path, frozen).why.startswith("lacks lines")
    path.write_text("".join(whole).replace('"noise":"signed"', '"noise":"rectified_input"'))
    assert verify_experiment(path, frozen).why.startswith("has lines that the frozen data have not")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin with a header"),
        ("{]", "cannot be read as JSON Lines"),
        ('{"format":"scaledetect.experiment/1","name":"plain","recipe":"0","digest":"0"}', "another recipe"),
        ('{"format":"scaledetect.experiment/1"}\n{"kind":"curve","seed":0}', "line 2 is none of the format"),
    ],
)
def test_refuses_what_is_no_data(frozen: Experiment, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=says):
        verify_experiment(path, frozen)


def test_retrained_nets_of_the_same_distribution_are_seldom_called_different(
    frozen: Experiment, tmp_path: Path
) -> None:
    # Twelve nets against other twelve of the same law: at level 1e-3, 40 studies give one false alarm with probability
    # 4 per cent, and more than one with 1e-3.
    alarms = 0
    rng = np.random.default_rng(1)
    for _ in range(40):
        law = {
            name: np.log([line[name] for line in frozen.lines if line.get("channels") == "each"]) for name in ("D", "G")
        }

        def redrawn(line: Line, law: Any = law) -> None:
            if line["kind"] == "net":
                line["weights"] = "0" * 64
            if line["kind"] == "curve":
                for name, logs in law.items():
                    draw = logs.mean(0) + logs.std(0, ddof=1) * rng.standard_normal(logs.shape[1])
                    line[name] = np.exp(draw).tolist()

        def base(line: Line, law: Any = law) -> None:
            redrawn(line, law)
            if line["kind"] == "net":
                line["weights"] = "1" * 64

        reference = read_experiment(frozen.card, changed(frozen, tmp_path, base))
        alarms += verify_experiment(changed(frozen, tmp_path, redrawn), reference).kind == "differs"
    assert alarms <= 1
