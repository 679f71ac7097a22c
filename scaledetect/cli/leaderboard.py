"""Tables of records and their merging: ``scaledetect leaderboard`` and ``scaledetect merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import OutputFile, print_json

if TYPE_CHECKING:
    from scaledetect.leaderboard.tables import Leaderboard

FORMATS = ("table", "csv", "md", "json")

Records = Annotated[list[Path] | None, typer.Argument(metavar="[RECORDS]...", help="Folders or files of records.")]
Format = Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="Form of the tables.")]
SomeRecords = Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Folders or files of records.")]
MergeFolder = Annotated[Path, typer.Option(help="Folder to merge into; what it holds counts first.")]


def leaderboard(records: Records = None, form: Format = "table", output: OutputFile = None) -> None:
    """Test error of entries on cards, ranked; default: the records in the folder records."""
    from scaledetect._base.arguments import one_of
    from scaledetect._base.errors import bad_value
    from scaledetect._base.files import check_writable
    from scaledetect.leaderboard.tables import leaderboard as collect

    one_of("format", form, FORMATS)
    if output is not None:
        if form in ("table", "json"):
            raise bad_value("output", str(output), "takes csv and md", "redirect the others")
        check_writable(output)
    board = collect(records or [Path("records")])
    _show(board, form, output)
    for bad in board.bad:
        typer.echo(f"{bad.path}: {bad.reason}", err=True)
    for conflict in board.conflicts:
        typer.echo(f"{conflict.other} contradicts {conflict.kept}: {conflict.difference}", err=True)


def _show(board: Leaderboard, form: str, output: Path | None) -> None:
    from scaledetect._base.files import replacing
    from scaledetect.cli.tables import print_leaderboard
    from scaledetect.leaderboard.tables import as_csv, as_data, as_markdown

    if form == "table":
        print_leaderboard(board)
    elif form == "json":
        print_json(as_data(board))
    else:
        text = as_csv(board) if form == "csv" else as_markdown(board)
        if output is None:
            typer.echo(text, nl=False)
        else:
            with replacing(output) as temporary:
                temporary.write_text(text, encoding="utf-8")


def merge(records: SomeRecords, output: MergeFolder) -> None:
    """Put one record a run into a folder; exit code 1 where two of them contradict each other."""
    from scaledetect._base.errors import bad_value
    from scaledetect.leaderboard.records import merge_records

    if output.exists() and not output.is_dir():
        raise bad_value("output", str(output), "is a file", "name a folder")
    merged = merge_records(records, output)
    for bad in merged.bad:
        typer.echo(f"{bad.path}: {bad.reason}", err=True)
    for conflict in merged.conflicts:
        text = f"{conflict.run}: {conflict.other} contradicts {conflict.kept}, which was kept: {conflict.difference}"
        typer.echo(text, err=True)
    repeated = f"{merged.repeated} files of runs that had one, {len(merged.conflicts)} of them in conflict"
    typer.echo(f"{len(merged.records)} records in {output}; {repeated}; {len(merged.bad)} files not read")
    if merged.conflicts or merged.bad:
        raise typer.Exit(1)
