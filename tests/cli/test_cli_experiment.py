"""``scaledetect experiment`` and ``verify`` of its data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import run

import scaledetect as sd

NAME = "constant-block-1d-L128"


def test_lists_all() -> None:
    shown = run("experiment").stdout
    assert "Frozen experiments" in shown
    assert [row["name"] for row in json.loads(run("experiment", "--json").stdout)] == sd.list_experiments()


def test_shows_one() -> None:
    e = sd.load_experiment(NAME)
    found = json.loads(run("experiment", NAME, "--noise", "signed", "--json").stdout)
    assert found["data_hash"] == e.data_hash
    expected = np.array([s.G for s in e.measurements("signed")])
    assert np.array_equal(np.array(found["G"], dtype=float), expected, equal_nan=True)
    assert "geometric mean and scatter" in run("experiment", NAME).stdout
    assert "noise='pink'" in run("experiment", NAME, "--noise", "pink", code=2).stderr
    assert "unknown experiment" in run("experiment", "constant-block", code=2).stderr


def test_made_anew_it_is_the_frozen_one(tmp_path: Path) -> None:
    shown = run("experiment", NAME, "--output", tmp_path, "--seeds", "0,3").stdout
    path = tmp_path / f"{NAME}.jsonl"
    assert str(path) in shown
    verdict = run("verify", path).stdout
    # Another processor may round otherwise.
    assert ": identical: " in verdict or ": consistent: " in verdict
    text = path.read_text()
    path.write_text(text.replace('"G":[0.', '"G":[1.'))
    assert text != path.read_text()
    assert ": differs: " in run("verify", path, code=1).stdout


@pytest.mark.parametrize(("seeds", "says"), [("40", "must be some of those"), ("x", "must be numbers or ranges")])
def test_refuses_seeds(tmp_path: Path, seeds: str, says: str) -> None:
    assert says in run("experiment", NAME, "--output", tmp_path, "--seeds", seeds, code=2).stderr
