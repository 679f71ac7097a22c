"""A report of records and results: one HTML file that needs no network, for colleagues who have not the package."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from scaledetect._base.errors import bad_value
from scaledetect._base.files import plain, replacing
from scaledetect._base.versions import versions
from scaledetect.leaderboard.records import Merged, unique_records
from scaledetect.leaderboard.tables import CardTable, Leaderboard, as_data, leaderboard
from scaledetect.leaderboard.tables.scaling import FamilyTable
from scaledetect.leaderboard.tables.text import board_cells, board_head, family_cells, family_head
from scaledetect.publish.citation import cite
from scaledetect.publish.report_charts import Line, chart
from scaledetect.publish.report_page import Cell, Section, figures, page, table
from scaledetect.publish.report_reproduced import read_reproduced, reproduced_section
from scaledetect.publish.report_results import read_results, results_section

__all__ = ["report"]

CHANCE = 0.5
MOST_LINES = 12
"""Curves in one chart of learning curves: the best."""


def report(sources: Iterable[str | Path], output: str | Path, *, claims: bool = True, theories: bool = True) -> Path:
    """Write one HTML file about records and results.

    Parameters
    ----------
    sources : iterable of str or Path
        Folders or files of records, as for `scaledetect leaderboard`; folders of ``scaledetect compare``, or their
        compare.json; saved `Sensitivities` (.npz); folders of ``scaledetect reproduce``, of a figure or of the claims.
    output : str or Path
        The file, whose name ends in .html.
    claims : bool, default True
        The hypotheses, decided from the frozen experiments of the package.
    theories : bool, default True
        The board of theories.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For no source, one that is not there or holds none of these, and a name that does not end in .html.

    Notes
    -----
    Every record that is shown had the hash that it names when it was read. Whether it comes out the same again is what
    ``scaledetect verify`` tells; the report does not run anything.
    """
    path, places = Path(output), [Path(source) for source in sources]
    if path.suffix != ".html":
        raise bad_value("output", str(output), "must end in .html")
    if not places:
        raise bad_value("records", [], "nothing to report", "name folders of records or of results")
    reproduced, others = read_reproduced(places)
    results, rest = read_results(others)
    found = unique_records(rest) if rest else None
    board = leaderboard(rest) if rest else None
    if not results and not reproduced and not (board is not None and board.n_records):
        raise bad_value("records", [str(place) for place in places], "hold no record and no result")
    sections = [*_board_sections(board, found), *results_section(results), *reproduced_section(reproduced)]
    sections += _theory_section() if theories else []
    sections += _claims_section() if claims else []
    cards = sorted({one.card for one in board.tables}) if board is not None else []
    sections.append(_cite_section(cards))
    data: dict[str, Any] = {"versions": versions(), "results": {name: s.to_dict() for name, s, _ in results}}
    data["tables"] = {name: text for one in reproduced for name, text in one.tables.items()}
    if board is not None:
        data["leaderboard"] = as_data(board)
    text = page("scaledetect report", _lead(board, found), sections, plain(data))
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def sortable(text: str) -> Cell:
    """A cell that sorts by the first number in it; "> 4096" after 4096, "≤ 64" before 64."""
    match = re.search(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text)
    if match is None:
        return text
    value = float(match.group())
    return text, value * (1.0001 if text.startswith(">") else 0.9999 if text.startswith("≤") else 1.0)


# ---------------------------------------------------------------------- sections


def _lead(board: Leaderboard | None, found: Merged | None) -> str:
    facts = [", ".join(f"{name} {version}" for name, version in versions().items())]
    if board is not None and found is not None:
        bad = f"; {len(board.bad)} files are no records" if board.bad else ""
        contradicted = f"; {len(board.conflicts)} contradict another" if board.conflicts else ""
        facts.append(
            f"{board.n_records} records, each with the hash that it names{bad}{contradicted}. Nothing was run again "
            "for this report: scaledetect verify does that."
        )
    return "".join(f'<p class="note">{escape(fact)}</p>' for fact in facts)


def _board_sections(board: Leaderboard | None, found: Merged | None) -> list[Section]:
    if board is None or found is None or not board.tables:
        return []
    digests = {record.card: record.data_digest for record in found.records}
    parts = []
    for number, one in enumerate(board.tables):
        rows = [[sortable(cell) for cell in row] for row in board_cells(one)]
        note = f'<p class="note">version {one.card_version}, SHA-256 of the data {digests.get(one.card, "")}</p>'
        made = table(f"board-{number}", board_head(one), rows, texts=(1,))
        parts.append(f"<h3>{escape(one.card)}</h3>{note}{figures([_learning_curves(one)])}{made}")
    sections = [Section("board", "Leaderboard", "".join(parts))]
    if board.families:
        scaling = [
            f"<h3>{escape(family.title)}</h3>{figures([_scaling(family)])}"
            + table(f"family-{k}", family_head(family), [[sortable(c) for c in row] for row in family_cells(family)])
            for k, family in enumerate(board.families)
        ]
        sections.append(Section("scaling", "Training images against size", "".join(scaling)))
    return [*sections, _failed_section(found)]


def _learning_curves(one: CardTable) -> str:
    """Test error against n_train of the best entries; chance and the oracle as levels."""
    rows = [row for row in one.rows if row.errors and row.standing != "reference"][:MOST_LINES]
    lines = []
    for color, row in enumerate(rows):
        means = list(row.errors.values())
        errors = [mean.error or 0.0 for mean in means]
        lines.append(Line(row.label, list(row.errors), [mean.value for mean in means], errors, color=color))
    levels = [("chance", CHANCE)]
    oracle = [row for row in one.rows if row.entry == "oracle" and row.errors]
    if oracle:
        levels.append(("oracle", next(reversed(oracle[0].errors.values())).value))
    return chart(
        one.card, lines, x_label="training images P", y_label="test error", log_x=True, levels=levels,
        name=f"curves-{one.card}",
    )  # fmt: skip


def _scaling(family: FamilyTable) -> str:
    lines = []
    for color, row in enumerate(family.rows[:MOST_LINES]):
        # A bound is no point of the curve; the table has it.
        found = {size: one.value for size, one in row.complexity.items() if not one.at_most}
        known = {size: value for size, value in found.items() if value is not None}
        lines.append(Line(row.label, list(known), list(known.values()), color=color))
    return chart(
        family.title, lines, x_label="side of the image L", y_label="P* (10 % error)", log_x=True, log_y=True,
        name=f"scaling-{family.family}",
    )  # fmt: skip


def _failed_section(found: Merged) -> Section:
    rows: list[Sequence[Cell]] = [
        (
            record.card,
            record.entry,
            sortable(str(record.n_train)),
            sortable(str(record.seed)),
            record.status,
            record.reason,
        )
        for record in found.records
        if record.status != "ok"
    ]
    counted = ", ".join(f"{n} {status}" for status, n in sorted(Counter(r.status for r in found.records).items()))
    heads = ("card", "entry", "P", "seed", "status", "reason")
    shown = table("failed", heads, rows, texts=(0, 1, 4, 5)) if rows else ""
    return Section("runs", "Failed and diverged runs", f"<p>{escape(counted)}</p>{shown}")


def _theory_section() -> list[Section]:
    from scaledetect.experiments.board import theory_board
    from scaledetect.experiments.board_text import COLUMNS, heading, table_cells

    parts = []
    for number, one in enumerate(theory_board().tables):
        rows = [[sortable(cell) for cell in row] for row in table_cells(one)]
        parts.append(f"<h3>{escape(heading(one))}</h3>{table(f'theories-{number}', COLUMNS, rows, texts=(1, 2))}")
    return [Section("theories", "Theories", "".join(parts))]


def _claims_section() -> list[Section]:
    from scaledetect.reproduce import claims

    found = claims()
    names = ("claim", "protocol", "experiment", "number", "value", "low", "high", "tolerance", "n_seeds", "verdict")
    rows = [[_claim_cell(row[name]) for name in names] for row in found.primary_frame.to_dict("records")]
    note = f'<p class="note">Each decided at level {found.alpha:g} / {len(found.primary)}, from frozen experiments.</p>'
    return [Section("claims", "Claims", note + table("claims-table", names, rows, texts=(0, 1, 2, 3, 9)))]


def _claim_cell(value: object) -> Cell:
    if isinstance(value, float):
        return "" if math.isnan(value) else (f"{value:.3g}", value)
    return "" if value is None else str(value)


def _cite_section(cards: Sequence[str]) -> Section:
    lines = []
    for card in cards:
        try:
            lines.append(cite(card).line)
        except (KeyError, ValueError):
            continue  # a card of one's own is cited by its owner
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return Section("cite", "Cite", f"{body}<pre>{escape(cite().bibtex)}</pre>")
