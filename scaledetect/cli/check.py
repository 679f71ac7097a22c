"""``scaledetect check``: whether a net can be measured, before a long run."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from scaledetect.cli.options import AsJson, CardName, print_json

Source = Annotated[str, typer.Argument(metavar="MODULE:CALLABLE", help="Builds the net; found from this folder.")]


def check(net: Source, card: CardName, as_json: AsJson = False) -> None:
    """Try a net on a few images of a card and say what is wrong; exit code 1 where something is."""
    from scaledetect.cards import load_card
    from scaledetect.preflight import check_net

    steps = []
    for step in check_net(net, load_card(card).task):
        steps.append(step)
        if not as_json:
            typer.echo(f"{'ok  ' if step.ok else 'FAIL'}  {step.name:14} {step.says}")
    if as_json:
        print_json([asdict(step) for step in steps])
    if not all(step.ok for step in steps):
        raise typer.Exit(1)
