"""Progress of a long calculation: a bar in a terminal or a notebook, or calls of a function of one's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaledetect._base.errors import bad_type

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import ProgressColumn, TaskID

__all__ = ["Progress", "ProgressOption", "Report", "reporting", "rich_bar"]


@dataclass(frozen=True)
class Progress:
    """Where a calculation stands.

    Attributes
    ----------
    what : str
        What is done, in a word.
    done, total : int, int or None
        Steps; None where nobody knows how many there are.
    seconds : float
        Since the start.
    """

    what: str
    done: int
    total: int | None
    seconds: float


ProgressOption = bool | Callable[[Progress], object]
"""False: silence. True: a bar on standard error, in a terminal or a notebook. A function is called after each step."""

Report = Callable[[int, int | None], None]
"""``report(done, total)`` after each step."""


@contextmanager
def reporting(progress: ProgressOption, what: str) -> Iterator[Report]:
    """A function to call with the steps done and their total, for the length of a ``with`` block.

    Raises
    ------
    TypeError
        When `progress` is neither a flag nor a function.
    """
    if not (isinstance(progress, bool) or callable(progress)):
        raise bad_type("progress", progress, "must be True, False, or a function of a Progress")
    if progress is True:
        with rich_bar(what) as (bar, task):
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    started = time.monotonic()

    def call(done: int, total: int | None) -> None:
        if callable(progress):
            progress(Progress(what, done, total, time.monotonic() - started))

    yield call


@contextmanager
def rich_bar(what: str, *further: ProgressColumn, total: int | None = None) -> Iterator[tuple[RichProgress, TaskID]]:
    """A bar on standard error: steps done, time elapsed, `further` columns; shown in terminals and notebooks only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *further)
    console = Console(stderr=True)
    hidden = not (console.is_terminal or console.is_jupyter)
    console.quiet = hidden  # rich 13 ends a hidden bar with an empty line
    with RichProgress(*columns, console=console, transient=True, disable=hidden) as bar:
        yield bar, bar.add_task(what, total=total)
