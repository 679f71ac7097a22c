"""Verify: sound records pass, and whatever is changed in one is caught."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sklearn
from helpers.in_process import InProcessPool
from helpers.record_samples import ELSEWHERE, sample_scores
from typer.testing import CliRunner

from scaledetect.cli import app
from scaledetect.leaderboard import verify
from scaledetect.leaderboard.entries.base import Limits, entry_class
from scaledetect.leaderboard.records import Record, read_record, read_records, write_lines, write_record
from scaledetect.leaderboard.runner import plan_runs, run_study
from scaledetect.leaderboard.tables import published_records
from scaledetect.leaderboard.verify import verify_records
from scaledetect.task.cards import load_card

CARD = "block-2d-L16-xi8"
OWN = """
from scaledetect.baselines.chance import Chance


class Own(Chance):
    name, exact = "own", False
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two records of an exact entry and one of an own entry that is not, made by real runs."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "own_verified.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", list(sys.path))
        plan = plan_runs(cards=[CARD], entries=["chance", "own_verified:Own"], n_train=[32], seeds=[0])
        plan += plan_runs(cards=[CARD], entries=["chance"], n_train=[64], seeds=[1])
        assert run_study(plan, folder / "records").done == 3
    return folder


def resealed(record: Record, **changes: Any) -> Record:
    """The record with some fields changed by someone who knows how to compute key and hash."""
    return Record.seal(**(record.model_dump(exclude={"key", "sha256"}) | changes))


def worse(record: Record) -> dict[str, Any]:
    assert record.scores is not None
    scores = record.scores.model_dump(exclude_none=True)
    return scores | sample_scores(record.scores.n_wrong + 1) | {"served": scores["served"]}


