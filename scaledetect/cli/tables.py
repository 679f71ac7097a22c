"""Tables and progress in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from scaledetect._base.progress import rich_bar
from scaledetect._base.tables import with_error
from scaledetect.results import RARE_EVENTS

if TYPE_CHECKING:
    from scaledetect.leaderboard.tables import Leaderboard
    from scaledetect.results import Sensitivities
    from scaledetect.results.theory_comparison import TheoryComparison

QUANTITIES = ("D", "G", "R")
RARE_NOTE = f"* D or G was not 0 in fewer than {RARE_EVENTS} draws: do not trust the error bars of this row"


def print_sensitivities(title: str, curves: Mapping[str, Sensitivities]) -> None:
    """One table, a section a net, a row a layer."""
    table = _table(title, ("net", "layer", "A", *QUANTITIES, "Delta"), left=2)
    for label, s in curves.items():
        for k, layer in enumerate(s.layers):
            mark = "*" if s.rare[k] else ""
            cells = [with_error(getattr(s, q)[k], getattr(s, q + "_stderr")[k]) for q in (*QUANTITIES, "Delta")]
            table.add_row(label if k == 0 else "", layer + mark, _number(s, k), *cells)
        table.add_section()
    _print(table, any(s.rare.any() for s in curves.values()))


def print_comparisons(title: str, comparisons: Sequence[TheoryComparison]) -> None:
    """One table, a section a net, a row a layer: measured, exact and z for D, G and R."""
    headings = ["net", "k", "A", *(text for q in QUANTITIES for text in (q, "exact", "z"))]
    table = _table(title, headings)
    for one in comparisons:
        z = one.z
        for k in range(len(one.measured)):
            mark = "*" if one.measured.rare[k] else ""
            cells: list[str] = []
            for q in QUANTITIES:
                cells.append(with_error(getattr(one.measured, q)[k], getattr(one.measured, q + "_stderr")[k]))
                cells += [_value(getattr(one.theory, q)[k]), _score(z[q][k])]
            table.add_row(one.net.label if k == 0 else "", f"{k + 1}{mark}", _number(one.theory, k), *cells)
        table.add_section()
    _print(table, any(one.measured.rare.any() for one in comparisons))


def print_summary(rows: Sequence[tuple[str, ...]]) -> None:
    """The last table of a comparison: one row a card and noise mode."""
    headings = ("card", "noise", "curves", "points", "|z| < 2", "expected", "max |z|", "joint p")
    print_rows("Measurement against exact theory", headings, rows)


def print_rows(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2, *, folded: bool = False
) -> None:
    """A plain table, the first `left` columns flush left; `folded` ones break the text of a cell to fit a terminal."""
    table = _table(title, headings, left=left)
    for column in table.columns:
        column.no_wrap = not folded
    if rows and not folded:
        # Rich takes its time for each cell: a column of lines is laid out as one.
        rows = [["\n".join(column) for column in zip(*rows, strict=True)]]
    for row in rows:
        table.add_row(*row)
    _print(table, False, folded=folded)


def print_leaderboard(board: Leaderboard) -> None:
    """A table a family of cards, and one a card."""
    from scaledetect.leaderboard.tables.text import (
        board_cells,
        board_head,
        correlation_lines,
        family_cells,
        family_head,
    )

    for family in board.families:
        title = f"{family.title}: P*(10 %), training images for an error of 10 %"
        print_rows(title, family_head(family), family_cells(family), left=1)
    for one in board.tables:
        print_rows(f"{one.card}: test error ± spread over seeds", board_head(one), board_cells(one))
        for line in correlation_lines(one):
            typer.echo(line)
    if not board.tables:
        typer.echo("no records")


def _table(title: str, headings: Sequence[str], left: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right", no_wrap=True)
    return table


def _print(table: Table, flagged: bool, *, folded: bool = False) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    # A cut number is worse than a line that wraps, and a pipe has no width at all.
    if not folded:
        # Known from the text: rich would lay out every cell, and more than once, to find them.
        for column in table.columns:
            column.width = max(
                cell_len(line) for cell in (column.header, *column.cells) for line in str(cell).split("\n")
            )
        widest = console.options.update(max_width=1000)
        console.width = max(console.width, console.measure(table, options=widest).maximum)
    if console.is_terminal:
        console.print(table)
    else:
        with console.capture() as text:
            console.print(table)
        typer.echo("\n".join(line.rstrip() for line in text.get().splitlines()))
    if flagged:
        typer.echo(RARE_NOTE)


def _value(value: float) -> str:
    return f"{value:.5g}" if math.isfinite(value) else "-"


def _score(z: float) -> str:
    return "-" if math.isnan(z) else f"{z:+.1f}"


def _number(s: Sensitivities, k: int) -> str:
    return "-" if s.A is None else f"{s.A[k]:.2f}"


@dataclass(frozen=True)
class Bar:
    """The bar while it is shown."""

    what: str
    _bar: Any
    _task: Any

    def step(self, label: str) -> None:
        """One more step is done, of this label."""
        self._bar.update(self._task, advance=1, description=f"{self.what}: {label}")

    def show(self, text: str, done: float, total: float) -> None:
        """So many steps of `total` are done; `text` replaces what stands before the bar."""
        self._bar.update(self._task, total=total, completed=done, description=text)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Bar]:
    """A bar with the steps done, the time elapsed and the time left."""
    from rich.progress import TimeRemainingColumn

    with rich_bar(what, TimeRemainingColumn(), total=total) as (bar, task):
        yield Bar(what, bar, task)
