"""The page on theory and experiment says what its tables say, and the tables what the frozen data say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from helpers.docs_scripts import docs_script

import scaledetect as sd


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return docs_script("theory_vs_experiment")


@pytest.fixture(scope="module")
def tables(page: ModuleType) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = page.read_data()
    return found


def test_the_page_is_what_the_tables_make_of_it(page: ModuleType, tables: dict[str, pd.DataFrame], root: Path) -> None:
    text = (root / "docs" / "theory-vs-experiment.md").read_text(encoding="utf-8")
    assert page.render(tables) == text
    assert len(text.splitlines()) < 150


def test_a_changed_number_changes_the_page(page: ModuleType, tables: dict[str, pd.DataFrame]) -> None:
    primary = tables["claims-primary"]
    changed = primary.assign(value=2 * primary["value"])
    assert page.render(tables | {"claims-primary": changed}) != page.render(tables)


def test_a_direction_from_the_frozen_data_alone(tables: dict[str, pd.DataFrame]) -> None:
    """Written out again: the mean logarithm of D_1/D_4 trained over that at initialisation, seed by seed."""
    fall = {}
    for state in ("initial", "trained"):
        D = np.array([s.D for s in sd.load_experiment(f"block-1d-L128-{state}").measured])
        fall[state] = np.log(D[:, 0] / D[:, 3])
    row = tables["claims-primary"].set_index("id").loc["block-D-falls"]
    assert row["value"] == pytest.approx(np.exp((fall["trained"] - fall["initial"]).mean()), rel=1e-5)
    assert row["n_seeds"] == len(fall["trained"])


@pytest.mark.parametrize(("state", "curve"), [("initial", "initialisation"), ("trained", "trained")])
@pytest.mark.parametrize("prefix", ["block-1d-L128", "distance-1d-L64-F3"])
def test_the_curves_of_the_figure_are_those_of_the_data(
    prefix: str, state: str, curve: str, tables: dict[str, pd.DataFrame]
) -> None:
    D = np.array([s.D for s in sd.load_experiment(f"{prefix}-{state}").measured])
    rows = tables["theory-vs-experiment-curves"]
    shown = rows[(rows["net"] == prefix) & (rows["curve"] == curve)]["D"]
    np.testing.assert_allclose(shown, np.exp(np.log(D).mean(axis=0)), rtol=1e-5)
