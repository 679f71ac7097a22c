"""The page on theory and experiment says what its data say, and the data what the issue asks of them."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from helpers.docs_scripts import docs_script

from scaledetect._base.files import plain
from scaledetect.reproduce.folder import read_table
from scaledetect.reproduce.run import study


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return docs_script("exploratory_page")


@pytest.fixture(scope="module")
def curves(root: Path) -> pd.DataFrame:
    return read_table(root / "docs" / "data" / "depth-1d-curves.csv")


def test_the_text_is_what_the_data_make_of_it(page: ModuleType, root: Path) -> None:
    text = (root / "docs" / "theory-vs-experiment-exploratory.md").read_text(encoding="utf-8")
    assert page.render(page.read_data()) == text


def test_a_changed_number_changes_the_text(page: ModuleType, root: Path) -> None:
    tables = page.read_data()
    rows = tables["curves"]
    chosen = (rows["job"] == "block-F2-s2") & (rows["curve"] == "trained") & (rows["k"] == 4)
    tables["curves"] = rows.assign(D=rows["D"].where(~chosen, 1.5 * rows["D"]))
    assert page.render(tables) != (root / "docs" / "theory-vs-experiment-exploratory.md").read_text(encoding="utf-8")


def test_the_data_are_those_of_the_present_jobs(root: Path) -> None:
    stored = json.loads((root / "docs" / "data" / "depth-1d.json").read_text(encoding="utf-8"))["configuration"]
    present = {job.name: job.describe() for job in study("depth-1d").jobs("laptop")}
    assert stored["jobs"] == json.loads(json.dumps(plain(present)))


def test_d_falls_by_training_as_far_as_the_benchmark_asks(curves: pd.DataFrame) -> None:
    """Block task, s = F = 2, ten seeds: from the rows themselves, without the code that decides the claims."""
    rows = curves[
        (curves["job"] == "block-F2-s2") & (curves["noise"] == "rectified_noise") & (curves["channels"] == "each")
    ]
    D = {curve: part.pivot(index="seed", columns="k", values="D") for curve, part in rows.groupby("curve")}
    falls = {curve: (D[curve][1] / D[curve][4]).to_numpy() for curve in ("trained", "initial")}
    assert len(falls["trained"]) == 10
    assert np.exp(np.log(falls["trained"]).mean()) >= 2
    paired = np.log(falls["trained"] / falls["initial"])
    assert np.exp(paired.mean()) >= 1.7
    # Every seed on its own, which is more than an interval that excludes 1.
    assert (paired > 0).all()


def test_the_figures_of_the_page_are_there(root: Path) -> None:
    text = (root / "docs" / "theory-vs-experiment-exploratory.md").read_text(encoding="utf-8")
    names = [part.split(")")[0] for part in text.split("](")[1:]]
    assert len(names) >= 3 and all((root / "docs" / name).exists() for name in names)
