"""A leaderboard as Markdown, CSV and plain data."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from scaledetect.leaderboard.tables.board import Leaderboard
from scaledetect.leaderboard.tables.gap import Gap
from scaledetect.leaderboard.tables.table import QUANTITIES, CardTable, Mean, Row

__all__ = ["as_csv", "as_data", "as_markdown"]

HEAD = """# Leaderboard

Generated from the records by `scaledetect leaderboard --format md`; do not edit.

Test error: mean over seeds ± standard deviation over seeds (binomial standard error of the mean). Area: the mean of
the test error over log P, from the smallest to the largest P named above the table, with its standard error; entries
are ranked by it. P(10 %): the number of training images at which the mean error first falls to 10 %, between sizes by
a straight line on the axis of log P; "≤" where it is there at the smallest. D, G, R: sensitivities of the output of a
trained net at its largest P, mean ± standard error over seeds.
"""

GAP_HEAD = """## Trained pooling nets and exact theory

D and G of the trained nets' output, mean ± standard error over seeds, beside the exact values at the last layer of the
constant-filter net of the same filter side F, stride s and depth K, for the same noise. The trained nets have learned
filters and a readout that the theory has not: this is what training changes, not an error of either.
"""

NO_RECORDS = "There are no records yet.\n"

CSV_FIELDS = (
    "card", "card_version", "rank", "entry", "entry_version", "n_train", "n_seeds", "test_error", "spread",
    "binomial_stderr", "area", "area_stderr", "area_from", "area_to", "crossing_10_percent",
    *(field for name in QUANTITIES for field in (name, f"{name}_stderr")), "diverged", "failed",
)  # fmt: skip


NOTHING: tuple[tuple[int | None, Mean | None], ...] = ((None, None),)


def as_markdown(board: Leaderboard) -> str:
    """The whole leaderboard as one Markdown document."""
    parts = [HEAD]
    if not board.tables:
        parts.append(NO_RECORDS)
    parts += [_section(table) for table in board.tables]
    if board.gaps:
        parts.append(GAP_HEAD + "\n" + _gap_table(board.gaps))
    return "\n".join(parts)


def as_csv(board: Leaderboard) -> str:
    """One line for each card, entry and training size; empty cells are what there is not."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    for table in board.tables:
        for row in table.rows:
            for size, error in row.errors.items() or NOTHING:
                writer.writerow(_csv_row(table, row, size, error))
    return out.getvalue()


def as_data(board: Leaderboard) -> dict[str, Any]:
    """Plain data, ready for JSON."""
    data = asdict(board)
    data["bad"] = [{"path": str(one.path), "reason": one.reason} for one in board.bad]
    for conflict in data["conflicts"]:
        conflict.update(kept=str(conflict["kept"]), other=str(conflict["other"]))
    return data


def error_text(mean: Mean | None) -> str:
    """``0.251 ± 0.013 (0.008)``."""
    if mean is None:
        return ""
    spread = "" if mean.spread is None else f" ± {mean.spread:.3f}"
    return f"{mean.value:.3f}{spread}" + ("" if mean.stderr is None else f" ({mean.stderr:.3f})")


def mean_text(mean: Mean | None) -> str:
    """``0.0251 ± 0.0013``: the error to two digits, the value as far."""
    if mean is None:
        return ""
    return value_text(mean.value, mean.error)


def value_text(value: float, error: float | None) -> str:
    """As `mean_text`."""
    return f"{value:.3g}" if error is None else f"{value:.3g} ± {error:.2g}"


def crossing_text(row: Row) -> str:
    """The size at which the error crosses 10 %."""
    if row.crossing is None:
        return ""
    return ("≤ " if row.crossing == min(row.errors) else "") + f"{row.crossing:.0f}"


def _section(table: CardTable) -> str:
    head = ["rank", "entry", *(f"P = {size}" for size in table.sizes), "area", "P(10 %)", *QUANTITIES, "no score"]
    rows = [_cells(table, row) for row in table.rows]
    areas = f"Area over P = {table.range[0]} to {table.range[-1]}." if len(table.range) > 1 else "No area."
    text = f"## {table.card} (version {table.card_version})\n\n{areas}\n\n{_grid(head, rows, left=2)}"
    return text + "".join(f"\n{line}\n" for line in correlation_lines(table))


def correlation_lines(table: CardTable) -> list[str]:
    """A sentence on each rank correlation."""
    return [
        f"Rank correlation of test error and {name} of the output: {c.rho:+.2f} ± {c.stderr:.2f} ({c.n} nets, P = "
        f"{c.n_train})."
        for name, c in table.correlations.items()
    ]


def _cells(table: CardTable, row: Row) -> list[str]:
    return [
        "" if row.rank is None else str(row.rank),
        row.label,
        *(error_text(row.errors.get(size)) for size in table.sizes),
        "" if row.area is None else value_text(row.area, row.area_stderr),
        crossing_text(row),
        *(mean_text(row.output.get(name)) for name in QUANTITIES),
        no_score_text(row),
    ]


def no_score_text(row: Row) -> str:
    """How many runs of a row have none."""
    return ", ".join(f"{n} {what}" for n, what in ((row.diverged, "diverged"), (row.failed, "failed")) if n)


def gap_cells(gap: Gap) -> list[str]:
    """A row of the table of gaps, for `GAP_COLUMNS`."""
    shape = [_layers(gap.filter_size), _layers(gap.stride), str(gap.depth)]
    cells = [gap.card, gap.entry, str(gap.n_train), *shape]
    for name, exact in gap.exact.items():
        mean = gap.measured[name]
        cells += [mean_text(mean), f"{exact:.3g}", f"{mean.value / exact:.3g}" if exact > 0 else ""]
    return cells


GAP_COLUMNS = ("card", "entry", "P", "F", "s", "K", "D", "exact", "ratio", "G", "exact", "ratio")


def _gap_table(gaps: Sequence[Gap]) -> str:
    return _grid(GAP_COLUMNS, [gap_cells(gap) for gap in gaps], left=2)


def _layers(value: int | tuple[int, ...]) -> str:
    return str(value) if isinstance(value, int) else ",".join(map(str, value))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    rule = [":--" if place < left else "--:" for place in range(len(head))]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (head, rule, *rows))


def _csv_row(table: CardTable, row: Row, size: int | None, error: Mean | None) -> dict[str, object]:
    found: dict[str, object] = {
        "card": table.card, "card_version": table.card_version, "rank": row.rank, "entry": row.entry,
        "entry_version": row.entry_version, "n_train": size, "area": row.area, "area_stderr": row.area_stderr,
        "crossing_10_percent": row.crossing, "diverged": row.diverged, "failed": row.failed,
    }  # fmt: skip
    if error is not None:
        found |= {"n_seeds": error.n, "test_error": error.value, "spread": error.spread}
        found |= {"binomial_stderr": error.stderr}
    if len(table.range) > 1:
        found |= {"area_from": table.range[0], "area_to": table.range[-1]}
    for name, mean in row.output.items():
        found |= {name: mean.value, f"{name}_stderr": mean.error}
    return found
