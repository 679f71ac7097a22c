"""Draw the figure of the README, for light and for dark pages: ``python docs/readme_figure.py``, half a minute.

Four nets of constant filters on the card ``distance-1d-L4096-xi256``, measured and exact.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

from scaledetect.plots.sensitivities import plot_sensitivities
from scaledetect.results.theory_comparison import TheoryComparison
from scaledetect.sensitivity.beside_theory import compare_with_theory
from scaledetect.task.cards import load_card

CARD = "distance-1d-L4096-xi256"
FIGURES = Path(__file__).resolve().parent / "figures"
INKS = {"light": "#1f2328", "dark": "#e6edf3"}
"""Colour of text and axes on the two pages of a code host; the ground is left transparent."""


def draw(compared: tuple[TheoryComparison, ...], ink: str, path: Path) -> None:
    """Write the figure as SVG with text and axes of colour `ink`."""
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor", "xtick.color", "ytick.color")
    clear = ("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor")
    # The same picture is the same file: no date, and identifiers that do not change.
    style: dict[Any, Any] = {**dict.fromkeys(inked, ink), **dict.fromkeys(clear, "none"), "svg.hashsalt": CARD}
    with mpl.rc_context(style):
        measured = {one.net.label: one.measured for one in compared}
        exact = {one.net.label: one.theory for one in compared}
        name = load_card(CARD).display_name.replace("xi =", r"$\xi$ =")
        figure = plot_sensitivities(measured, exact, title=f"{name}; signed noise")
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, and write both files."""
    compared = compare_with_theory(CARD)
    for page, ink in INKS.items():
        draw(compared, ink, FIGURES / f"{CARD}-{page}.svg")


if __name__ == "__main__":
    main()
