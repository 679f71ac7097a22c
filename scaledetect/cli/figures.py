"""Figures into files, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scaledetect._base.errors import bad_value
from scaledetect._base.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, path: Path) -> None:
    """Save `figure` in the format that the ending of `path` names."""
    known = figure.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in known:
        raise bad_value("picture", str(path), f"must end in one of .{', .'.join(sorted(known))}")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=160)
