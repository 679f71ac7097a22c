"""Style of all figures: colours, markers, headings, ticks, and files written whole or not at all."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

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


def legible_ticks(axis: Axis) -> None:
    """Numbers a reader can place: powers of ten over a wide range, plain numbers over a narrow one."""
    low, high = axis.get_view_interval()
    if high > 50 * low:
        axis.set_minor_formatter(NullFormatter())
        return
    steps = (1, 2, 5) if high > 4 * low else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    axis.set_major_locator(LogLocator(subs=steps))
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
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=FILE_DPI)
