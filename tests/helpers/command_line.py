"""Run the command line inside the test process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from scaledetect.cli import app

__all__ = ["run"]


def run(*arguments: str | Path, code: int = 0) -> Result:
    """The result of ``scaledetect`` with these arguments, which must end with this exit code."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result
