"""Records at the ends of what they may hold: the last that is taken and the first that is not."""

from __future__ import annotations

import gc
import json
import math
import platform
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.record_samples import ELSEWHERE, sample_record, sample_scores
from pydantic import ValidationError

from scaledetect.leaderboard.records import (
    BadRecord,
    Environment,
    RecordError,
    Scores,
    canonical_json,
    environment,
    read_record,
    read_records,
    storage,
    unique_records,
    write_lines,
    write_record,
)
from scaledetect.leaderboard.records.storage import keyed_path
from scaledetect.leaderboard.runner.worker import _anonymous
from scaledetect.leaderboard.scoring import Outcome


@pytest.mark.parametrize(("fit", "predict", "wall"), [(0.0005, 0.0005, 0.0), (500.0, 501.0, 1000.0)])
def test_parts_may_exceed_the_whole_by_a_thousandth_and_a_millisecond(fit: float, predict: float, wall: float) -> None:
    assert sample_record(fit_seconds=fit, predict_seconds=predict, wall_seconds=wall).wall_seconds == wall
    with pytest.raises(ValidationError, match="less than fit and predictions took together"):
        sample_record(fit_seconds=fit + 0.0015, predict_seconds=predict, wall_seconds=wall)


def test_a_file_of_just_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_record(tmp_path, sample_record())
    monkeypatch.setattr(storage, "SIZE_LIMIT", path.stat().st_size)
    assert read_record(path) == sample_record()
    path.write_text(path.read_text() + " ")
    with pytest.raises(RecordError, match=f"has {path.stat().st_size} bytes, more than the"):
        read_record(path)


def test_after_a_line_of_just_the_limit_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = write_lines(tmp_path / "one", [sample_record()])[0].read_bytes()
    (tmp_path / "two.jsonl").write_bytes(line + line)
    for limit, read in ((len(line), 2), (len(line) - 1, 1)):
        monkeypatch.setattr(storage, "SIZE_LIMIT", limit)
        assert len(list(read_records([tmp_path / "two.jsonl"]))) == read


def test_a_name_has_at_most_a_hundred_characters(tmp_path: Path) -> None:
    assert keyed_path(tmp_path, "c" * 100, "e", 3, 4, "k" * 64).name == f"P3-seed4-{'k' * 16}.json"
    for card, entry, named in (("c" * 101, "e", "card"), ("c", "e" * 101, "entry"), ("", "e", "card")):
        with pytest.raises(ValueError, match=f"^{named}="):
            keyed_path(tmp_path, card, entry, 3, 4, "k" * 64)


def test_five_faults_are_named_at_most(tmp_path: Path) -> None:
    data = json.loads(write_record(tmp_path, sample_record()).read_text())
    del data["sha256"]
    (tmp_path / "a.json").write_text(json.dumps(data | {f"more{k}": 1 for k in range(6)}))
    with pytest.raises(RecordError) as caught:
        read_record(tmp_path / "a.json")
    assert caught.value.reason.count(";") == 4


def test_an_environment_without_names_says_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cpu = environment.cpu_model.__wrapped__
    monkeypatch.setattr(environment, "_CPU_FILE", tmp_path / "cpu")
    for name in ("machine", "system", "processor"):
        monkeypatch.setattr(platform, name, lambda: "")
    here = Environment.here(1)
    assert (here.machine, here.system, cpu()) == ("unknown", "unknown", "unknown")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert (Environment.here(1).machine, cpu()) == ("x86_64", "x86_64")
    monkeypatch.setattr(platform, "processor", lambda: "a processor")
    assert cpu() == "a processor"
    (tmp_path / "cpu").write_text("flags : many\nmodel name :\nmodel name : A100\nmodel name : B200\n")
    assert cpu() == "A100"


@pytest.mark.parametrize(
    ("torch", "name"),
    [
        (None, ""),
        (SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False)), ""),
        (
            SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "G" * 201)),
            "G" * 200,
        ),
    ],
)
def test_an_accelerator_has_a_name_where_torch_can_use_it(
    torch: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert environment.accelerator() == name


def test_a_reason_in_half_a_character_can_be_written(tmp_path: Path) -> None:
    reason = _anonymous(Outcome("failed", "ValueError: \ud800")).reason
    record = sample_record(status="failed", reason=reason)
    assert read_record(write_record(tmp_path, record)).reason == "ValueError: \\ud800"


def test_numbers_wrong_are_all_at_most() -> None:
    scores = sample_record(sample_scores(256, 256)).scores
    assert scores is not None and scores.test_error == 1
    with pytest.raises(ValidationError, match="n_wrong=257 is more than n_test=256"):
        sample_record(sample_scores(256, 256) | {"n_wrong": 257})


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_is_not_finite_is_neither_recorded_nor_written(value: float, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Scores.model_validate(sample_scores(D=value))
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_record(tmp_path, sample_record().model_copy(update={"wall_seconds": value}))


def test_a_file_holds_the_line_that_a_file_of_many_would(tmp_path: Path) -> None:
    record = sample_record()
    (many,) = write_lines(tmp_path, [record])
    assert (
        write_record(tmp_path, record).read_bytes() == many.read_bytes() == canonical_json(record.model_dump()) + b"\n"
    )


def test_a_record_with_spaces_and_colons_in_its_text_is_read(tmp_path: Path) -> None:
    record = sample_record(None, status="failed", reason='stopped: "no" : memory', configuration={"a:b": [{"c": ":"}]})
    path = write_record(tmp_path, record)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    assert read_record(path) == record


def test_a_hash_that_is_no_text_is_a_fault_and_no_change(tmp_path: Path) -> None:
    path = write_record(tmp_path, sample_record())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": 5}))
    with pytest.raises(RecordError, match="sha256: Input should be a valid string") as caught:
        read_record(path)
    assert "was changed" not in str(caught.value)


def test_environments_are_kept_up_to_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Environment] = {}
    monkeypatch.setattr(storage, "_environments", kept)
    monkeypatch.setattr(storage, "MOST_SHARED", 2)
    for number in range(3):
        record = sample_record(environment=ELSEWHERE.model_copy(update={"cpu": f"number {number}"}))
        assert read_record(write_record(tmp_path, record)) == record
    assert [one.cpu for one in kept.values()] == ["number 0", "number 1"]


def test_texts_of_an_environment_are_cut_to_200_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name : {'x' * 300}")
    monkeypatch.setattr(environment, "_CPU_FILE", tmp_path / "cpuinfo")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "y" * 300)
    assert environment.cpu_model.__wrapped__() == "x" * 200
    assert environment._instructions([])["ONEDNN_MAX_CPU_ISA"] == "y" * 200


def test_an_environment_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ELSEWHERE.cpu = "another"


def test_a_bad_record_is_frozen(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        BadRecord(tmp_path, "is none").reason = ""  # type: ignore[misc]


def test_the_search_for_garbage_is_left_as_it_was(tmp_path: Path) -> None:
    assert gc.isenabled()
    unique_records([tmp_path])
    assert gc.isenabled()
    gc.disable()
    try:
        unique_records([tmp_path])
        assert not gc.isenabled()
    finally:
        gc.enable()
