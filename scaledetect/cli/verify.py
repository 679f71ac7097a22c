"""``scaledetect verify``: records held against reruns."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import listed

if TYPE_CHECKING:
    from scaledetect.leaderboard.verify import Verdict

Records = Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Files or folders of records.")]
Cards = Annotated[str | None, typer.Option(help="TOML files of cards of your own, with commas between.")]
Entries = Annotated[str | None, typer.Option(help="Entries of your own, module:Class, with commas between.")]
Jobs = Annotated[int, typer.Option(help="Processes that rerun.")]


def verify(records: Records, cards: Cards = None, entries: Entries = None, jobs: Jobs = 1) -> None:
    """Check records and run them again; exit code 1 where one differs, 3 where one cannot be verified, else 0."""
    from scaledetect.leaderboard.verify import verify_records

    def show(verdict: Verdict) -> None:
        typer.echo(f"{verdict.path}: {verdict.kind}" + (f": {verdict.why}" if verdict.why else ""))

    verdicts = verify_records(
        records, cards=listed(cards) or (), entries=listed(entries) or (), jobs=jobs, on_verdict=show
    )
    counts = Counter(verdict.kind for verdict in verdicts)
    typer.echo(", ".join(f"{n} {kind}" for kind, n in counts.items()) or "no records", err=True)
    if counts["differs"]:
        raise typer.Exit(1)
    if counts["cannot verify"] or not verdicts:
        raise typer.Exit(3)
