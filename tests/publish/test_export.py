"""Exported data are the package's samples, and tools that do not know the package read them."""

from __future__ import annotations

import csv
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pytest
from helpers.command_line import run
from pyarrow import parquet

import scaledetect as sd
from scaledetect.publish import FORMATS, cite, export_card
from scaledetect.sampling.seeds import factor_seed

THEORY, SCORE, OPEN = "distance-1d-L64-xi16", "block-2d-L16-xi8", "distance-2d-L16-xi5-gap1-open"


def _rows(path: Path) -> list[list[int]]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:2] == ["sample", "label"]
    return [[int(cell) for cell in row] for row in rows]


def _expected(card: str, n: int, seed: int, split: Any = None) -> list[list[int]]:
    pairs, y = sd.sample_pairs(sd.load_task(card), n, seed=seed, split=split)
    return [[j, int(label), *pair.ravel().tolist()] for j, (label, pair) in enumerate(zip(y, pairs, strict=True))]


def test_csv_of_a_theory_card_is_the_stream_that_its_digest_pins(tmp_path: Path) -> None:
    export_card(THEORY, tmp_path / "out", format="csv")
    card = sd.load_card(THEORY)
    rows = _rows(tmp_path / "out" / "sample.csv")
    assert rows == _expected(THEORY, len(rows), card.seeds.digest)
    assert len(rows) == 1920  # 960 near pairs, and classes alternate


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_splits_of_a_score_card_are_the_rows_of_the_leaderboard(split: str, tmp_path: Path) -> None:
    export_card(SCORE, tmp_path / "out", format="csv", repetition=3)
    rows = _rows(tmp_path / "out" / f"{split}.csv")
    assert rows == _expected(SCORE, len(rows), factor_seed(3, "data"), split)
    budgets = sd.load_card(SCORE).budgets
    assert budgets is not None
    assert (
        len(rows) == {"train": budgets.n_train[-1], "validation": budgets.n_validation, "test": budgets.n_test}[split]
    )


def test_npz_holds_positions_labels_and_images(tmp_path: Path) -> None:
    export_card(OPEN, tmp_path / "out", n=20, seed=5, images=True)
    with np.load(tmp_path / "out" / "sample.npz") as file:
        pairs, y = sd.sample_pairs(sd.load_task(OPEN), 20, seed=5)
        np.testing.assert_array_equal(file["pairs"], pairs)
        np.testing.assert_array_equal(file["y"], y)
        np.testing.assert_array_equal(file["X"], sd.sample_images(sd.load_task(OPEN), 20, seed=5)[0])


@pytest.mark.parametrize(
    ("format", "file", "labels"),
    [
        ("parquet", "sample.parquet", [1, -1]),
        ("huggingface", "data/sample-00000-of-00001.parquet", [1, 0]),
    ],
)
def test_parquet_holds_columns_images_and_what_they_are(
    format: str, file: str, labels: list[int], tmp_path: Path
) -> None:
    export_card(OPEN, tmp_path / "out", format=format, n=6, images=True)  # type: ignore[arg-type]
    table = parquet.read_table(tmp_path / "out" / file)
    assert table["label"].to_pylist() == labels * 3
    X = sd.sample_images(sd.load_task(OPEN), 6)[0]
    np.testing.assert_array_equal(np.array(table["image"].to_pylist(), dtype=np.float32), X.reshape(6, -1))
    assert json.loads(table.schema.metadata[b"scaledetect"])["digest"] == sd.load_card(OPEN).digest


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "n"), [(THEORY, 100), (SCORE, None), (OPEN, 100), ("distance-3d-L8-xi3", 100)])
def test_mlcroissant_accepts_the_metadata_and_loads_the_records(name: str, n: int | None, tmp_path: Path) -> None:
    export_card(name, tmp_path / "out", format="croissant", n=n)
    data = mlcroissant.Dataset(jsonld=tmp_path / "out" / "croissant.json")
    assert (data.metadata.ctx.issues.errors, data.metadata.ctx.issues.warnings) == (set(), set())
    assert data.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    for part in data.metadata.record_sets:
        loaded = [list(row.values()) for row in data.records(part.uuid)]
        assert loaded == _rows(tmp_path / "out" / f"{part.uuid}.csv")


def test_metadata_hold_the_hashes_of_the_files(tmp_path: Path) -> None:
    export_card(SCORE, tmp_path / "out", format="croissant")
    metadata = json.loads((tmp_path / "out" / "croissant.json").read_text(encoding="utf-8"))
    files = {one["contentUrl"]: one["sha256"] for one in metadata["distribution"]}
    assert files == {path.name: sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out").glob("*.csv")}


@pytest.mark.parametrize("format", FORMATS)
def test_every_export_says_what_it_is(format: str, tmp_path: Path) -> None:
    files = export_card(OPEN, tmp_path / "out", format=format, n=10)  # type: ignore[arg-type]
    card = sd.load_card(OPEN)
    sheet = (tmp_path / "out" / "datasheet.md").read_text(encoding="utf-8")
    assert cite(card).line in sheet
    for text in (card.digest, "open borders", "below 4.5", "far from 5.5 on", "| sample | 10 | 5 | 5 |"):
        assert text in sheet
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text(encoding="utf-8"))
    assert sd.Task(**metadata["task"]) == card.task
    assert set(files) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _card_with_noise(root: Path, folder: Path) -> Path:
    path = folder / "noisy.toml"
    text = (root / "tasks" / f"{THEORY}.toml").read_text(encoding="utf-8")
    path.write_text(text.replace(f'"{THEORY}"', '"noisy"').replace("[task]", "[task]\nbackground_noise = 0.5"))
    return path


def test_background_noise_is_not_lost(root: Path, tmp_path: Path) -> None:
    card = sd.load_card(str(_card_with_noise(root, tmp_path)))
    with pytest.raises(ValueError, match="images=False: card 'noisy' has background noise"):
        export_card(card, tmp_path / "out")
    export_card(card, tmp_path / "out", images=True, n=4)
    with np.load(tmp_path / "out" / "sample.npz") as file:
        np.testing.assert_array_equal(file["X"], sd.sample_images(card.task, 4)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xlsx"}, "format='xlsx'"),
        ({"format": "csv", "images": True}, "images=True"),
        ({"n": 5000}, "n=5000: the population of this task holds 1920"),
        ({"n": 0}, "n=0"),
        ({"seed": 1, "repetition": 2}, "repetition=2"),
        ({"repetition": -1}, "repetition=-1"),
        ({"card": 5}, "card=5"),
        ({"card": "distance-1d"}, "unknown card 'distance-1d'"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_written(
    options: dict[str, object], message: str, tmp_path: Path
) -> None:
    card = options.pop("card", THEORY)
    with pytest.raises((ValueError, TypeError, KeyError), match=message):
        export_card(card, tmp_path / "out", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is there and not empty"):
        export_card(THEORY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ValueError, match=r"pip install 'scaledetect\[export\]'"):
        export_card(THEORY, tmp_path / "out", format="parquet")


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = run("export", THEORY, "--format", "csv", "--n", "4").stdout.split()
    assert printed == [str(Path(THEORY, name)) for name in ("datasheet.md", "metadata.json", "sample.csv")]
    assert "is there and not empty" in run("export", THEORY, code=2).output
