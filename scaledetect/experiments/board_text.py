"""The board of theories as Markdown, CSV, plain data, and rows of a plain table."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from scaledetect.experiments.board import BoardRow, BoardTable, Mean, TheoryBoard
from scaledetect.experiments.cards import Regime
from scaledetect.experiments.scoring import SCORED
from scaledetect.theory._contract import Told

__all__ = ["COLUMNS", "board_as_csv", "board_as_data", "board_as_markdown", "heading", "table_cells"]

HEAD = """# Theories

Generated from the stored predictions by `scaledetect theories --format md`; do not edit.

Theories compete, and frozen experiments decide (`scaledetect experiment`): D, G and R by layer, rectified noise, single
channels, in the layers whose A is below the xi of the task. A score is the mean over layers of the squared logarithmic
error ln(predicted / measured) of the mean net, less the noise of the measurement; shown is its root, the typical
error (0.1: ten per cent), with the square and its standard error over nets beside it. A layer that a theory says
nothing of costs as much as being off by a factor of ten. Theories that are told the same are ranked by the mean over D,
G and R, averaged over the experiments that all of them speak of; without a rank, and averaged over what they do speak
of, are those that speak of fewer than three quarters of them.
"Single nets" is the error of D net by net, for theories that predict nets one by one. Theories told more than the task
are scored on the nets whose weights are published. How to enter one: docs/submit-theory.md.
"""

REGIME_TITLES: dict[Regime, str] = {
    "initialisation": "At initialisation",
    "trained": "Trained",
    "ridge": "Trained with ridge",
    "constant-filters": "Constant filters",
}
TOLD_TITLES: dict[Told, str] = {
    "task": "told the task",
    "statistics": "told statistics of the weights",
    "net": "told the net",
}

COLUMNS = ("rank", "theory", "experiments", *SCORED, "D within 10 %", "D, single nets")

CSV_FIELDS = (
    "regime", "told", "rank", "theory", "version", "experiment", "layers", "nets",
    *(f"{name}_{field}" for name in SCORED for field in ("value", "square", "stderr", "within_10_percent")),
    "D_net_square", "D_net_stderr", "p_value",
)  # fmt: skip


def heading(table: BoardTable) -> str:
    """The regime, and what the theories of the table are told."""
    return f"{REGIME_TITLES[table.regime]}: {TOLD_TITLES[table.told]}"


def table_cells(table: BoardTable) -> list[list[str]]:
    """One row a theory, in the columns `COLUMNS`."""
    return [_cells(table, row) for row in table.rows]


def board_as_markdown(board: TheoryBoard) -> str:
    """The whole board as one Markdown document."""
    parts = [HEAD]
    for table in board.tables:
        parts.append(f"## {heading(table)}\n\n{_grid(COLUMNS, table_cells(table))}")
        names = ("experiment", *(row.theory for row in table.rows))
        parts.append(f"D by experiment:\n\n{_grid(names, _by_experiment(table))}")
    if board.missing:
        missing = "\n".join(f"- {theory}: {experiment}" for theory, experiment in board.missing)
        parts.append(f"## Without a stored prediction\n\n{missing}\n")
    return "\n".join(parts)


def board_as_csv(board: TheoryBoard) -> str:
    """One line for each theory and experiment; empty cells are what there is not."""
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_FIELDS, lineterminator="\n")
    writer.writeheader()
    for table in board.tables:
        for row in table.rows:
            writer.writerows(_csv_rows(table, row))
    return out.getvalue()


def board_as_data(board: TheoryBoard) -> dict[str, Any]:
    """Plain data, ready for JSON."""
    return asdict(board)


def _cells(table: BoardTable, row: BoardRow) -> list[str]:
    single = row.D.net_square
    return [
        "" if row.rank is None else str(row.rank),
        row.theory,
        f"{len(row.scores)} of {len(table.experiments)}",
        *(_score(getattr(row, name)) for name in SCORED),
        f"{row.D.within_10_percent:.0%}",
        "" if single != single else f"{max(single, 0.0) ** 0.5:.3f}",
    ]


def _score(mean: Mean) -> str:
    return f"{mean.value:.3f} ({mean.square:.4f} ± {mean.stderr:.4f})"


def _by_experiment(table: BoardTable) -> list[list[str]]:
    found = [{one.experiment: one for one in row.scores} for row in table.rows]
    return [[name, *(f"{one[name].D.value:.3f}" if name in one else "" for one in found)] for name in table.experiments]


def _csv_rows(table: BoardTable, row: BoardRow) -> list[dict[str, object]]:
    lines = []
    for one in row.scores:
        line: dict[str, object] = {
            "regime": table.regime,
            "told": table.told,
            "rank": row.rank,
            "theory": row.theory,
            "version": row.version,
            "experiment": one.experiment,
            "layers": len(one.layers),
            "nets": len(one.seeds),
            "p_value": one.p_value,
        }
        for name in SCORED:
            for field in ("value", "square", "stderr", "within_10_percent"):
                line[f"{name}_{field}"] = f"{getattr(getattr(one, name), field):.6g}"
        if one.D.net_square == one.D.net_square:
            line |= {"D_net_square": f"{one.D.net_square:.6g}", "D_net_stderr": f"{one.D.net_stderr:.6g}"}
        lines.append(line)
    return lines


def _grid(head: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
