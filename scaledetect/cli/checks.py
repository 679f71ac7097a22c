"""``scaledetect check`` and ``doctor``: pre-flight of a net or an entry before a long run, and of the installation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaledetect.cli.options import AsJson, CardName, print_json

if TYPE_CHECKING:
    from scaledetect._base.checklist import Step
    from scaledetect.task.task import Task


Source = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:CALLABLE",
        help="Builds the net, or is the class of a leaderboard entry; found from this folder.",
    ),
]


def check(source: Source, card: CardName, as_json: AsJson = False) -> None:
    """Try a net or a leaderboard entry on a few images of a card and say what is wrong; exit code 1 where something is.

    A net is run and measured; an entry goes through the contract that all entries keep, as
    ``python -m scaledetect.testing`` has it.
    """
    from scaledetect.task.cards import load_card

    steps = []
    for step in _steps(source, load_card(card).task):
        steps.append(step)
        if not as_json:
            typer.echo(str(step))
    if as_json:
        print_json([asdict(step) for step in steps])
    if not all(step.ok for step in steps):
        raise typer.Exit(1)


def _steps(source: str, task: Task) -> Iterator[Step]:
    from scaledetect.leaderboard.entries.base import is_entry

    if is_entry(source):
        from scaledetect.checks.entry import check_entry

        return check_entry(source, [task])
    from scaledetect.checks.net import check_net

    return check_net(source, task)


REFERENCE_CARD = "distance-1d-L64-xi16"


def doctor(as_json: AsJson = False) -> None:
    """Versions, threads, kernels (compiled or NumPy), their cache, and one digest; exit code 1 where that is wrong."""
    report = _report()
    if as_json:
        print_json(report)
    else:
        for key, value in report.items():
            typer.echo(f"{key:14} {value}")
    if report["stream"] != "verified":
        raise typer.Exit(1)


def _report() -> dict[str, Any]:
    import numba
    import torch

    from scaledetect._base.versions import versions
    from scaledetect._kernels.driver import thread_count
    from scaledetect._kernels.jit import cache_state
    from scaledetect.task.cards import load_card

    card = load_card(REFERENCE_CARD)
    current = card.current_digest()
    return versions() | {
        "cpu_cores": os.cpu_count(),
        "threads": thread_count(),
        "torch_threads": torch.get_num_threads(),
        "cuda": torch.cuda.is_available(),
        "kernels": "NumPy twin (the JIT is off)" if numba.config.DISABLE_JIT else "compiled by numba",
        "kernel_cache": cache_state(),
        "stream": "verified" if current == card.digest else f"differs on {card.name}: {current}",
    }
