"""``scaledetect cite``, ``export`` and ``report``: citations, data for other tools, results as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from scaledetect.cli.options import AsJson, CardName, print_json
from scaledetect.publish.export import FORMATS, ExportFormat

MaybeCard = Annotated[
    str | None, typer.Argument(metavar="[CARD]", help="Name of a card, or the path of a TOML file; none: the package.")
]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")]
Output = Annotated[Path | None, typer.Option(help="Folder to make; default: the name of the card.")]
Rows = Annotated[
    int | None, typer.Option("--n", "-n", help="First n samples without a split, instead of the card's splits.")
]
StreamSeed = Annotated[int | None, typer.Option("--seed", help="Seed of the stream; default: that of the digest.")]
Repetition = Annotated[
    int | None, typer.Option(help="Instead of --seed: the rows of this repetition of a leaderboard.")
]
Images = Annotated[bool, typer.Option(help="Store the images too, as float32.")]

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="RECORDS...", help="Folders of records, of compare or of reproduce, or saved results (.npz)."
    ),
]
Page = Annotated[Path, typer.Option("--output", "-o", help="File to write (.html).")]
Claims = Annotated[bool, typer.Option(help="With the hypotheses, decided from the frozen experiments.")]
Theories = Annotated[bool, typer.Option(help="With the board of theories.")]


def cite(card: MaybeCard = None, as_json: AsJson = False) -> None:
    """One line with the versions a result depends on, and BibTeX of the package and the paper."""
    from scaledetect.publish.citation import cite as citation_of

    found = citation_of(card)
    if as_json:
        print_json({"line": found.line, "bibtex": found.bibtex})
    else:
        typer.echo(str(found))


def export(
    card: CardName,
    format: Format = "npz",
    output: Output = None,
    n: Rows = None,
    seed: StreamSeed = None,
    repetition: Repetition = None,
    images: Images = False,
) -> None:
    """Write the data of a card into a folder: a file a split, a datasheet, and what the format asks for."""
    from scaledetect.publish.citation import find_card
    from scaledetect.publish.export import export_card

    found = find_card(card)
    folder = Path(found.name) if output is None else output
    files = export_card(
        found, folder, format=cast(ExportFormat, format), n=n, seed=seed, repetition=repetition, images=images
    )
    for path in files:
        typer.echo(str(folder / path.relative_to(folder.absolute())))


def report(
    sources: Sources, output: Page = Path("report.html"), claims: Claims = True, theories: Theories = True
) -> None:
    """One offline HTML file: leaderboard, learning curves, sensitivities beside theory, theories, claims, data."""
    from scaledetect._base.files import check_writable
    from scaledetect.publish.html_report import report as write

    typer.echo(str(write(sources, check_writable(output), claims=claims, theories=theories)))
