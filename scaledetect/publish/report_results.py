"""Results in a report: sensitivities by layer, beside theory where a comparison was stored, with z and a joint test."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect._base.files import read_text
from scaledetect._base.tables import with_error
from scaledetect.publish.report_charts import Line, chart
from scaledetect.publish.report_page import Cell, Section, figures, table
from scaledetect.results import Sensitivities

__all__ = ["Result", "read_results", "results_section"]

QUANTITIES = ("D", "G", "R")
COMPARISONS = "compare.json"

Comparison = tuple[Sensitivities, dict[str, float]]
Result = tuple[str, Sensitivities, Comparison | None]
"""A name, what was measured and, where it was compared, the theory and the p-values of the joint test."""


def read_results(places: Iterable[Path]) -> tuple[list[Result], list[Path]]:
    """The results among `places`, and the places that are something else: records.

    Raises
    ------
    ValueError
        For files of results that are damaged.
    """
    results: list[Result] = []
    rest: list[Path] = []
    for place in places:
        saved = sorted(place.glob("*.npz")) if place.is_dir() else [place] if place.suffix == ".npz" else []
        stored = place / COMPARISONS if place.is_dir() else place
        compared = stored.name == COMPARISONS and stored.is_file()
        if compared:
            results += _comparisons(stored)
        results += [(path.stem, Sensitivities.load(path), None) for path in saved]
        if not saved and not compared:
            rest.append(place)
    return results, rest


def results_section(results: Sequence[Result]) -> list[Section]:
    """D, G and R by layer of all results: charts and a table each."""
    parts = []
    for number, (name, measured, compared) in enumerate(results):
        charts = figures([_chart(name, measured, compared, quantity) for quantity in QUANTITIES])
        parts.append(f"<h3>{escape(name)}</h3>{_joint(compared)}{charts}{_table(number, measured, compared)}")
    return [Section("sensitivities", "Sensitivities by layer", "".join(parts))] if parts else []


def _comparisons(path: Path) -> list[Result]:
    try:
        found = json.loads(read_text("records", path))["comparisons"]
        results: list[Result] = []
        for one in found:
            name = (
                f"{one['card']}, F={one['net']['filter_size']} s={one['net']['stride']}, {one['noise']['mode']} noise"
            )
            p_values = {key: math.nan if p is None else float(p) for key, p in one.get("p_values", {}).items()}
            results.append((name, _restored(one["measured"]), (_restored(one["theory"]), p_values)))
    except (KeyError, TypeError, ValueError) as error:
        way_out = "run scaledetect compare again"
        raise bad_value("records", str(path), f"is no result of scaledetect compare ({error})", way_out) from error
    return results


def _restored(stored: dict[str, object]) -> Sensitivities:
    return Sensitivities(**{**stored, "layers": tuple(stored["layers"]), "sigma": _number(stored["sigma"])})  # type: ignore[arg-type]


def _number(value: object) -> float:
    return math.nan if value is None else float(value)  # type: ignore[arg-type]


def _values(s: Sensitivities, name: str) -> list[float]:
    array: FloatArray = getattr(s, name)
    return [float(value) for value in array]


def _abscissa(s: Sensitivities) -> list[float]:
    return [float(value) for value in (np.arange(1, len(s) + 1) if s.A is None else s.A)]


def _chart(name: str, measured: Sensitivities, compared: Comparison | None, quantity: str) -> str:
    x, errors = _abscissa(measured), _values(measured, f"{quantity}_stderr")
    lines = [Line(measured.kind, x, _values(measured, quantity), errors)]
    if compared is not None:
        lines.append(Line("theory", x, _values(compared[0], quantity), exact=True, color=1))
    across = "layer k" if measured.A is None else "effective receptive field A (pixels)"
    return chart(
        f"{quantity} by layer", lines, x_label=across, y_label=quantity, log_x=measured.A is not None, log_y=True,
        name=f"{quantity}-{name.split(',')[0]}",
    )  # fmt: skip


def _joint(compared: Comparison | None) -> str:
    if compared is None or not compared[1]:
        return ""
    shown = ", ".join(f"{name} {p:.2g}" for name, p in compared[1].items() if not math.isnan(p))
    return (
        f'<p class="note">Joint test over layers (Hotelling&#39;s T²), p: {escape(shown) or "none can be tested"}</p>'
    )


def _table(number: int, measured: Sensitivities, compared: Comparison | None) -> str:
    heads = ["k", "layer", *(head for q in QUANTITIES for head in ((q,) if compared is None else (q, "exact", "z")))]
    z = None if compared is None else measured.z(compared[0])
    rows: list[list[Cell]] = []
    for k, layer in enumerate(measured.layers):
        row: list[Cell] = [(str(k + 1), k + 1.0), layer]
        for quantity in QUANTITIES:
            value = float(getattr(measured, quantity)[k])
            error = float(getattr(measured, f"{quantity}_stderr")[k])
            row.append((with_error(value, error), value if math.isfinite(value) else None))
            if compared is not None and z is not None:
                exact, score = float(getattr(compared[0], quantity)[k]), float(z[quantity][k])
                row.append((f"{exact:.5g}", exact) if math.isfinite(exact) else "-")
                row.append((f"{score:+.1f}", score) if math.isfinite(score) else "-")
        rows.append(row)
    return table(f"sensitivities-{number}", heads, rows, texts=(1,))
