"""``scaledetect theories``: the theories, their board from stored predictions, and predictions anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaledetect.cli.options import OutputFile, listed, print_json

if TYPE_CHECKING:
    from scaledetect.experiments.board import TheoryBoard

FORMATS = ("table", "csv", "md", "json")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[THEORY]...", help="Some theories: names, or MODULE:CLASS to predict.")
]
Experiments = Annotated[str | None, typer.Option(help="Some experiments, with commas between them.")]
Format = Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="Form of the board.")]
Predict = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Compute predictions anew, and store them in this folder.")
]
Predictions = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of predictions; that of the package by default.")
]
Verify = Annotated[
    bool, typer.Option(help="Compute a sample again and compare with what is stored; exit code 1 on a difference.")
]
Picture = Annotated[Path | None, typer.Option(help="File for the figure: predicted against measured.")]


def theories(
    names: Names = None,
    experiments: Experiments = None,
    form: Format = "table",
    output: OutputFile = None,
    predictions: Predictions = None,
    predict: Predict = None,
    verify: Verify = False,
    picture: Picture = None,
) -> None:
    """List the theories, and rank them by their stored predictions; or predict anew, or verify."""
    chosen = listed(experiments)
    if predict is not None:
        from scaledetect.experiments.predicting import predict as compute

        compute(names, chosen, folder=predict, say=typer.echo)
    elif verify:
        _verify(names, chosen, predictions)
    else:
        _board(names, chosen, form, output, predictions, picture)


def _verify(names: list[str] | None, experiments: list[str] | None, folder: Path | None) -> None:
    from scaledetect.experiments.predicting import verify_predictions

    different = verify_predictions(names, experiments, folder=folder)
    for text in different:
        typer.echo(text)
    typer.echo("differs" if different else "the same")
    if different:
        raise typer.Exit(1)


def _board(
    names: list[str] | None,
    experiments: list[str] | None,
    form: str,
    output: Path | None,
    folder: Path | None,
    picture: Path | None,
) -> None:
    from scaledetect._base.arguments import one_of
    from scaledetect._base.files import check_writable, replacing
    from scaledetect.experiments.board import theory_board
    from scaledetect.experiments.board_text import board_as_csv, board_as_data, board_as_markdown

    one_of("format", form, FORMATS)
    for path in (output, picture):
        if path is not None:
            check_writable(path)
    board = theory_board(experiments, theories=names, folder=folder)
    if picture is not None:
        _draw(board, folder, picture)
    if form == "table":
        _print(board, names)
        if experiments is None:
            _say_what_is_not_predicted(folder)
    elif form == "json":
        print_json(board_as_data(board))
    else:
        text = board_as_csv(board) if form == "csv" else board_as_markdown(board)
        if output is None:
            typer.echo(text, nl=False)
        else:
            with replacing(output) as temporary:
                temporary.write_text(text, encoding="utf-8")


def _print(board: TheoryBoard, names: list[str] | None) -> None:
    from scaledetect.cli.tables import print_rows
    from scaledetect.experiments.board_text import COLUMNS, heading, table_cells
    from scaledetect.experiments.theories import find_theory, theory_names

    found = [find_theory(name) for name in names or theory_names()]
    print_rows("Theories", ("name", "title", "told"), [[t.name, t.title, t.told] for t in found], left=3)
    for table in board.tables:
        print_rows(heading(table), COLUMNS, table_cells(table))
    for theory, experiment in board.missing:
        typer.echo(f"no prediction of {theory} for {experiment}")


def _say_what_is_not_predicted(folder: Path | None) -> None:
    from scaledetect.experiments.board import measured_experiments, predicted_experiments
    from scaledetect.experiments.predictions import predictions_folder

    predicted = predicted_experiments(predictions_folder() if folder is None else folder)
    if left := sorted(set(measured_experiments()) - set(predicted)):
        typer.echo(f"measured, and not predicted yet: {', '.join(left)}")


def _draw(board: TheoryBoard, folder: Path | None, picture: Path) -> None:
    from scaledetect.experiments.board import curves_of
    from scaledetect.plots.style import save_figure
    from scaledetect.plots.theories import plot_theories

    save_figure(plot_theories(curves_of(board, folder)), picture)
