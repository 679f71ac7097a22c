"""The page on natural images says what its tables say, and the claims are decided from the tables."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from helpers.docs_scripts import docs_script

from scaledetect._base.files import plain


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return docs_script("images_page")


@pytest.fixture(scope="module")
def tables(page: ModuleType) -> dict[str, pd.DataFrame]:
    found: dict[str, pd.DataFrame] = page.read_data()
    return found


def test_the_page_is_what_the_tables_make_of_it(page: ModuleType, tables: dict[str, pd.DataFrame], root: Path) -> None:
    assert page.render(tables, page.read_runs()) == (root / "docs" / "images.md").read_text(encoding="utf-8")
    changed = tables["nets"].assign(test_error=tables["nets"]["test_error"] + 0.01)
    assert page.render(tables | {"nets": changed}, page.read_runs()) != page.render(tables, page.read_runs())


def test_the_claims_are_decided_from_the_tables(page: ModuleType, tables: dict[str, pd.DataFrame]) -> None:
    found, stored = page.claims(tables), tables["claims"]
    assert found["id"].tolist() == stored["id"].tolist()
    assert found["verdict"].tolist() == stored["verdict"].tolist()
    np.testing.assert_allclose(found["value"], stored["value"], rtol=1e-5)


def test_lenet_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    """Written out again: the mean logarithm of D_1/D_K after over that before training, over the nets that learnt."""
    nets, layers, y = tables["nets"], tables["layers"], []
    for seed in nets[(nets["net"] == "lenet") & (nets["sigma"] == 0) & (nets["train_error"] <= 0.7)]["seed"]:
        mine = layers[(layers["net"] == "lenet") & (layers["sigma"] == 0) & (layers["seed"] == seed)]
        D = {curve: rows.sort_values("k")["D"].to_numpy() for curve, rows in mine.groupby("curve")}
        y.append(np.log(D["trained"][0] / D["trained"][-1] / (D["initial"][0] / D["initial"][-1])))
    row = tables["claims"].set_index("id").loc["lenet-D-falls"]
    assert row["n_seeds"] == len(y) >= 1
    assert row["value"] == pytest.approx(np.exp(np.mean(y)), rel=1e-5)


def test_the_committed_run_is_given_back_job_by_job(
    page: ModuleType, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables make a folder to go on in; taken again, the folder makes the same files."""
    stored = root / "docs" / "data"
    page.give(tmp_path / "run")
    size = page.read_runs()["size"]
    jobs = {job.name: job.describe() for job in page.image_jobs(size)}
    (tmp_path / "run" / "images-error.json").write_text(
        json.dumps({"configuration": {"size": size, "jobs": plain(jobs)}})
    )
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(page, "DOCS", tmp_path)
    page.take(tmp_path / "run")
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == ["images-layers.csv", "images-nets.csv", "images-spectra.csv", "images.json"]
    assert all((tmp_path / "data" / name).read_bytes() == (stored / name).read_bytes() for name in names)