def test_every_tampering_is_caught(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    chance = read_record(next((folder / "records").rglob("chance/P32-*.json")))
    own = read_record(next((folder / "records").rglob("own/*.json")))
    assert chance.scores is not None
    n_wrong = f'"n_wrong":{chance.scores.n_wrong}'
    far = {**worse(own), **sample_scores(0)}
    forged: dict[str, tuple[Record, str, str]] = {
        "score": (resealed(chance, scores=worse(chance)), "differs", "exact, and a rerun gives n_wrong"),
        "exact": (resealed(chance, exact=False), "differs", "exact is False"),
        "digest": (resealed(chance, data_digest="0" * 64), "differs", "digest"),
        "seed": (resealed(chance, seed=1), "differs", "a rerun gives n_wrong"),
        "n_train": (resealed(chance, n_train=10_000), "differs", "n_train"),
        "n_test": (resealed(chance, scores=sample_scores(1, 2)), "differs", "n_test is 2"),
        "configuration": (resealed(chance, configuration={}), "differs", "configuration"),
        "version": (resealed(chance, entry_version=2), "cannot verify", "version 2 of the entry, which here is 1"),
        "card version": (resealed(chance, card_version=2), "cannot verify", "version 2 of the card"),
        "stream": (resealed(chance, stream_version=2), "cannot verify", "version 2 of the stream"),
        "entry": (resealed(chance, entry="nobody"), "cannot verify", "no entry 'nobody'"),
        "card": (resealed(chance, card="nowhere"), "cannot verify", "no card 'nowhere'"),
        "failed": (resealed(chance, status="failed", reason="no", scores=None), "cannot verify", "a failure: no"),
        "diverged": (resealed(chance, status="diverged", reason="no", scores=None), "differs", "status"),
        "own score": (resealed(own, scores=worse(own)), "differs", "on the same processor, versions and threads"),
        "own elsewhere": (resealed(own, scores=worse(own), environment=ELSEWHERE), "consistent", "joint errors"),
        "own far": (resealed(own, scores=far, environment=ELSEWHERE), "differs", "joint errors"),
        "elsewhere": (resealed(chance, environment=ELSEWHERE), "verified", ""),
        "as it was": (chance, "verified", ""),
    }
    paths = {name: write_record(tmp_path / name.replace(" ", "-"), record) for name, (record, _, _) in forged.items()}
    # Those who do not compute the hash are caught by it, in fields too that no rerun can tell: wall time.
    changes: dict[str, Callable[[str], str]] = {
        "unsealed wall time": lambda text: text.replace('"wall_seconds":', '"wall_seconds":1'),
        "unsealed score": lambda text: text.replace(n_wrong, '"n_wrong":0'),
        "unsealed seed": lambda text: text.replace('"seed":0', '"seed":2'),
        "unsealed digest": lambda text: text.replace(chance.data_digest, "0" * 64),
        "unsealed version": lambda text: text.replace('"entry_version":1', '"entry_version":2'),
    }
    text = paths["as it was"].read_text()
    for name, change in changes.items():
        paths[name] = tmp_path / f"{name}.json"
        paths[name].write_text(change(text))
        assert change(text) != text
    found = verify_records(paths.values(), entries=["own_verified:Own"])
    kinds = dict(zip(paths, found, strict=True))
    for name in changes:
        assert (kinds[name].kind, "was changed" in kinds[name].why) == ("differs", True), kinds[name]
    for name, (_, kind, why) in forged.items():
        assert (kinds[name].kind, why in kinds[name].why) == (kind, True), (name, kinds[name])


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reruns in this process."""
    monkeypatch.setattr(verify, "make_pool", InProcessPool)


@pytest.mark.usefixtures("in_process")
def test_the_command_says_so_and_exits_accordingly(folder: Path, tmp_path: Path) -> None:
    def exit_code(*arguments: Path | str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["verify", *map(str, arguments)], catch_exceptions=False)
        return result.exit_code, result.output

    chance = folder / "records" / CARD / "chance"
    code, output = exit_code(chance)
    assert (code, output.count(": verified")) == (0, 2)
    own = next((folder / "records").rglob("own/*.json"))
    code, output = exit_code(own)
    assert (code, "name its class with --entries" in output) == (3, True)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    code, output = exit_code(broken)
    assert (code, f"{broken}: cannot verify: is not JSON" in output) == (3, True)
    changed = tmp_path / "changed.json"
    changed.write_text(own.read_text().replace('"exact":false', '"exact":true'))
    code, output = exit_code(changed, own, broken)
    assert (code, "differs: was changed" in output) == (1, True)


@pytest.mark.usefixtures("in_process")
def test_of_a_sample_the_other_records_are_read(folder: Path, tmp_path: Path) -> None:
    chance = sorted((folder / "records" / CARD / "chance").iterdir())
    changed = tmp_path / "changed.json"
    changed.write_text(chance[0].read_text().replace('"wall_seconds":', '"wall_seconds":1'))
    arguments = ["verify", *map(str, [*chance, changed]), "--sample", "1", "--seed", "3", "--json"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["sample"], found["seed"]) == (1, 1, 3)
    assert found["counts"] == {"differs": 1, "sound": 1, "verified": 1}
    assert {one["path"]: one["kind"] for one in found["verdicts"]}[str(changed)] == "differs"
    assert [one["path"] for one in json.loads(CliRunner().invoke(app, arguments).stdout)["verdicts"]] == [
        one["path"] for one in found["verdicts"]
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"sample": 0}, "^sample=0: must be at least 1"), ({"tolerance": -0.1}, "^tolerance="), ({"seed": -1}, "^seed=")],
)
def test_numbers_out_of_range_are_refused(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify_records([folder / "records"], **arguments)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        verify_records([tmp_path / "nothing"])


def test_a_record_beyond_the_limits_of_its_entry_cannot_be_run_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_class("chance"), "limits", Limits(sites=100))
    (verdict,) = verify_records([next((folder / "records").rglob("chance/P32-*.json"))])
    assert verdict.kind == "cannot verify"
    assert verdict.why == "it is beyond the limits that the entry declares, L^d <= 100"


def test_every_published_record_is_of_a_run_that_its_entry_plans() -> None:
    """Of the version that is here, and within the limits that it declares."""
    with published_records() as folder:
        found = [one for _, one in read_records([folder])]
    tasks = {name: load_card(name).task for name in {one.card for one in found if isinstance(one, Record)}}
    for one in found:
        assert isinstance(one, Record)
        entry = entry_class(one.entry)
        assert one.entry_version == entry.version, one.run
        assert entry.limits.admits(tasks[one.card], one.n_train), one.run


TWENTY = {
    "oracle": [("block-1d-L64", 32, 0), ("block-1d-L1024", 32, 1), ("distance-2d-L16-xi6.5", 32, 0)],
    "chance": [("block-1d-L64", 64, 0), ("block-1d-L128", 1024, 2), ("distance-2d-L16-xi8.5-open", 512, 1)],
    "spectral": [
        ("block-1d-L64", 256, 0), ("block-1d-L64", 128, 1), ("block-1d-L128", 512, 0), ("block-1d-L128", 1024, 2),
        ("block-1d-L256", 2048, 1), ("block-1d-L512", 2048, 0),
    ],
    "knn": [("block-2d-L16-xi8", 128, 0), ("distance-1d-L512-xi128", 64, 1)],
    "logistic": [("block-2d-L16-xi8", 512, 2), ("distance-2d-L16-xi8.5-open", 128, 0)],
    "svm-rbf": [("block-2d-L16-xi8", 32, 0), ("distance-2d-L16-xi6.5", 128, 1)],
    "fc3": [("block-2d-L16", 2048, 0), ("block-2d-L16", 4096, 1)],
}  # fmt: skip
"""Published records of the quick kinds: card, n_train and seed, by entry."""


@pytest.mark.usefixtures("in_process")
def test_twenty_published_records_verify(tmp_path: Path) -> None:
    """Exact entries to the last bit; others in every decision, on any processor, or within four joint errors."""
    chosen = {(card, entry, n, seed) for entry, runs in TWENTY.items() for card, n, seed in runs}
    with published_records() as folder:
        found = [one for _, one in read_records([folder]) if isinstance(one, Record)]
    records = [one for one in found if (one.card, one.entry, one.n_train, one.seed) in chosen]
    assert len(records) == len(chosen) == 20
    write_lines(tmp_path, records)
    verdicts = verify_records([tmp_path], jobs=1)
    bad = [v for v in verdicts if v.kind not in ("verified", "consistent")]
    if any(one.environment.versions["scikit-learn"] != sklearn.__version__ for one in records):
        # Other versions have other parameters, and a configuration names them all: it differs, and says so.
        bad = [v for v in bad if v.path.name.split(".")[0] not in ("logistic", "svm-rbf") or "but that of" not in v.why]
    assert [(v.path.name, v.kind, v.why) for v in bad] == []
    exact = [v for v in verdicts if v.path.name.split(".")[0] in ("oracle", "chance")]
    assert [v.kind for v in exact] == ["verified"] * 6
