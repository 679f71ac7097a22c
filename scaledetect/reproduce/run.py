"""Figures of the paper by name, and the public function that makes one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from scaledetect._base.arguments import one_of
from scaledetect._base.errors import bad_value, unknown_name
from scaledetect.reproduce.folder import StudyFolder
from scaledetect.reproduce.study import Size, Study

__all__ = ["Reproduction", "names", "reproduce", "study"]


@dataclass(frozen=True)
class Reproduction:
    """What a call of `reproduce` has left in its folder.

    Attributes
    ----------
    name : str
    data, figures : tuple of Path
        CSV files; PNG and SVG. Empty while jobs are missing.
    missing : tuple of str
        Jobs of other shards that are not done yet.
    """

    name: str
    data: tuple[Path, ...]
    figures: tuple[Path, ...]
    missing: tuple[str, ...]


def reproduce(
    name: str,
    *,
    size: Size = "laptop",
    output: str | Path,
    shard: tuple[int, int] = (1, 1),
    on_step: Callable[[str, int, int], object] | None = None,
) -> Reproduction:
    """Make a figure of the paper on this package: train, measure, write the data, draw.

    Parameters
    ----------
    name : str
        One of `names()`, or the figure's number in the paper, as "fig7".
    size : {"laptop", "paper", "small"}, default "laptop"
        Minutes to hours on two cores, or the widths and seeds of the paper, for a GPU; the figures on images also have
        a small size, for an hour or two of one core.
    output : str or Path
        Folder for the figure (PNG, SVG), its data (CSV) and its configuration (JSON). It also keeps what each finished
        job has left and where an unfinished one stands: called again, it goes on from there.
    shard : pair of int, default (1, 1)
        (i, n): only every n-th job, from number i on. The shards may share one folder, at the same time too; whichever
        finds all jobs done writes data and figure.
    on_step : callable, optional
        Called with a line of text, the number of jobs done, and their total.

    Returns
    -------
    Reproduction

    Raises
    ------
    KeyError
        For an unknown name; the message lists the close ones.
    ValueError
        For a size or shard out of range, and a folder that cannot be written or holds something else.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506: figures 1, 3, 4 and 6 to 9.

    Examples
    --------
    >>> import tempfile
    >>> from scaledetect.reproduce import reproduce
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = reproduce("examples", output=folder)
    >>> [path.name for path in done.data + done.figures]
    ['examples-pixels.csv', 'examples.png', 'examples.svg']
    """
    one_of("size", size, get_args(Size))
    name = known_name(name)
    chosen = study(name)
    if size not in chosen.sizes:
        raise bad_value("size", size, f"{name!r} is made at {' or '.join(map(repr, chosen.sizes))}")
    part, parts = shard
    if not 1 <= part <= parts:
        raise bad_value("shard", shard, "must be (i, n) with 1 <= i <= n")
    jobs = chosen.jobs(size)
    configuration = {"name": name, "size": size, "jobs": {job.name: job.describe() for job in jobs}}
    folder = StudyFolder(output, name, configuration)
    say = on_step if on_step is not None else _silent
    for job in jobs[part - 1 :: parts]:
        if folder.has(job.name):
            continue

        def tell(text: str, label: str = job.name) -> None:
            say(f"{label}: {text}", sum(folder.has(other.name) for other in jobs), len(jobs))

        with folder.work(job.name) as work:
            folder.keep(job.name, job.run(work, tell))
    missing = tuple(job.name for job in jobs if not folder.has(job.name))
    if missing:
        return Reproduction(name, (), (), missing)
    tables = folder.gather([job.name for job in jobs])
    written = tables if chosen.derive is None else {**tables, **chosen.derive(tables)}
    if chosen.writes is not None:
        written = {name: table for name, table in written.items() if name in chosen.writes}
    data = folder.write_data(written)
    return Reproduction(name, data, folder.write_figures(chosen.draw(tables)), ())


def _silent(text: str, done: int, total: int) -> None:
    del text, done, total


_HOME = {
    "examples": "examples",
    "depth-1d": "depth_1d",
    "deep-nets": "deep_nets",
    "layers-2d": "layers_2d",
    "images-error": "images.error_figure",
    "images-layers": "images.layers_figure",
    "filters": "images.filters_figure",
}


_ALIASES = {
    "fig1": "images-error", "fig3": "images-layers", "fig4": "filters", "fig6": "examples", "fig7": "depth-1d",
    "fig8": "deep-nets", "fig9": "layers-2d", "fig10": "images-error", "fig11": "images-layers", "fig12": "filters",
    "fig13": "filters", "fig14": "filters",
}  # fmt: skip
"""Figures of the paper, and what is made here in their place."""


def known_name(name: str) -> str:
    """The name behind a figure's number in the paper, as fig7; any other name as it is."""
    return _ALIASES.get(name, name)


def aliases_of(name: str) -> list[str]:
    """Figures of the paper that are made under this name."""
    return [alias for alias, other in _ALIASES.items() if other == name]


def names() -> list[str]:
    """Names of the figures that `reproduce` makes, in the paper's order.

    Examples
    --------
    >>> from scaledetect.reproduce import names
    >>> names()
    ['examples', 'depth-1d', 'deep-nets', 'layers-2d', 'images-error', 'images-layers', 'filters']
    """
    return list(_HOME)


def study(name: str) -> Study:
    """The figure of this name, or of this number in the paper; a `KeyError` lists the close ones."""
    name = known_name(name)
    if name not in _HOME:
        raise unknown_name("figure", name, _HOME)
    found: Study = importlib.import_module(f"scaledetect.reproduce.{_HOME[name]}").STUDY
    return found
