"""Public names under a type checker: `user_script.py`, which the checker reads, has a line for each."""

from __future__ import annotations

import re
from pathlib import Path

import scaledetect as sd


def test_the_script_for_the_type_checker_has_every_public_name(root: Path) -> None:
    lines = (root / "tests" / "user_script.py").read_text(encoding="utf-8")
    found = re.findall(r"^    nothing = sd\.(\w+)  # type: ignore\[assignment\]$", lines, re.MULTILINE)
    assert found == list(sd.__all__)
