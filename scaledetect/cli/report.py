"""``scaledetect report``: records and results as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Sources = Annotated[
    list[Path],
    typer.Argument(metavar="RECORDS...", help="Folders or files of records, of compare, or saved results (.npz)."),
]
Page = Annotated[Path, typer.Option("--output", "-o", help="File to write (.html).")]
Claims = Annotated[bool, typer.Option(help="With the hypotheses, decided from the frozen experiments.")]
Theories = Annotated[bool, typer.Option(help="With the board of theories.")]


def report(
    sources: Sources, output: Page = Path("report.html"), claims: Claims = True, theories: Theories = True
) -> None:
    """One offline HTML file: leaderboard, learning curves, sensitivities beside theory, theories, claims, data."""
    from scaledetect._base.files import check_writable
    from scaledetect.publish.report import report as write

    typer.echo(str(write(sources, check_writable(output), claims=claims, theories=theories)))
