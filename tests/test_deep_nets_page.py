"""The page on deep nets says what its tables say, and these are of the present jobs."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from helpers.docs_scripts import docs_script

from scaledetect._base.files import plain
from scaledetect.reproduce.folder import gather_tables, read_table
from scaledetect.reproduce.run import study


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return docs_script("deep_nets_page")


def test_the_page_is_what_the_tables_make_of_it(page: ModuleType, root: Path) -> None:
    tables = page.read_data()
    assert page.render(tables, page.read_runs()) == (root / "docs" / "deep-nets.md").read_text(encoding="utf-8")
    changed = tables["nets"].assign(test_error=tables["nets"]["test_error"] + 0.01)
    assert page.render(tables | {"nets": changed}, page.read_runs()) != page.render(tables, page.read_runs())


def test_the_finished_trainings_are_those_of_the_present_jobs(page: ModuleType) -> None:
    present = {job.name: json.loads(json.dumps(plain(job.describe()))) for job in study("deep-nets").jobs("laptop")}
    runs, nets = page.read_runs(), page.read_data()["nets"]
    assert runs["planned"] == len(present) and len(nets) == len(runs["finished"])
    assert all(present[name] == job for name, job in runs["finished"].items())


def test_the_claims_are_decided_from_the_tables(page: ModuleType, root: Path) -> None:
    found, stored = page.claims(page.read_data()), read_table(root / "docs" / "data" / "deep-nets-claims.csv")
    assert found["id"].tolist() == stored["id"].tolist() and found["verdict"].tolist() == stored["verdict"].tolist()
    np.testing.assert_allclose(found["value"], stored["value"], rtol=1e-5)


def test_hypotheses_speak_of_one_number_of_training_rows(page: ModuleType) -> None:
    assert {one.n_train for one in page.hypotheses().hypotheses} == {1024, 2048}
    tables = page.read_data()
    extra = tables["nets"].assign(n_train=512, D=1.0, test_error=np.linspace(0, 1, len(tables["nets"])))
    other = page.claims(tables | {"nets": pd.concat([tables["nets"], extra])})
    np.testing.assert_array_equal(other["value"], page.claims(tables)["value"])


def test_what_is_committed_is_given_back_job_by_job(page: ModuleType, tmp_path: Path) -> None:
    runs, tables = page.read_runs(), page.read_data()
    page.give(tmp_path)
    jobs = list(runs["finished"])
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == sorted(jobs)
    for name, table in gather_tables(tmp_path, jobs).items():
        pd.testing.assert_frame_equal(table, tables[name], check_dtype=False)
