"""``scaledetect reproduce``: the paper's figures on this package, and its claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaledetect._base.errors import bad_value

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="examples, depth-1d, deep-nets, layers-2d; or claims, a table.")
]
SizeName = Annotated[
    str, typer.Option(metavar="SIZE", help="laptop: minutes on two cores. paper: widths and seeds of the paper.")
]
OutputFolder = Annotated[
    Path | None, typer.Option(help="Folder to write to and to go on in; default: reproduce/NAME-SIZE.")
]
Shard = Annotated[str, typer.Option(metavar="I/N", help="Do only every N-th training, from number I on.")]


def reproduce(name: Name, size: SizeName = "laptop", output: OutputFolder = None, shard: Shard = "1/1") -> None:
    """Train, measure and draw a figure of the paper, or decide its claims; a run broken off goes on in its folder."""
    from scaledetect.cli.tables import print_rows, progress
    from scaledetect.reproduce import reproduce as make

    # The claims are decided from the data of the figure.
    figure = "depth-1d" if name == "claims" else name
    folder = output or Path("reproduce") / f"{figure}-{size}"
    with progress("reproducing") as bar:
        done = make(figure, size=size, output=folder, shard=_shard(shard), on_step=bar.show)  # type: ignore[arg-type]
    if done.missing:
        typer.echo(f"not done yet, by other shards: {', '.join(done.missing)}")
    elif name == "claims":
        print_rows("The paper's claims", _HEADINGS, _claims(folder / "depth-1d-claims.csv"), left=5)
    else:
        for path in (*done.data, *done.figures):
            typer.echo(str(path))


_HEADINGS = ("claim", "nets and task", "channels", "noise", "number", "value", "low", "high", "asked", "verdict")


def _claims(path: Path) -> list[list[str]]:
    """The rows of the table of claims; a claim is named once."""
    from scaledetect.reproduce.folder import read_table

    rows: list[list[str]] = []
    last = ""
    for row in read_table(path).to_dict("records"):
        numbers = ["-" if row[name] != row[name] else f"{row[name]:.3g}" for name in ("value", "low", "high")]
        texts = ["-" if row[name] != row[name] else str(row[name]) for name in ("job", "channels", "noise", "number")]
        claim = str(row["claim"])
        rows.append(["" if claim == last else claim, *texts, *numbers, str(row["expected"]), str(row["verdict"])])
        last = claim
    return rows


def _shard(text: str) -> tuple[int, int]:
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        raise bad_value("shard", text, "must be I/N, as in 1/4") from None
    return part, parts
