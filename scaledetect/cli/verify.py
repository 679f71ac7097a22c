"""``scaledetect verify``: records held against reruns, and data of experiments against the frozen ones."""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import AsJson, listed, print_json

if TYPE_CHECKING:
    from scaledetect.experiments.verifying import ExperimentVerdict
    from scaledetect.leaderboard.verify import Verdict

Records = Annotated[
    list[Path],
    typer.Argument(metavar="RECORDS...", help="Files or folders of records, or .jsonl files of experiments."),
]
Cards = Annotated[str | None, typer.Option(help="TOML files of cards of your own, with commas between.")]
Entries = Annotated[str | None, typer.Option(help="Entries of your own, module:Class, with commas between.")]
Jobs = Annotated[int, typer.Option(help="Processes that rerun.")]
Sample = Annotated[int | None, typer.Option(help="Run only so many again, drawn at random; the others are read.")]
DrawSeed = Annotated[int | None, typer.Option("--seed", help="Seed of that draw; default: a new one, which is told.")]
Tolerance = Annotated[
    float | None,
    typer.Option(help="Standard errors of D, G, R that a net deciding alike may be away; default 0.01."),
]


def verify(
    records: Records,
    cards: Cards = None,
    entries: Entries = None,
    jobs: Jobs = 1,
    sample: Sample = None,
    seed: DrawSeed = None,
    tolerance: Tolerance = None,
    as_json: AsJson = False,
) -> None:
    """Check records and run them again, and compare data that `experiment` made with the frozen ones.

    Exit code 1 where one differs, 3 where one cannot be verified, else 0.
    """
    from scaledetect.leaderboard.verify import TOLERANCE, verify_records

    found: list[tuple[Path, str, str]] = []

    def reach(path: Path, verdict: Verdict | ExperimentVerdict) -> None:
        found.append((path, verdict.kind, verdict.why))
        if not as_json and verdict.kind != "sound":
            typer.echo(f"{path}: {verdict.kind}" + (f": {verdict.why}" if verdict.why else ""))

    data = [path for path in records if _is_of_an_experiment(path)]
    for path in data:
        reach(path, _of_data(path))
    others = [path for path in records if path not in data]
    # Drawn anew each time: who knows which records are run again can forge the others.
    drawn = secrets.randbits(32) if seed is None else seed
    if others:
        verify_records(
            others,
            cards=listed(cards) or (),
            entries=listed(entries) or (),
            jobs=jobs,
            sample=sample,
            seed=drawn,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            on_verdict=lambda verdict: reach(verdict.path, verdict),
        )
    counts = Counter(kind for _, kind, _ in found)
    if as_json:
        verdicts = [{"path": str(path), "kind": kind, "why": why} for path, kind, why in found]
        print_json({"counts": counts, "sample": sample, "seed": drawn if sample else None, "verdicts": verdicts})
    text = ", ".join(f"{n} {kind}" for kind, n in counts.items()) or "no records"
    typer.echo(text + (f"; --seed {drawn}" if counts["sound"] else ""), err=True)
    if counts["differs"]:
        raise typer.Exit(1)
    if counts["cannot verify"] or not found:
        raise typer.Exit(3)


def _is_of_an_experiment(path: Path) -> bool:
    """Whether a JSON Lines file holds data of an experiment; else its lines are records."""
    if path.suffix != ".jsonl" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(9) == b'{"format"'


def _of_data(path: Path) -> ExperimentVerdict:
    """Compare a data file with the frozen experiment it names."""
    from scaledetect.experiments.verifying import verify_experiment

    return verify_experiment(path)
