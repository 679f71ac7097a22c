"""Numbers with their errors as text, and small tables in HTML that a notebook shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["html_facts", "html_table", "with_error"]

MOST_ROWS = 60
"""Of a table in a notebook; what is left out is said."""

_CELL = "padding:2px 10px;border:none;"


SMALL = 1e-4
"""Below it zeros after the point are harder to count than an exponent is to read."""


def with_error(value: float, error: float) -> str:
    """``0.53922(41)``: the error in units of the last digits, two of them."""
    if not (math.isfinite(value) and math.isfinite(error)):
        return "-"
    if error <= 0:
        return f"{value:.6g}"
    digits = 1 - math.floor(math.log10(error))
    if round(error * 10.0**digits) == 100:
        digits -= 1
    if error >= 1:
        digits = max(digits, 0)
        return f"{value:.{digits}f}({error:.{digits}f})"
    if digits > 9 or max(abs(value), error) < SMALL:
        exponent = math.floor(math.log10(max(abs(value), error)))
        return f"{with_error(value / 10.0**exponent, error / 10.0**exponent)}e{exponent:+03d}"
    return f"{value:.{digits}f}({round(error * 10.0**digits)})"


def html_table(
    caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1, note: str = ""
) -> str:
    """A table for a notebook, light or dark: it takes the colours of the page. The first `left` columns are text."""
    cells = [_row("th", headings, left), *(_row("td", row, left) for row in rows[:MOST_ROWS])]
    if len(rows) > MOST_ROWS:
        note = f"{len(rows) - MOST_ROWS} more rows: see to_frame(). {note}"
    foot = f'<div style="font-size:90%;opacity:.75">{escape(note.strip())}</div>' if note else ""
    title = f'<caption style="text-align:left;padding:4px 0"><b>{escape(caption)}</b></caption>'
    table = f'<table style="border-collapse:collapse;margin:0">{title}{"".join(cells)}</table>'
    return f'<div style="max-width:100%;overflow-x:auto">{table}{foot}</div>'


def html_facts(caption: str, facts: Mapping[str, object]) -> str:
    """A table of two columns, names and values, without headings."""
    rows = "".join(_row("td", (name, str(value)), 2) for name, value in facts.items())
    title = f'<caption style="text-align:left;padding:4px 0"><b>{escape(caption)}</b></caption>'
    return f'<table style="border-collapse:collapse;margin:0">{title}{rows}</table>'


def _row(kind: str, cells: Sequence[str], left: int) -> str:
    sides = ("left" if place < left else "right" for place in range(len(cells)))
    styles = (f'style="{_CELL}text-align:{side}"' for side in sides)
    inner = "".join(f"<{kind} {style}>{escape(cell)}</{kind}>" for cell, style in zip(cells, styles, strict=True))
    return f"<tr>{inner}</tr>"
