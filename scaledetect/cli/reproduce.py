"""``scaledetect reproduce``: the paper's figures on this package, and its claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from scaledetect.errors import bad_value

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
    """Train, measure and draw a figure of the paper; a run that was broken off goes on in its folder."""
    from scaledetect.reproduce import reproduce as make

    folder = output or Path("reproduce") / f"{name}-{size}"
    with _progress() as show:
        done = make(name, size=size, output=folder, shard=_shard(shard), on_step=show)  # type: ignore[arg-type]
    for path in (*done.data, *done.figures):
        typer.echo(str(path))
    if done.missing:
        typer.echo(f"not done yet, by other shards: {', '.join(done.missing)}")


def _shard(text: str) -> tuple[int, int]:
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        raise bad_value("shard", text, "must be I/N, as in 1/4") from None
    return part, parts


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr: jobs done, and what the present one is at; gone when it ends."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reproducing", total=None)
        yield lambda text, done, total: bar.update(task, total=total, completed=done, description=text)
