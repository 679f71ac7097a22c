"""The entry of docs/submit.md keeps the contract it explains."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from helpers.command_line import run

from scaledetect.leaderboard.entries.base import Entry
from scaledetect.leaderboard.scoring import Run, evaluate


@pytest.fixture(autouse=True)
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the module of the page, the current one."""
    (code,) = re.findall(r"```python\n(.*?)```", (root / "docs" / "submit.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my_module.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_module", raising=False)
    return tmp_path


def test_the_entry_of_the_page_is_checked_and_scored() -> None:
    assert "FAIL" not in run("check", "my_module:MyEntry", "block-2d-L16-xi8").stdout
    outcome = evaluate(Run("distance-1d-L512-xi128", "my_module:MyEntry", 128, 0))
    assert outcome.scores is not None and outcome.scores.test_error < 0.4


def test_the_page_names_what_there_is(root: Path) -> None:
    text = (root / "docs" / "submit.md").read_text(encoding="utf-8")
    for name in ("name", "title", "version", "exact", "budget"):
        assert re.search(rf"^    {name} = ", text, re.MULTILINE) and name in Entry.__annotations__
    for path in re.findall(r"`(baselines/\w+\.py)`", text):
        assert (root / path).is_file()
