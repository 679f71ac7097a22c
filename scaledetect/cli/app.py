"""The typer application: commands, ``--version``, and errors on one line."""

from __future__ import annotations

import io
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from scaledetect._base.errors import RefusalError
from scaledetect._base.files import NO_ROOM
from scaledetect._base.versions import __version__
from scaledetect.cli import (
    checks,
    compare,
    experiment,
    info,
    leaderboard,
    measure,
    publish,
    reproduce,
    run,
    sample,
    tasks,
    theories,
    theory,
    train,
    verify,
)

__all__ = ["app", "main"]


class _Group(TyperGroup):
    """Says a refusal in one line, with exit code 2, and a full disk with 1; any other error keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except RefusalError as error:
            typer.echo(f"scaledetect: {error}", err=True)
            raise typer.Exit(2) from error
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            path = f"{error.filename}: " if error.filename else ""
            typer.echo(f"scaledetect: {path}{error.strerror}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Group,
    name="scaledetect",
    help="Scale-detection tasks: sample exactly, measure any network, compare with the exact theory.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    tasks.tasks, info.info, sample.sample, theory.theory, measure.measure, checks.check, train.train, compare.compare,
    reproduce.reproduce, experiment.experiment, theories.theories, run.run, leaderboard.leaderboard,
    leaderboard.merge, verify.verify, publish.export, publish.cite, publish.report, tasks.nets,
    tasks.entries, checks.doctor,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"scaledetect {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line; the entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows another in its place.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    warnings.formatwarning = lambda message, *_: f"scaledetect: {message}\n"
    # A process whose memory has grown is replaced between two runs: nothing is lost, and nothing is to be done.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given to the executor")
    app()
