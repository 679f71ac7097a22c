"""``scaledetect info``: the numbers of one task."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from scaledetect.cli.options import AsJson, CardName, print_json


def info(card: CardName, as_json: AsJson = False) -> None:
    """Population, amplitude, noise strength, budgets and nets of a card."""
    from scaledetect.task.cards import load_card

    loaded = load_card(card)
    task = loaded.task
    numbers: dict[str, Any] = {
        "name": loaded.name,
        "title": loaded.display_name,
        "kind": loaded.kind,
        "version": loaded.version,
        "task": asdict(task),
        "n_sites": task.n_sites,
        "n_near": task.n_near,
        "n_far": task.n_far,
        "pixel_value": task.pixel_value,
        "sigma": _sigma(task),
        "budgets": None if loaded.budgets is None else loaded.budgets.model_dump(),
        "nets": [net.model_dump() for net in loaded.nets],
        "seeds": loaded.seeds.model_dump(),
        "digest": loaded.digest,
        "citation": loaded.citation,
    }
    if as_json:
        print_json(numbers)
        return
    typer.echo(loaded.display_name)
    for key in ("name", "kind", "version", "n_sites", "n_near", "n_far", "pixel_value", "sigma", "digest"):
        typer.echo(f"  {key:12} {_text(numbers[key])}")
    typer.echo(f"  {'task':12} {task!r}")
    for key, value in (numbers["budgets"] or {}).items():
        typer.echo(f"  {key:12} {_text(value)}")
    for net in loaded.nets:
        typer.echo(f"  {'net':12} {net.label} K={net.depth}")
    typer.echo(f"  {'seeds':12} digest {loaded.seeds.digest}, study {_text(loaded.seeds.study)}")
    typer.echo(f"  {'':12} {loaded.seeds.meaning}")


def _sigma(task: Any) -> float:
    from scaledetect.theory import ensemble_sigma

    return ensemble_sigma(task)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
