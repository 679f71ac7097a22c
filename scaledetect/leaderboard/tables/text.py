"""A leaderboard as Markdown, CSV and plain data."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from scaledetect.leaderboard.entries.base import entry_class, entry_names
from scaledetect.leaderboard.tables.board import Leaderboard
from scaledetect.leaderboard.tables.scaling import FamilyRow, FamilyTable
from scaledetect.leaderboard.tables.table import LEVELS, QUANTITIES, CardTable, Mean, Row
from scaledetect.statistics.sample_complexity import Exponent, SampleComplexity

__all__ = ["as_csv", "as_data", "as_markdown"]

HEAD = """# Leaderboard

Generated from the records by `scaledetect leaderboard --format md`; do not edit.

The question: how many training images P does an architecture need to find a scale?

P\\*(10 %), P\\*(25 %): training images at which the mean test error over seeds falls to 10 % and 25 %, between sizes
by a straight line on the axis of log P, with a 95 % interval over seeds (Student's, of the jackknife, on the axis of
log P); "> P" where it never does up to the largest P tried, "≤ P" where it does at the smallest, "…" an interval that
is open: one seed, or without some seed the level is not reached. Rank: 1 plus the number of entries that need fewer
images beyond these intervals, or where only one reaches the error, err less at the same P; "=" marks ties. An entry
whose error is at no P below 1/2 by more than its own error (one-sided, 5 % over all P) is at chance and has no rank;
oracle and chance are references. Area, only a tie-break for the order of lines: mean test error over log P. Test
error: mean over seeds ± standard deviation over seeds. Knows nothing: what a learner without any knowledge scores on
a card of a family, whose training and test rows are anticorrelated. D, G, R: sensitivities of the output of a trained
net at its largest P, mean ± standard error over seeds.
"""

FAMILY_HEAD = """P\\*(10 %) by size L, at the same xi / L, and the exponent of P\\* in L with its 95 % interval over
seeds; "\\*" marks sizes where a learner that knows nothing is further than .01 from 1/2 at P\\*, over which no exponent
is fitted.
"""

NO_RECORDS = "There are no records yet.\n"

ENTRY_HEAD = """## Entries

