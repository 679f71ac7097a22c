"""Arguments and options that several commands share; each is named as the argument it becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from scaledetect._base.arguments import MOST_NUMBERS
from scaledetect._base.errors import bad_value
from scaledetect.perturbations.noise import NOISE_MODES, Noise, NoiseMatch, NoiseMode

if TYPE_CHECKING:
    from scaledetect.task.cards import Card, ReferenceNet

LONGEST_NUMBER = 20
"""Digits of 2^64 - 1, the largest seed."""

CardName = Annotated[str, typer.Argument(metavar="CARD", help="Name of a card, or the path of a TOML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
FilterSize = Annotated[str | None, typer.Option(help="Filter side F: one number, or one per layer as in 3,3,2.")]
Stride = Annotated[str | None, typer.Option(help="Stride s: one number, or one per layer.")]
Depth = Annotated[int | None, typer.Option(help="Number of layers K.")]
Draws = Annotated[int, typer.Option("--n", help="Draws of a measurement.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the draws; default: the first study seed of the card.")]
Mode = Annotated[str, typer.Option("--noise", metavar="MODE", help=f"Form of the noise: {', '.join(NOISE_MODES)}.")]
Match = Annotated[str, typer.Option(metavar="MATCH", help="Strength of the noise: ensemble, or sample by sample.")]
Sigma = Annotated[float | None, typer.Option(help="Standard deviation of the noise per pixel, instead of matching.")]
OutputFile = Annotated[Path | None, typer.Option(help="File to write.")]


def nets_of(card: Card, filter_size: str | None, stride: str | None, depth: int | None) -> tuple[ReferenceNet, ...]:
    """The net that the options describe, with the defaults of `theory.sensitivities`; else those of the card."""
    from scaledetect.results import Pooling
    from scaledetect.task.cards import ReferenceNet

    if filter_size is None and stride is None and depth is None:
        return card.nets or (ReferenceNet(filter_size=2, stride=2, depth=6),)
    sides, steps = per_layer("filter_size", filter_size or "2"), per_layer("stride", stride or "2")
    pooling = Pooling.of(sides, steps, 6 if depth is None else depth)
    return (ReferenceNet(filter_size=sides, stride=steps, depth=pooling.depth),)


def listed(text: str | None) -> list[str] | None:
    """The parts of a text with commas between them; None for none."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def result_file(path: Path) -> Path:
    """`path`, where a result can be written as `Sensitivities.save` does; an error says otherwise before any work."""
    from scaledetect._base.files import check_writable

    if path.suffix not in (".npz", ".json"):
        raise bad_value("output", str(path), "must end in .npz or .json")
    return check_writable(path)


def noise_of(mode: str, match: str = "ensemble", sigma: float | None = None) -> Noise:
    """The noise that the options describe; `Noise` refuses what it does not know."""
    return Noise(mode=cast(NoiseMode, mode), match=cast(NoiseMatch, match), sigma=sigma)


def print_json(data: Any) -> None:
    """Print plain data as JSON; what is not finite becomes null."""
    from scaledetect._base.files import plain

    typer.echo(json.dumps(plain(data), indent=1, allow_nan=False))


def per_layer(name: str, text: str) -> int | tuple[int, ...]:
    """A number, or several with commas between them."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise bad_value(name, text, "must be an integer, or one per layer, as in 3,3,2") from None
    return found[0] if len(found) == 1 else found


def numbers(name: str, text: str) -> tuple[int, ...]:
    """Numbers and ranges with commas between them, as in 0-4,7; counted before any is made."""
    ranges = [_range(name, text, part) for part in text.split(",")]
    if sum(last - first + 1 for first, last in ranges) > MOST_NUMBERS:
        raise bad_value(name, text, f"must be at most {MOST_NUMBERS} numbers", "take them in several parts")
    return tuple(number for first, last in ranges for number in range(first, last + 1))


def _range(name: str, text: str, part: str) -> tuple[int, int]:
    """The two ends of a range, equal for one number."""
    first, dash, last = part.strip().partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash)) or max(len(first), len(last)) > LONGEST_NUMBER:
        raise bad_value(name, text, "must be numbers or ranges of them, as in 0-9 or 0,3,7")
    ends = int(first), int(last or first)
    if ends[1] < ends[0]:
        raise bad_value(name, text, "has a range that ends before it begins")
    return ends
