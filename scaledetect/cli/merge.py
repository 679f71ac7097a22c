"""``scaledetect merge``: records of several folders in one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Records = Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Folders or files of records.")]
Folder = Annotated[Path, typer.Option(help="Folder to merge into; what it holds counts first.")]


def merge(records: Records, output: Folder) -> None:
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
