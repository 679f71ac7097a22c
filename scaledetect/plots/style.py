"""Style of all figures: colours, markers, headings, ticks, and files written whole or not at all."""

from __future__ import annotations

import math
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from scaledetect._base.errors import bad_value
from scaledetect._base.files import replacing

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["COLORS", "GREY", "MARKERS", "PANELS", "NotebookFigure", "legible_ticks", "save_figure"]

# Okabe and Ito: told apart by readers of every colour vision, and in print by their brightness.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


MARKERS = ("o", "s", "D", "^", "v", "P")


PANELS = {
    "D": ("Sensitivity to deformation", r"$D_k$"),
    "G": ("Sensitivity to noise", r"$G_k$"),
    "R": ("Relative sensitivity", r"$R_k = D_k / G_k$"),
}


GREY = "#666666"


NOTEBOOK_DPI = 96
"""Pixels an inch at which a notebook shows a figure."""


FILE_DPI = 200
"""Pixels an inch of figures in files."""


class NotebookFigure(Figure):
    """A figure that a notebook shows without pyplot, which none of ours knows of (matplotlib issue 16782)."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """PNG of two pixels a point for sharp screens, and the size to show it at."""
        buffer = BytesIO()
        self.savefig(buffer, format="png", dpi=2 * NOTEBOOK_DPI)
        width, height = (round(NOTEBOOK_DPI * side) for side in self.get_size_inches())
        return buffer.getvalue(), {"width": width, "height": height}


STEPS = ((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 4, 6), (1, 2, 5), (1, 3), (1,))
"""Numbers of a decade that ticks may stand at, from many to few."""

LEAST_GAP = 0.14
"""Between neighbouring ticks, as a share of the axis."""


def legible_ticks(axis: Axis) -> None:
    """Numbers a reader can place: powers of ten over a wide range, as many plain numbers as fit over a narrow one."""
    low, high = axis.get_view_interval()
    if high > 50 * low:
        axis.set_minor_formatter(NullFormatter())
        return
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in STEPS:
        ticks = [tick for k in decades for step in steps if low <= (tick := step * 10.0**k) <= high]
        if all(math.log(b / a) >= LEAST_GAP * math.log(high / low) for a, b in pairwise(ticks)):
            break
    # Within a small part of a decade, none or one of them.
    axis.set_major_locator(FixedLocator(ticks) if len(ticks) > 1 else MaxNLocator(4))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def save_figure(figure: Figure, *paths: Path) -> None:
    """Save `figure` in the formats that the endings of `paths` name; laid out once, which takes as long as drawing."""
    known = figure.canvas.get_supported_filetypes()
    for path in paths:
        if path.suffix[1:].lower() not in known:
            raise bad_value("picture", str(path), f"must end in one of .{', .'.join(sorted(known))}")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for path in paths:
        # The same figure is the same file: no date, and names inside that do not change.
        date = {"Date": None} if path.suffix.lower() == ".svg" else None
        with rc_context({"svg.hashsalt": path.stem}), replacing(path) as temporary:
            figure.savefig(temporary, dpi=FILE_DPI, metadata=date)
