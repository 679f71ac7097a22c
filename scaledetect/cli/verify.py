"""``scaledetect verify``: records held against reruns, and data of experiments against the frozen ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import listed

if TYPE_CHECKING:
    from scaledetect.leaderboard.verify import Verdict

Records = Annotated[
    list[Path],
    typer.Argument(metavar="RECORDS...", help="Files or folders of records, or .jsonl files of experiments."),
]
Cards = Annotated[str | None, typer.Option(help="TOML files of cards of your own, with commas between.")]
Entries = Annotated[str | None, typer.Option(help="Entries of your own, module:Class, with commas between.")]
Jobs = Annotated[int, typer.Option(help="Processes that rerun.")]


def verify(records: Records, cards: Cards = None, entries: Entries = None, jobs: Jobs = 1) -> None:
    """Check records and run them again, and compare data that `experiment` made with the frozen ones.

    Exit code 1 where one differs, 3 where one cannot be verified, else 0.
    """
    from scaledetect.leaderboard.verify import verify_records

    def show(verdict: Verdict) -> None:
        typer.echo(f"{verdict.path}: {verdict.kind}" + (f": {verdict.why}" if verdict.why else ""))

    data = [path for path in records if path.suffix == ".jsonl"]
    others = [path for path in records if path.suffix != ".jsonl"]
    kinds = [_verify_data(path) for path in data]
    if others:
        verdicts = verify_records(
            others, cards=listed(cards) or (), entries=listed(entries) or (), jobs=jobs, on_verdict=show
        )
        kinds += [verdict.kind for verdict in verdicts]
    counts = Counter(kinds)
    typer.echo(", ".join(f"{n} {kind}" for kind, n in counts.items()) or "no records", err=True)
    if counts["differs"]:
        raise typer.Exit(1)
    if counts["cannot verify"] or not kinds:
        raise typer.Exit(3)


def _verify_data(path: Path) -> str:
    """Compare a data file with the frozen experiment it names."""
    from scaledetect.experiments.verifying import verify_experiment

    verdict = verify_experiment(path)
    typer.echo(f"{path}: {verdict.kind}: {verdict.why}")
    return verdict.kind
