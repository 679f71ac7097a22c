"""Progress in the terminal: one bar on stderr, gone when it ends and absent from a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["Bar", "progress"]


@dataclass(frozen=True)
class Bar:
    """The bar while it is shown."""

    what: str
    _bar: Any
    _task: Any

    def step(self, label: str) -> None:
        """One more step is done, of this label."""
        self._bar.update(self._task, advance=1, description=f"{self.what}: {label}")

    def show(self, text: str, done: float, total: float) -> None:
        """So many steps of `total` are done; `text` replaces what stands before the bar."""
        self._bar.update(self._task, total=total, completed=done, description=text)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Bar]:
    """A bar with the steps done, the time elapsed and the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden) as bar:
        yield Bar(what, bar, bar.add_task(what, total=total))
