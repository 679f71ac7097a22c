"""A disk that is full, or takes no files: one line, exit code 1, and nothing half written."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.in_process import InProcessPool
from helpers.record_samples import sample_record
from typer.testing import CliRunner

from scaledetect._base.files import replacing, tidy
from scaledetect.cli import app
from scaledetect.leaderboard.records import write_record
from scaledetect.leaderboard.runner import run_grid

CARD = "block-2d-L16-xi8"


def full(*arguments: Any, **options: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only(*arguments: Any, **options: Any) -> Any:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def one_line(*words: str | Path) -> str:
    """What the command says; it must say it in one line, with exit code 1."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert (result.exit_code, "Traceback" in result.output) == (1, False), result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("scaledetect: ")]
    return line


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "savez", full)
    line = one_line("sample", CARD, "--n", "4", "--output", tmp_path / "s.npz")
    assert line == f"scaledetect: {tmp_path}/s.npz: cannot be written (No space left on device)"
    assert left(tmp_path) == []


def test_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_grid, "make_pool", InProcessPool)
    monkeypatch.setattr(Path, "write_bytes", full)
    words = ("--cards", CARD, "--entries", "chance", "--n-train", "32", "--seeds", "0", "--jobs", "1")
    assert "cannot be written (No space left on device)" in one_line("run", *words, "--output", tmp_path)
    assert [name for name in left(tmp_path) if not name.endswith(".lock")] == []


def test_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_bytes", full)
    words = ("--width", "2", "--depth", "1", "--seeds", "0", "--n-train", "8", "--max-epochs", "2")
    line = one_line("train", "block-1d-L64-xi16", *words, "--output", tmp_path / "run")
    assert "cannot be written (No space left on device)" in line
    assert [name for name in left(tmp_path) if name.endswith(".pt") or name.startswith((".seed", ".check"))] == []


def test_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    line = one_line("compare", "block-1d-L64-xi16", "--n", "200", "--noise", "signed", "--output", tmp_path)
    assert "cannot be written (No space left on device)" in line
    assert [name for name in left(tmp_path) if name.startswith(".")] == []


def test_merge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_record(tmp_path / "one", sample_record())
    monkeypatch.setattr(Path, "write_bytes", read_only)
    line = one_line("merge", tmp_path / "one", "--output", tmp_path / "all")
    assert "cannot be written (Read-only file system)" in line
    assert left(tmp_path / "all") == []


@pytest.mark.parametrize("fault", [full, read_only])
def test_what_was_there_stays(tmp_path: Path, fault: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    monkeypatch.setattr(Path, "replace", fault)
    with pytest.raises(OSError, match=r"a\.txt"), replacing(path) as temporary:
        temporary.write_text("after")
    assert (path.read_text(), left(tmp_path)) == ("before", ["a.txt"])


def test_half_written_files_of_killed_processes_are_tidied(tmp_path: Path) -> None:
    names = (".study-D-abcdefgh.png", ".study-x1y2z3w4.csv", ".other-abcdefgh.png", "study-D.png")
    for name in names:
        (tmp_path / name).touch()
    fresh = shutil.copy(tmp_path / names[0], tmp_path / ".study-G-abcdefgh.png")
    for name in names:
        os.utime(tmp_path / name, (time.time() - 4000,) * 2)
    tidy(tmp_path, "study")
    assert left(tmp_path) == sorted([names[2], names[3], Path(fresh).name])
