"""Structure of a reproduction: jobs that are done one by one and kept, tables of data, and a drawing of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Job", "Size", "Study", "Tables"]

Size = Literal["small", "laptop", "paper"]
"""``laptop`` is for two cores; ``paper`` has the widths and seeds of the paper, and is for a GPU; ``small``, of the
figures on images, is for an hour of one core."""

Tables = Mapping[str, "pd.DataFrame"]


class Job(Protocol):
    """One piece of work whose result is kept: a training, with all that is measured of its nets."""

    @property
    def name(self) -> str:
        """Name of its folder: letters, digits and hyphens."""

    def describe(self) -> dict[str, Any]:
        """Plain data: two jobs of the same description have the same result."""

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """Do the work; `folder` may keep what a broken-off job goes on from, `say` is told where it stands."""


@dataclass(frozen=True)
class Study:
    """A figure of the paper on this package.

    Attributes
    ----------
    name, title : str
    paper_figure : str
        Its number in the paper.
    jobs : callable
        From the size to the jobs.
    draw : callable
        From the tables of all jobs, one under another, to the figures by what follows the name; "" is the paper's.
    derive : callable, optional
        From the same tables to others that follow from them.
    sizes : tuple of str
        Those that it can be made at.
    writes : tuple of str, optional
        The tables that are written; by default all. Studies that share jobs can share a folder, and write their own.
    folder : str
        What the common folder of studies that share jobs is called; "" for the study's own name.
    """

    name: str
    title: str
    paper_figure: str
    jobs: Callable[[Size], tuple[Job, ...]]
    draw: Callable[[Tables], dict[str, Figure]]
    derive: Callable[[Tables], Tables] | None = None
    sizes: tuple[Size, ...] = ("laptop", "paper")
    writes: tuple[str, ...] | None = None
    folder: str = ""
