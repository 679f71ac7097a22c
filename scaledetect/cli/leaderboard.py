"""Tables of records and their merging: ``scaledetect leaderboard`` and ``scaledetect merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import OutputFile, print_json

if TYPE_CHECKING:
    from scaledetect.leaderboard.tables import Leaderboard
    from scaledetect.plots.learning_curves import ScalingCurve

MOST_TOLD = 20
"""Files that are no records and are named one by one."""

FORMATS = ("table", "csv", "md", "json")

Records = Annotated[list[Path] | None, typer.Argument(metavar="[RECORDS]...", help="Folders or files of records.")]
Format = Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="Form of the tables.")]
SomeRecords = Annotated[list[Path], typer.Argument(metavar="RECORDS...", help="Folders or files of records.")]
Alone = Annotated[bool, typer.Option("--alone", help="Only the records named, without the published ones.")]
Figures = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Draw the learning curves and P* there.")]
Lines = Annotated[bool, typer.Option("--lines", help="One JSON Lines file a card and entry, instead of a file a run.")]
MergeFolder = Annotated[Path, typer.Option(help="Folder to merge into; what it holds counts first.")]


def leaderboard(
    records: Records = None,
    form: Format = "table",
    output: OutputFile = None,
    alone: Alone = False,
    figures: Figures = None,
) -> None:
    """Training images that entries need, ranked: the published board, and records of one's own as marked rows in it."""
    from scaledetect._base.arguments import one_of
    from scaledetect._base.errors import bad_value
    from scaledetect._base.files import check_writable
    from scaledetect.leaderboard.tables import leaderboard as collect

    one_of("format", form, FORMATS)
    if output is not None:
        if form in ("table", "json"):
            raise bad_value("output", str(output), "takes csv and md", "redirect the others")
        check_writable(output)
    if alone and not records:
        raise bad_value("alone", alone, "leaves out the published records", "name a folder of records")
    board = collect(records or [], published=not alone)
    _show(board, form, output)
    if figures is not None:
        _draw(board, figures)
    for bad in board.bad[:MOST_TOLD]:
        typer.echo(f"{bad.path}: {bad.reason}", err=True)
    if len(board.bad) > MOST_TOLD:
        typer.echo(f"and {len(board.bad) - MOST_TOLD} more that are no records", err=True)
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


def _draw(board: Leaderboard, folder: Path) -> None:
    """Learning curves and sample complexities as PNG and SVG, and the numbers behind them as CSV."""
    from scaledetect._base.files import make_folder, replacing
    from scaledetect.leaderboard.tables import as_csv
    from scaledetect.plots.learning_curves import plot_learning_curves, plot_scaling
    from scaledetect.plots.style import save_figure

    make_folder(folder)
    curves, families = _learning_curves(board), _scaling_curves(board)
    # An entry looks the same in both figures.
    order = [name for panels in (families, curves) for methods in panels.values() for name in methods]
    figures = {}
    if curves:
        blind = {t.card: (list(t.know_nothing), list(t.know_nothing.values())) for t in board.tables if t.know_nothing}
        figures["learning-curves"] = plot_learning_curves(curves, baselines=blind, order=order)
    if families:
        figures["scaling"] = plot_scaling(families, order=order)
    for name, figure in figures.items():
        paths = [folder / f"{name}.{ending}" for ending in ("png", "svg")]
        save_figure(figure, *paths)
        typer.echo("\n".join(map(str, paths)), err=True)
    with replacing(folder / "leaderboard.csv") as temporary:
        temporary.write_text(as_csv(board), encoding="utf-8")
    typer.echo(str(folder / "leaderboard.csv"), err=True)


def _learning_curves(board: Leaderboard) -> dict[str, dict[str, tuple[list[int], list[float], list[float]]]]:
    """P, error and its standard error of the ranked entries, by card."""
    found = {
        table.card: {
            row.label: (
                list(row.errors), [m.value for m in row.errors.values()], [m.error or 0.0 for m in row.errors.values()],
            )
            for row in table.rows
            if row.rank is not None
        }
        for table in board.tables
    }  # fmt: skip
    return {card: curves for card, curves in found.items() if curves}


def _scaling_curves(board: Leaderboard) -> dict[str, dict[str, ScalingCurve]]:
    """P* by size of the entries of each family that reach it at some size."""
    from scaledetect.plots.learning_curves import ScalingCurve

    found: dict[str, dict[str, ScalingCurve]] = {}
    for family in board.families:
        for row in family.rows:
            reached = {size: one for size, one in row.complexity.items() if one.value is not None}
            if not reached:
                continue
            found.setdefault(family.title, {})[row.label] = ScalingCurve(
                list(reached),
                [one.value or 0.0 for one in reached.values()],
                [(one.low, one.high) for one in reached.values()],
                [(size, one.largest) for size, one in row.complexity.items() if one.value is None],
                None if row.exponent is None else row.exponent.value,
                () if row.exponent is None else row.exponent.sizes,
            )
    return found


def merge(records: SomeRecords, output: MergeFolder, lines: Lines = False) -> None:
    """Put one record a run into a folder; exit code 1 where two of them contradict each other."""
    from scaledetect.leaderboard.records import merge_records

    merged = merge_records(records, output, lines=lines)
    for bad in merged.bad:
        typer.echo(f"{bad.path}: {bad.reason}", err=True)
    for conflict in merged.conflicts:
        text = f"{conflict.run}: {conflict.other} contradicts {conflict.kept}, which was kept: {conflict.difference}"
        typer.echo(text, err=True)
    repeated = f"{merged.repeated} files of runs that had one, {len(merged.conflicts)} of them in conflict"
    typer.echo(f"{len(merged.records)} records in {output}; {repeated}; {len(merged.bad)} files not read")
    if merged.conflicts or merged.bad:
        raise typer.Exit(1)