What each is, the largest image (L^d pixels) and training set (P) it declares to be run on, its runs, and the hours that
they took on one core. Settings were chosen on validation rows (`baselines/tuning.csv`). A net that gets more than a
quarter of its own training images wrong is trained again from other first weights, three times at most.
"""

CSV_FIELDS = (
    "card", "card_version", "standing", "rank", "tied", "entry", "entry_version", "own", "n_train", "n_seeds",
    "test_error", "spread", "binomial_stderr", "knows_nothing", "area",
    *(f"P_star_{100 * level:g}_percent{part}" for level in LEVELS for part in ("", "_low", "_high")),
    *(field for name in QUANTITIES for field in (name, f"{name}_stderr")), "diverged", "failed",
)  # fmt: skip

NOTHING: tuple[tuple[int | None, Mean | None], ...] = ((None, None),)


def as_markdown(board: Leaderboard) -> str:
    """The whole leaderboard as one Markdown document."""
    parts = [HEAD]
    if not board.tables:
        parts.append(NO_RECORDS)
    parts += [_family_section(family) for family in board.families]
    if board.tables:
        parts.append(f"{ENTRY_HEAD}\n{_grid(ENTRY_COLUMNS, entry_cells(board), left=4)}")
    parts += [_section(table) for table in board.tables]
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
    """``0.251 ± 0.013``."""
    if mean is None:
        return ""
    return f"{mean.value:.3f}" + ("" if mean.spread is None else f" ± {mean.spread:.3f}")


def mean_text(mean: Mean | None) -> str:
    """``0.0251 ± 0.0013``: the error to two digits, the value as far."""
    if mean is None:
        return ""
    return f"{mean.value:.3g}" if mean.error is None else f"{mean.value:.3g} ± {mean.error:.2g}"


def rank_text(row: Row) -> str:
    """The rank, with "=" where it is shared; else why there is none."""
    if row.rank is None:
        return "" if row.standing == "no score" else row.standing
    return f"{row.rank}{'=' if row.tied else ''}"


def complexity_text(one: SampleComplexity | None) -> str:
    """``332 [201, 548]``, ``> 4096``, or ``≤ 64``."""
    if one is None:
        return ""
    if one.value is None:
        return f"> {one.largest}"
    if one.at_most:
        return f"≤ {one.value:.0f}"
    low, high = ("…" if end is None else f"{end:.0f}" for end in (one.low, one.high))
    return f"{one.value:.0f} [{low}, {high}]"


def exponent_text(exponent: Exponent | None) -> str:
    """``0.52 [0.41, 0.63]``."""
    return "" if exponent is None else f"{exponent.value:.2f} [{exponent.low:.2f}, {exponent.high:.2f}]"


def board_head(table: CardTable) -> list[str]:
    """Columns of the table of a card."""
    return [
        "rank", "entry", "P*(10 %)", "P*(25 %)", *(f"P = {size}" for size in table.sizes), "area", *QUANTITIES,
        "no score",
    ]  # fmt: skip


def board_cells(table: CardTable) -> list[list[str]]:
    """Its rows, the learner that knows nothing last."""
    rows = [_cells(table, row) for row in table.rows]
    if table.know_nothing:
        errors = [f"{table.know_nothing[size]:.3f}" for size in table.sizes]
        rows.append(["reference", "knows nothing", "", "", *errors, *[""] * (2 + len(QUANTITIES))])
    return rows


def family_head(family: FamilyTable) -> list[str]:
    """Columns of the table of a family."""
    return ["entry", *(f"L = {size}" for size in family.sizes), "exponent", "over L"]


def family_cells(family: FamilyTable) -> list[list[str]]:
    """Its rows."""
    return [_family_cells(family, row) for row in family.rows]


ENTRY_COLUMNS = ("entry", "title", "kind", "limits", "runs", "hours")


def entry_cells(board: Leaderboard) -> list[list[str]]:
    """A line an entry: what it declares, its runs and the hours they took."""
    seconds: dict[str, float] = {}
    runs: dict[str, int] = {}
    for table in board.tables:
        for row in table.rows:
            seconds[row.entry] = seconds.get(row.entry, 0.0) + row.seconds
            runs[row.entry] = runs.get(row.entry, 0) + sum(m.n for m in row.errors.values()) + row.diverged + row.failed
    known = set(entry_names())
    lines = []
    for name in sorted(seconds):
        declared = ["", "", ""]
        if name in known:
            entry = entry_class(name)
            declared = [entry.title, entry.kind, str(entry.limits)]
        lines.append([name, *declared, str(runs[name]), f"{seconds[name] / 3600:.2f}"])
    return lines


def correlation_lines(table: CardTable) -> list[str]:
    """A sentence on each rank correlation."""
    return [
        f"Rank correlation of test error and {name} of the output: {c.rho:+.2f} [{c.low:+.2f}, {c.high:+.2f}] "
        f"({c.n} nets, P = {c.n_train})."
        for name, c in table.correlations.items()
    ]


def no_score_text(row: Row) -> str:
    """How many runs of a row have none."""
    return ", ".join(f"{n} {what}" for n, what in ((row.diverged, "diverged"), (row.failed, "failed")) if n)


def _family_section(family: FamilyTable) -> str:
    grid = _grid(family_head(family), family_cells(family), left=1)
    return f"## {family.title}\n\n{FAMILY_HEAD}\n{grid}"


def _family_cells(family: FamilyTable, row: FamilyRow) -> list[str]:
    cells = []
    for size in family.sizes:
        one = row.complexity.get(size)
        marked = one is not None and one.value is not None and size not in row.fair
        cells.append(complexity_text(one) + (" *" if marked else ""))
    over = "" if row.exponent is None else f"{row.exponent.sizes[0]} to {row.exponent.sizes[-1]}"
    return [row.label, *cells, exponent_text(row.exponent), over]


def _section(table: CardTable) -> str:
    text = f"## {table.card} (version {table.card_version})\n\n{_grid(board_head(table), board_cells(table), left=2)}"
    return text + "".join(f"\n{line}\n" for line in correlation_lines(table))


def _cells(table: CardTable, row: Row) -> list[str]:
    return [
        rank_text(row),
        row.label,
        *(complexity_text(row.complexity.get(level)) for level in LEVELS),
        *(error_text(row.errors.get(size)) for size in table.sizes),
        "" if row.area is None else f"{row.area:.3f}",
        *(mean_text(row.output.get(name)) for name in QUANTITIES),
        no_score_text(row),
    ]


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    rule = [":--" if place < left else "--:" for place in range(len(head))]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in (head, rule, *rows))


def _csv_row(table: CardTable, row: Row, size: int | None, error: Mean | None) -> dict[str, object]:
    found: dict[str, object] = {
        "card": table.card, "card_version": table.card_version, "standing": row.standing, "rank": row.rank,
        "tied": row.tied, "entry": row.entry, "entry_version": row.entry_version, "own": row.own, "n_train": size,
        "area": row.area, "diverged": row.diverged, "failed": row.failed,
    }  # fmt: skip
    if error is not None:
        found |= {"n_seeds": error.n, "test_error": error.value, "spread": error.spread}
        found |= {"binomial_stderr": error.stderr, "knows_nothing": table.know_nothing.get(size or 0)}
    for level, one in row.complexity.items():
        name = f"P_star_{100 * level:g}_percent"
        found |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    for name, mean in row.output.items():
        found |= {name: mean.value, f"{name}_stderr": mean.error}
    return found
