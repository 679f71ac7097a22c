"""``scaledetect check``: pre-flight of a net or an entry, before a long run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

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
