"""Settings of entries: chosen by the stated rule from committed counts, and written into every configuration."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from scaledetect.cli import app
from scaledetect.leaderboard.entries.base import Entry, entry_class, entry_names
from scaledetect.leaderboard.entries.tuning import RULE, Tuning
from scaledetect.leaderboard.runner import plan_runs
from scaledetect.leaderboard.tuning import COLUMNS, tune, write_trials

TUNED = [name for name in entry_names() if entry_class(name).tuning is not None]


class Constant(Entry):
    """Gives all images one label; 0 stands for one that is not finite."""

    name, title, version, exact, budget = "constant", "Constant", 1, True, "quick"
    label = 1
    tuning = Tuning({"label": (1, -1, 0)}, card="block-1d-L64", n_train=(4, 2))

    def configuration(self, task: Any, n_train: int) -> dict[str, Any]:
        return {"label": self.label}

    def fit(self, sampler: Any, *, seed: int) -> None:
        self.fitted_on = sampler.n_train

    def predict(self, X: Any) -> Any:
        return np.full(len(X), float("nan") if self.label == 0 else self.label)


@pytest.fixture(scope="module")
def counts(root: Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (root / "baselines" / "tuning.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["entry"]].append(row)
    return found


def test_what_is_written_first_stays_within_one_standard_error() -> None:
    """At 100 of 400 wrong rows the error is sqrt(75) = 8.7 rows."""
    tuning = Tuning({"lr": (1, 2, 3)}, card="block-1d-L64", n_train=(32,))
    assert tuning.choose([108, 100, 100], 400) == {"lr": 1}
    assert tuning.choose([109, 100, 99], 400) == {"lr": 2}
    assert tuning.choose([1, 0, 0], 400) == {"lr": 2}


def test_a_grid_has_all_combinations() -> None:
    tuning = Tuning({"a": (1, 2), "b": ("x", None)}, card="block-1d-L64", n_train=(32,))
    assert [tuple(one.values()) for one in tuning.settings()] == [(1, "x"), (1, None), (2, "x"), (2, None)]
    assert tuning.as_data() == {
        "rule": RULE, "card": "block-1d-L64", "n_train": [32], "seed": 1000, "grid": {"a": [1, 2], "b": ["x", None]},
    }  # fmt: skip


@pytest.mark.parametrize("name", TUNED)
def test_entries_have_the_settings_that_the_rule_takes_from_the_committed_counts(
    name: str, counts: dict[str, list[dict[str, str]]]
) -> None:
    entry = entry_class(name)
    tuning, rows = entry.tuning, counts[name]
    assert tuning is not None and {row["card"] for row in rows} == {tuning.card}
    settings = list(tuning.settings())
    wrong = [sum(int(row["n_wrong"]) for row in rows if json.loads(row["settings"]) == one) for one in settings]
    sizes = [(json.loads(row["settings"]), int(row["n_train"])) for row in rows]
    assert sizes == [(one, n) for one in settings for n in sorted(tuning.n_train)]
    chosen = tuning.choose(wrong, sum(int(row["n_validation"]) for row in rows) // len(settings))
    assert {key: getattr(entry, key) for key in chosen} == chosen


def test_the_search_is_in_the_configuration_of_every_run() -> None:
    (planned,) = plan_runs(cards=["block-1d-L64"], entries=["pooling-s2"], n_train=[32], seeds=[0])
    tuning = entry_class("pooling-s2").tuning
    assert tuning is not None and planned.identity["configuration"]["tuning"] == tuning.as_data()


def test_a_search_counts_wrong_validation_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One label is wrong for one class, what is not finite for all rows; of equals the first is taken."""
    monkeypatch.setattr("scaledetect.leaderboard.tuning.entry_class", lambda source: Constant)
    seen: list[int] = []
    chosen, trials = tune("constant", on_trial=lambda trial: seen.append(trial.n_train))
    assert chosen == {"label": 1} and seen == [2, 4] * 3
    assert [trial.n_wrong for trial in trials] == [64, 64, 64, 64, 128, 128]
    write_trials(tmp_path / "trials.csv", trials)
    lines = (tmp_path / "trials.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(COLUMNS) and lines[1] == 'constant,block-1d-L64,"{""label"": 1}",2,64,128'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {}}, "grid="), ({"grid": {"lr": ()}}, "grid="), ({"grid": [1]}, "grid="), ({"card": 3}, "card="),
        ({"n_train": ()}, "n_train="), ({"n_train": (0,)}, "n_train="), ({"seed": -1}, "seed="),
    ],
)  # fmt: skip
def test_what_is_no_search_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Tuning(**{"grid": {"lr": (1,)}, "card": "block-1d-L64", "n_train": (32,), **change})


def test_an_entry_without_a_grid_and_a_setting_that_is_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="states no tuning"):
        tune("oracle")
    monkeypatch.setattr(Constant, "tuning", Tuning({"lr": (1,)}, card="block-1d-L64", n_train=(2,)))
    monkeypatch.setattr("scaledetect.leaderboard.tuning.entry_class", lambda source: Constant)
    with pytest.raises(ValueError, match="is no attribute of Constant"):
        tune("constant")


def test_the_command_searches_and_writes_the_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("scaledetect.leaderboard.tuning.entry_class", lambda source: Constant)
    path = tmp_path / "trials.csv"
    done = CliRunner().invoke(app, ["entries", "--tune", "constant", "--output", str(path)])
    assert (done.exit_code, done.stdout) == (0, "constant: label=1\n")
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1 + 3 * 2
    done = CliRunner().invoke(app, ["entries", "--output", str(path)])
    assert done.exit_code == 2 and "goes with --tune" in done.stderr
