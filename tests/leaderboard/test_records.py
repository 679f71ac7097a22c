"""Records: what is written is read, what was changed is noticed, and no file harms or stops the others."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic
import pytest
from helpers.record_samples import ELSEWHERE, sample_record, sample_scores

from scaledetect.leaderboard.records import (
    SIZE_LIMIT,
    BadRecord,
    Environment,
    Record,
    RecordError,
    find_records,
    keyed_path,
    merge_records,
    read_record,
    read_records,
    record_path,
    record_schema,
    run_key,
    unique_records,
    write_lines,
    write_record,
)

Change = Callable[[dict[str, Any]], object]


def rewritten(path: Path, change: Change, *, seal: bool = False) -> Path:
    """The record file `path` after `change`; with its hash computed anew where `seal`, independently of the package."""
    data = json.loads(path.read_text())
    change(data)
    if seal:
        content = {name: value for name, value in data.items() if name != "sha256"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        data["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    "record",
    [
        sample_record(),
        sample_record(sample_scores(D=0.5, D_stderr=0.01, R=2)),
        sample_record(status="failed", reason="ValueError: no"),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, record: Record) -> None:
    path = write_record(tmp_path, record)
    assert read_record(path) == record
    assert path == record_path(tmp_path, record)
    # The hash is that of the file without it, as anyone can compute it.
    assert read_record(rewritten(path, lambda data: None, seal=True)).sha256 == record.sha256


def test_records_of_one_environment_share_it_and_each_is_checked_in_full(tmp_path: Path) -> None:
    """Equal in Python is not equal in JSON: true and 1.0 are no number of threads, also after a record that has 1."""
    first, second = (read_record(write_record(tmp_path, sample_record(seed=seed))) for seed in (0, 1))
    assert first.environment is second.environment
    path = record_path(tmp_path, second)
    threads = second.environment.threads
    for other in (float(threads), True):
        assert other == threads == 1
        rewritten(path, lambda data, other=other: data["environment"].update(threads=other), seal=True)  # type: ignore[misc]
        with pytest.raises(RecordError, match=r"environment\.threads"):
            read_record(path)


def test_the_key_names_the_run() -> None:
    key = sample_record().key
    changes: tuple[dict[str, Any], ...] = (
        {"card_version": 2}, {"stream_version": 2}, {"entry": "other"}, {"entry_version": 2}, {"n_train": 33},
        {"seed": 1}, {"configuration": {}}, {"data_digest": "0" * 64},
    )  # fmt: skip
    for change in changes:
        assert sample_record(**change).key != key, change
    assert sample_record(sample_scores(3), wall_seconds=9.0, exact=False).key == key
    data = sample_record().model_dump()
    assert run_key(data) == key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["scores"].update(n_wrong=65), "test_error"),
        (lambda d: d["scores"].update(n_wrong=300, test_error=1.0), "more than n_test"),
        (lambda d: d["scores"].update(test_error_stderr=0.01), "binomial"),
        (lambda d: d["scores"].update(test_error=float("1e400")), "not a number|finite|less than"),
        (lambda d: d["scores"]["served"].update(test=1), "served.test"),
        (lambda d: d["scores"].update(D=-1.0), "scores.D"),
        (lambda d: d.update(status="diverged"), "status"),
        (lambda d: d.update(scores=None), "status"),
        (lambda d: d.update(reason="why"), "reason"),
        (lambda d: d.update(wall_seconds=0.1), "wall_seconds"),
        (lambda d: d.update(seed=1), "key"),
        (lambda d: d.update(seed="0"), "seed"),
        (lambda d: d.update(entry="../../etc"), "entry"),
        (lambda d: d.update(card=".."), "card"),
        (lambda d: d.update(note="more"), "note: unknown key"),
        (lambda d: d["scores"].update(accuracy=1.0), "scores.accuracy: unknown key"),
        (lambda d: d["environment"].update(host="me"), "environment.host: unknown key"),
        (lambda d: d.pop("card"), "card"),
        (lambda d: d.update(schema_version=2), "schema_version"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(tmp_path: Path, change: Change, message: str) -> None:
    path = rewritten(write_record(tmp_path, sample_record()), change, seal=True)
    with pytest.raises(RecordError, match=message) as caught:
        read_record(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_change_is_noticed_by_the_hash(tmp_path: Path) -> None:
    path = rewritten(write_record(tmp_path, sample_record()), lambda d: d.update(wall_seconds=2.0))
    with pytest.raises(RecordError, match=r"was changed: .* was taken of$"):
        read_record(path)


def test_what_else_is_wrong_with_a_changed_record_is_said_too(tmp_path: Path) -> None:
    path = rewritten(write_record(tmp_path, sample_record()), lambda d: d.update(note="more"))
    with pytest.raises(RecordError, match=r"was changed: .* was taken of \(note: unknown key"):
        read_record(path)


class Explosive:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, ("exploded",)


def test_bad_files_are_named_and_stop_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "records"
    good = write_record(folder, sample_record())
    bad = {
        "empty": b"",
        "truncated": good.read_bytes()[:-20],
        "binary": bytes(range(256)),
        "list": b"[]",
        "nan": good.read_bytes().replace(b"0.25", b"NaN", 1),
        "twice": good.read_bytes().replace(b'"seed":0', b'"seed":1,"seed":0'),
        "twice, set off": good.read_bytes().replace(b'"seed":0', b'"seed" : 1, "seed"\t:0'),
        "twice in a table": good.read_bytes().replace(b'"test":0', b'"test":0,"test":0'),
        "deep": b"[" * 200_000,
        "deep configuration": good.read_bytes().replace(b"0.1", b"[" * 950 + b"]" * 950),
        "deeper": good.read_bytes().replace(b"0.1", b"[" * 5000 + b"]" * 5000),
        "infinite": good.read_bytes().replace(b"0.1", b"1e400"),
        "half a character": good.read_bytes().replace(b'"chance"', b'"\\ud800"'),
        "long number": good.read_bytes().replace(b"0.25", b"1" * 10_000),
        "pickle": pickle.dumps(Explosive()),
    }
    for name, content in bad.items():
        (folder / f"{name}.json").write_bytes(content)
    (folder / ".half-written.json").write_bytes(b"{")
    (folder / "folder.json").mkdir()
    with (folder / "huge.json").open("wb") as file:
        file.truncate(100_000_000)
    found = dict(read_records([folder]))
    assert {path.stem for path, one in found.items() if isinstance(one, BadRecord)} == {*bad, "huge"}
    assert found[good] == sample_record()
    huge = found[folder / "huge.json"]
    assert isinstance(huge, BadRecord)
    assert str(SIZE_LIMIT) in huge.reason
    assert not (tmp_path / "exploded").exists()


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.json"
    path.write_bytes(b" " * (SIZE_LIMIT + 1))
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(RecordError, match=r"huge.json: has 1000001 bytes"):
        read_record(path)


@pytest.mark.parametrize("name", ["../out", "/etc", "a/../../../b", "..", ".hidden", "", "a\n", "x" * 200])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"card=.*is no name of a folder"):
        keyed_path(tmp_path, name, "entry", 1, 0, "0" * 64)
    with pytest.raises(ValueError, match=r"entry=.*is no name of a folder"):
        keyed_path(tmp_path, "card", name, 1, 0, "0" * 64)
    with pytest.raises(ValueError, match="entry"):
        sample_record(entry=name)


@pytest.mark.parametrize("path", ["x" * 300, "a\0b"])
def test_a_path_that_no_system_names_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match=r"^records=.*is no path of this system"):
        list(read_records([path]))
    with pytest.raises(ValueError, match=r"^output=.*is no path of this system"):
        merge_records([tmp_path], path)


def test_a_file_that_is_no_record_is_no_changed_one(tmp_path: Path) -> None:
    assert not BadRecord(tmp_path, "is none").changed


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file or folder"):
        list(read_records([tmp_path / "nothing"]))


def test_the_published_schema_is_current(root: Path) -> None:
    published, found = json.loads((root / "docs/record-schema.json").read_text()), record_schema()
    assert (found["required"], list(found["properties"])) == (published["required"], list(published["properties"]))
    # Earlier releases of pydantic say some of the limits in other words, or not at all.
    if tuple(map(int, pydantic.VERSION.split(".")[:2])) >= (2, 14):
        assert found == published


def test_the_environment_names_no_one() -> None:
    here = Environment.here(1)
    text = json.dumps(here.model_dump()).lower()
    assert os.uname().nodename.lower() not in text
    assert str(Path.home()) not in text
    assert here.differences(here) == []
    assert any(line.startswith("cpu: ") for line in here.differences(ELSEWHERE))


# ---------------------------------------------------------------------- merge


def test_merge_keeps_one_record_a_run(tmp_path: Path) -> None:
    for folder, seeds in (("a", (0, 1)), ("b", (1, 2))):
        for seed in seeds:
            write_record(tmp_path / folder, sample_record(seed=seed, wall_seconds=1.0 + len(folder)))
    merged = merge_records([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
    assert (len(merged.records), merged.repeated, merged.conflicts) == (3, 1, ())
    assert sorted(r.seed for r in unique_records([tmp_path / "all"]).records) == [0, 1, 2]
    again = merge_records([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
    assert len(again.records) == 3


def two(tmp_path: Path, first: Record, second: Record) -> Any:
    write_record(tmp_path / "a", first)
    write_record(tmp_path / "b", second)
    return unique_records([tmp_path / "a", tmp_path / "b"])


def test_merge_names_a_conflict(tmp_path: Path) -> None:
    merged = two(tmp_path, sample_record(exact=False), sample_record(sample_scores(65), exact=False))
    (conflict,) = merged.conflicts
    assert conflict.run == "block-2d-L16-xi8 / chance / P=32 / seed 0"
    assert "n_wrong 64 and 65" in conflict.difference
    assert conflict.kept.is_relative_to(tmp_path / "a")
    assert merged.records[0].scores.n_wrong == 64


def test_another_machine_may_differ_unless_the_entry_is_exact(tmp_path: Path) -> None:
    here = Environment.here(1)
    other = sample_record(sample_scores(65), environment=here, exact=False)
    assert two(tmp_path / "1", sample_record(exact=False), other).conflicts == ()
    exact = two(tmp_path / "2", sample_record(), sample_record(sample_scores(65), environment=here))
    assert len(exact.conflicts) == 1


def test_a_score_takes_the_place_of_a_failure(tmp_path: Path) -> None:
    failed = sample_record(status="failed", reason="killed")
    merged = two(tmp_path, failed, sample_record())
    assert merged.conflicts == ()
    assert merged.records[0].status == "ok"


def test_records_as_lines_are_read_as_files_are_and_a_bad_line_is_named(tmp_path: Path) -> None:
    records = [
        sample_record(seed=seed, n_train=size, entry=entry) for entry in "ab" for size in (64, 32) for seed in (1, 0)
    ]
    paths = write_lines(tmp_path, records)
    assert [path.name for path in paths] == ["a.jsonl", "b.jsonl"]
    found = [one for _, one in read_records([tmp_path])]
    assert {one.key for one in found if isinstance(one, Record)} == {one.key for one in records}
    assert [(one.n_train, one.seed) for one in found[:4] if isinstance(one, Record)] == [
        (32, 0),
        (32, 1),
        (64, 0),
        (64, 1),
    ]
    lines = paths[0].read_bytes().splitlines()
    forged = lines[1].replace(b'"seed":1', b'"seed":7')
    paths[0].write_bytes(b"\n".join([lines[0], b"{", forged, lines[3]]) + b"\n")
    read = dict(read_records([paths[0]]))
    assert [place.name for place in read] == [f"a.jsonl:{n}" for n in (1, 2, 3, 4)]
    bad = [one for one in read.values() if isinstance(one, BadRecord)]
    assert [(one.path.name, one.changed) for one in bad] == [("a.jsonl:2", False), ("a.jsonl:3", True)]
    merged = merge_records([tmp_path], tmp_path / "merged", lines=True)
    assert len(merged.records) == 6 and len(merged.bad) == 2
    assert [path.suffix for path in find_records([tmp_path / "merged"])] == [".jsonl", ".jsonl"]
