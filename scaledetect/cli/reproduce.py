"""``scaledetect reproduce``: the paper's figures on this package, and its claims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect._base.errors import bad_value

if TYPE_CHECKING:
    import pandas as pd

Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="A figure, by its name or as fig7; or claims. --list names them all."),
]
SizeName = Annotated[
    str,
    typer.Option(
        metavar="SIZE",
        help="laptop: two cores. paper: widths and seeds of the paper. small: figures on images, one core.",
    ),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        help="Folder to write to and to go on in; default: reproduce/NAME-SIZE, for the figures on images, which share "
        "trainings, reproduce/images-SIZE, and for claims none."
    ),
]
Shard = Annotated[str, typer.Option(metavar="I/N", help="Do only every N-th training, from number I on.")]


Listing = Annotated[bool, typer.Option("--list", help="List the figures, and stop.")]


def reproduce(
    name: Name = None,
    size: SizeName = "laptop",
    output: OutputFolder = None,
    shard: Shard = "1/1",
    listing: Listing = False,
) -> None:
    """Train, measure and draw a figure of the paper, or decide its claims; a run broken off goes on in its folder."""
    from scaledetect.cli.tables import progress
    from scaledetect.reproduce import reproduce as make
    from scaledetect.reproduce.run import known_name, study

    if listing:
        _list()
        return
    if name is None:
        raise bad_value("name", name, "say what to make", "reproduce --list names the figures")
    name = known_name(name)
    if name == "claims":
        if (size, shard) != ("laptop", "1/1"):
            given = ("size", size) if size != "laptop" else ("shard", shard)
            raise bad_value(*given, "goes with figures: claims are decided from frozen experiments", "leave it out")
        _claims(output)
        return
    folder = output or Path("reproduce") / f"{study(name).folder or name}-{size}"
    with progress("reproducing") as bar:
        done = make(name, size=size, output=folder, shard=_shard(shard), on_step=bar.show)  # type: ignore[arg-type]
    if done.missing:
        typer.echo(f"not done yet, by other shards: {', '.join(done.missing)}")
    for path in (*done.data, *done.figures):
        typer.echo(str(path))


def _list() -> None:
    from scaledetect.cli.tables import print_rows
    from scaledetect.reproduce import names
    from scaledetect.reproduce.run import aliases_of, study

    rows = [(name, ", ".join(aliases_of(name)), study(name).title) for name in names()]
    rows.append(("claims", "", "The hypotheses of docs/hypotheses.toml, decided from the frozen experiments"))
    print_rows("Figures of the paper on this package", ("name", "also", "what it shows"), rows, left=3, folded=True)


_PRIMARY = (
    "claim",
    "protocol",
    "experiment",
    "number",
    "value",
    "low",
    "high",
    "tolerance",
    "nets",
    "left out",
    "verdict",
)
_EXPLORATORY = ("subject", "experiment", "channels", "noise", "number", "value", "low", "high", "nets", "beside")


def _claims(output: Path | None) -> None:
    """Print both tables; write them where a folder is given."""
    from scaledetect.cli.tables import print_rows
    from scaledetect.reproduce import claims

    found = claims()
    names = (
        "claim",
        "protocol",
        "experiment",
        "number",
        "value",
        "low",
        "high",
        "tolerance",
        "n_seeds",
        "left_out",
        "verdict",
    )
    level = f"{found.alpha:g} / {len(found.primary)}"
    print_rows(
        f"Primary hypotheses, each decided at level {level}", _PRIMARY, _cells(found.primary_frame, names), left=4
    )
    columns = ("subject", "job", "channels", "noise", "number", "value", "low", "high", "n_seeds", "reference")
    print_rows("Exploratory, without verdicts", _EXPLORATORY, _cells(found.exploratory, columns), left=5)
    if output is not None:
        for path in found.write(output):
            typer.echo(str(path))


def _cells(table: pd.DataFrame, names: tuple[str, ...]) -> list[list[str]]:
    """Rows of text; what stands in the first column is named once."""
    rows: list[list[str]] = []
    last = ""
    for row in table.to_dict("records"):
        first, *rest = (_cell(row[name]) for name in names)
        rows.append(["" if first == last else first, *rest])
        last = first
    return rows


def _cell(value: object) -> str:
    if value is None or value == "" or value != value:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _shard(text: str) -> tuple[int, int]:
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        raise bad_value("shard", text, "must be I/N, as in 1/4") from None
    return part, parts
