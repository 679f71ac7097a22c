"""Pictures of the gallery: the figure that a block of a script ends with."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

__all__ = ["figures_of_blocks"]


def figures_of_blocks(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the value of the last expression of a block where it is a figure, and link it.

    Figures of the package belong to no window and to no global list, which the scraper of matplotlib looks through.
    """
    names = block_vars["example_globals"]
    found = names.get("___")
    if not isinstance(found, Figure):
        return ""
    names["___"] = None  # a later block without a value would show it again
    path = next(block_vars["image_path_iterator"])
    found.savefig(path, dpi=150)
    return str(figure_rst([path], gallery_conf["src_dir"]))
