"""The README does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from scaledetect.cli import app
from scaledetect.publish.citation import HOME

COMMANDS = {
    "tasks", "info", "sample", "theory", "measure", "check", "train", "compare", "reproduce", "run", "leaderboard",
    "verify", "export", "cite", "doctor",
}  # fmt: skip

SHORTER = {
    "measure": ["--n", "200"],
    "compare": ["--n", "200"],
    "train": ["--max-epochs", "2", "--n-train", "24"],
    "run": ["--n-train", "64", "--seeds", "0", "--jobs", "1"],
    "verify": ["--jobs", "1"],
}
"""What takes seconds with the README's numbers takes smaller ones here, and one worker process, which loads torch."""


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_script_prints_its_numbers(readme: str, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_commands_are_there(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    commands = re.findall(r"^scaledetect (\w+)(.*?)(?:\s+#.*)?$", readme, re.MULTILINE)
    assert {name for name, _ in commands} == COMMANDS
    for name, rest in commands:
        arguments = [*re.sub(r"--n \d+", "", rest).split(), *SHORTER.get(name, [])]
        result = CliRunner().invoke(app, [name, *arguments])
        assert result.exit_code == 0, (name, result.output)


def test_numbers_of_the_claims_are_those_of_the_data(readme: str, root: Path) -> None:
    primary = pd.read_csv(root / "docs" / "data" / "claims-primary.csv").set_index("id")
    row = primary.loc["block-D-falls"]
    text = f"becomes {row['value']:.2f} times ({row['low']:.2f} to {row['high']:.2f}) its value at initialisation"
    assert text in " ".join(readme.split())
    assert (primary.loc[["ridge-slope", "ridge-after-slope"], ["low", "high"]].abs() < 0.04).all(axis=None)


def test_links_and_length(readme: str, root: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", readme)
    assert len(targets) > 10
    raw = HOME.replace("github.com", "raw.githubusercontent.com")
    for target in map("".join, targets):
        # The package index shows the README too, and has no files beside it.
        assert target.startswith("https://"), target
        if target.startswith((HOME, raw)):
            place = f"{HOME}/blob/main/" if target.startswith(HOME) else f"{raw}/main/"
            assert target.startswith(place) and (root / target.removeprefix(place)).is_file(), target
    assert len(readme.splitlines()) <= 120


def test_make_targets_are_there(readme: str, root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    for target in re.findall(r"\bmake (run|test|figures|claims)\b", readme):
        assert f"\n{target}:" in makefile
