"""Folders of runs: the same description goes on, another is refused, and a lock keeps a second process out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import filelock
import pytest

from scaledetect._base.run_folder import Description, lock_folder
from scaledetect.leaderboard.runner import run_study
from scaledetect.reproduce.folder import StudyFolder
from scaledetect.training.store import RunFolder

HOLD = """
import sys
from pathlib import Path
from scaledetect._base.run_folder import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def run(**data: Any) -> Description:
    return Description("run.json", "test/1", "run", data)


def test_a_new_folder_is_made_and_the_same_run_finds_it(tmp_path: Path) -> None:
    assert not run(seeds=(1, 2)).claim(tmp_path / "new", {})
    assert run(seeds=[1, 2]).claim(tmp_path / "new", {"numpy": "another version"})


def test_another_run_is_refused_by_what_differs_and_long_values_are_cut(tmp_path: Path) -> None:
    run(rate=0.1, rows=1, jobs=list(range(1000))).claim(tmp_path, {})
    with pytest.raises(ValueError, match=r"holds another run: rate is 0.1 there and 0.2 here; choose another folder"):
        run(rate=0.2, rows=1, jobs=list(range(1000))).claim(tmp_path, {})
    with pytest.raises(ValueError, match="jobs is") as error:
        run(rate=0.1, rows=1, jobs=list(range(1001))).claim(tmp_path, {})
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "test/1", "run": 3}', '{"format": "test/2", "run": {}}'])
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"holds a run\.json that"):
        run().claim(tmp_path, {})


def test_a_held_folder_is_refused_to_all_that_write_runs(tmp_path: Path) -> None:
    def train() -> None:
        with RunFolder(tmp_path, {}):
            pass

    def figure() -> None:
        with StudyFolder(tmp_path, "figure", {}).work("job"):
            pass

    with lock_folder(tmp_path):
        for start in (train, lambda: run_study((), tmp_path)):
            with pytest.raises(
                ValueError, match="is in use by another run; wait until it has ended, or choose another"
            ):
                start()
    train()
    figure()
    with lock_folder(tmp_path / "runs", ".job.lock"), pytest.raises(ValueError, match="in use"):
        figure()


def test_the_system_lets_go_of_a_folder_whose_process_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="in use"), lock_folder(tmp_path):
            pass
        other.kill()
    with lock_folder(tmp_path):
        pass


def test_a_file_system_without_locks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(self: filelock.FileLock) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with pytest.warns(UserWarning, match="has no locks"), lock_folder(tmp_path):
        pass


def test_a_held_folder_is_rid_of_half_a_description_and_of_nothing_else(tmp_path: Path) -> None:
    half, other = tmp_path / ".run-abcdefgh.json", tmp_path / ".run-notes-of-mine.json"
    for path in (half, other):
        path.write_text("{")
    with run(a=1).hold(tmp_path, {}), pytest.raises(ValueError, match="is in use"), run(a=1).hold(tmp_path, {}):
        pass
    assert not half.exists() and other.exists()
    with run(a=1).hold(tmp_path, {}):
        pass
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    run(a=2).claim(elsewhere, {})
    there = sorted(elsewhere.iterdir())
    with pytest.raises(ValueError, match="holds another run"), run(a=1).hold(elsewhere, {}):
        pass
    assert sorted(elsewhere.iterdir()) == there


def test_a_folder_that_cannot_be_tidied_is_let_go(tmp_path: Path) -> None:
    (tmp_path / ".seed-0.pt").mkdir()
    folder = RunFolder(tmp_path, {})
    with pytest.raises(OSError, match="seed-0"), folder:
        pass
    with lock_folder(tmp_path):
        pass
