"""What pyproject.toml asks for, as lines for pip: ``python requirements.py [--oldest] [--without NAME] [EXTRA ...]``.

``--oldest`` asks for the lower bound of everything; ``--without`` leaves a package out.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def requirements(extras: list[str], *, oldest: bool, without: str = "") -> Iterator[str]:
    """The dependencies, and those of some extras."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    for line in (*project["dependencies"], *(line for extra in extras for line in optional[extra])):
        name, _, bound = line.partition(">=")
        if name != without:
            yield f"{name}=={bound}" if oldest else line


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--oldest", action="store_true")
    parser.add_argument("--without", default="")
    parser.add_argument("extras", nargs="*")
    asked = parser.parse_args()
    sys.stdout.write("\n".join(requirements(asked.extras, oldest=asked.oldest, without=asked.without)) + "\n")
