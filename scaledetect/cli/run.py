"""``scaledetect run``: the runs of the leaderboard that have no record yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from scaledetect.cli.options import listed, numbers

if TYPE_CHECKING:
    from scaledetect.leaderboard.entries.base import Budget
    from scaledetect.leaderboard.records import Record
    from scaledetect.leaderboard.runner import Doubling, Planned, Report

Cards = Annotated[str | None, typer.Option(help="Score cards, with commas between; default: those of the budget.")]
Entries = Annotated[str | None, typer.Option(help="Entries, names or module:Class; default: those of the budget.")]
Sizes = Annotated[str | None, typer.Option(help="Training images, as in 64,256; default: of each card.")]
Roots = Annotated[str | None, typer.Option(help="Seeds, as in 0,1,2; default: study seeds of the card, 3 if quick.")]
BudgetName = Annotated[str, typer.Option(metavar="quick|full", help="Which part of the grid.")]
Jobs = Annotated[int | None, typer.Option(help="Processes of this machine; default: one a core.")]
Scheduler = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, as in tcp://HOST:8786, to use.")]
Folder = Annotated[Path, typer.Option(help="Folder of the records; what it holds is not run again.")]
TimeLimit = Annotated[float | None, typer.Option(help="Seconds that a run may take; default: any.")]
MemoryLimit = Annotated[
    float | None, typer.Option(help="GB that a worker may take, where the system can; default: any.")
]
AllSizes = Annotated[bool, typer.Option("--all-sizes", help="Go on where an entry's error is small already.")]
Retry = Annotated[bool, typer.Option("--retry-failed", help="Run again what is recorded as failed.")]


def run(
    cards: Cards = None,
    entries: Entries = None,
    n_train: Sizes = None,
    seeds: Roots = None,
    budget: BudgetName = "quick",
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    output: Folder = Path("records"),
    retry_failed: Retry = False,
    all_sizes: AllSizes = False,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
) -> None:
    """Run entries on score cards and record each run; started again, it goes on where it was.

    Training sets grow until the error of an entry is below 1 %, and two sizes further; in the quick budget until it is
    below 10 %. A card that has too few rows for some of --n-train takes the others, and says so.
    """
    from scaledetect.leaderboard.runner import RunLimits, plan_runs

    limits = RunLimits(seconds=time_limit, memory_gb=memory_limit)

    plan = plan_runs(
        cards=listed(cards),
        entries=listed(entries),
        n_train=None if n_train is None else numbers("n_train", n_train),
        seeds=None if seeds is None else numbers("seeds", seeds),
        budget=cast("Budget", budget),
        on_beyond=_tell_beyond,
        **({} if entries is None else {"on_left_out": _tell_left_out}),
    )
    options: dict[str, Any] = {"jobs": _cores() if jobs is None else jobs, "scheduler": scheduler}
    options |= {"retry_failed": retry_failed, "limits": limits, "doubling": None if all_sizes else _rule(budget)}
    report = _run(plan, output, options)
    _summarise(report, output)
    if report.interrupted:
        raise typer.Exit(130)
    if report.failures:
        raise typer.Exit(1)


def _rule(budget: str) -> Doubling:
    from scaledetect.leaderboard.runner import Doubling

    return Doubling() if budget == "full" else Doubling(level=0.1, further=0)


def _tell_beyond(card: str, sizes: tuple[int, ...], largest: int) -> None:
    left = ", ".join(map(str, sizes))
    typer.echo(f"{card}: has no rows for P = {left}, left out there; its largest is {largest}", err=True)


def _tell_left_out(entry: str, card: str, reason: str) -> None:
    typer.echo(f"{entry} is left out on {card}: {reason}", err=True)


def _run(plan: tuple[Planned, ...], folder: Path, options: dict[str, Any]) -> Report:
    from contextlib import ExitStack

    from scaledetect.cli.tables import Bar, progress
    from scaledetect.leaderboard.runner import run_study

    with ExitStack() as stack:
        bars: list[Bar] = []

        def on_start(n: int) -> None:
            bars.append(stack.enter_context(progress("running", n)))

        def on_record(record: Record) -> None:
            bars[0].step(f"{record.card} {record.entry} P={record.n_train}")

        return run_study(plan, folder, on_start=on_start, on_record=on_record, **options)


def _summarise(report: Report, folder: Path) -> None:
    for bad in report.bad:
        typer.echo(f"{bad.path}: {bad.reason}; run again", err=True)
    for failure in report.failures:
        typer.echo(f"{failure.run}: {failure.reason}" + ("" if failure.recorded else " (not recorded)"), err=True)
    text = f"{report.done} runs recorded in {folder}, {report.found} were there, {report.missing} of "
    text += f"{report.planned} are missing; {report.seconds:.0f} s"
    if report.left_out:
        text += f"; {report.left_out} larger ones are left out, as the error is small before (--all-sizes runs them)"
    if report.failures:
        text += f"; {len(report.failures)} without a score, see above (--retry-failed runs them again)"
    if report.interrupted:
        text += "; interrupted, the same command goes on"
    typer.echo(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
