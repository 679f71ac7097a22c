"""Folder of a reproduction: its configuration, the results of its jobs, and the finished data and figures."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect._base.files import checked_path, make_folder, replacing, tidy
from scaledetect._base.run_folder import Description, lock_folder
from scaledetect._base.versions import versions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from scaledetect.reproduce.study import Tables

__all__ = ["StudyFolder", "gather_tables", "read_table", "write_table"]

FORMAT = "scaledetect.reproduce/1"


class StudyFolder:
    """The folder of one figure at one size; made, or found to hold the same.

    Raises
    ------
    ValueError
        When it cannot be written, or holds another figure, size, or other jobs.
    """

    def __init__(self, path: str | Path, name: str, configuration: Mapping[str, Any]) -> None:
        self.path, self.name = checked_path("output", path), name
        Description(f"{name}.json", FORMAT, "configuration", configuration, repr(name)).claim(self.path, versions())

    # ------------------------------------------------------------------ jobs

    def has(self, job: str) -> bool:
        """Whether the job is done."""
        return self._tables(job).is_dir()

    @contextmanager
    def work(self, job: str) -> Iterator[Path]:
        """A folder for what a job that is broken off goes on from, held by this process while it works at the job."""
        folder = make_folder(self.path / "runs" / job)
        with lock_folder(folder.parent, f".{job}.lock"):
            for staged in self._tables(job).parent.glob(f".{job}-*"):  # of a process that was killed
                shutil.rmtree(staged)
            yield folder

    def keep(self, job: str, tables: Tables) -> None:
        """Write the tables of a job, all of them or none."""
        target = self._tables(job)
        target.parent.mkdir(exist_ok=True)
        staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{job}-"))
        try:
            for name, table in tables.items():
                write_table(staged / f"{name}.csv", table)
            staged.chmod(target.parent.stat().st_mode)
            staged.replace(target)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise

    def gather(self, jobs: Sequence[str]) -> dict[str, pd.DataFrame]:
        """The tables of all jobs, one under another in their order."""
        return gather_tables(self.path, jobs)

    # ------------------------------------------------------------------ results

    def write_data(self, tables: Tables) -> tuple[Path, ...]:
        """Write the data, a file a table; half-written files of processes that were killed are removed."""
        tidy(self.path, self.name)
        paths = []
        for name, table in tables.items():
            paths.append(self.path / f"{self.name}-{name}.csv")
            write_table(paths[-1], table)
        return tuple(paths)

    def write_figures(self, figures: Mapping[str, Figure]) -> tuple[Path, ...]:
        """Write each figure as PNG and as SVG; what it is called by follows the name of the study."""
        from scaledetect.plots.style import save_figure

        paths: list[Path] = []
        for part, figure in figures.items():
            stem = f"{self.name}{part and '-' + part}"
            formats = [self.path / f"{stem}.{ending}" for ending in ("png", "svg")]
            save_figure(figure, *formats)
            paths += formats
        return tuple(paths)

    def _tables(self, job: str) -> Path:
        assert re.fullmatch(r"[A-Za-z0-9.-]+", job), job
        return self.path / "jobs" / job


def gather_tables(folder: Path, jobs: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The tables of these jobs in the folder of a reproduction, one under another in their order."""
    import pandas as pd

    found: dict[str, list[pd.DataFrame]] = {}
    for job in jobs:
        for path in sorted((folder / "jobs" / job).glob("*.csv")):
            found.setdefault(path.stem, []).append(read_table(path))
    return {name: pd.concat(tables, ignore_index=True) for name, tables in found.items()}


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all; six digits, which is more than any measurement has."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def read_table(path: Path) -> pd.DataFrame:
    """Read what `write_table` has written; only an empty cell is missing."""
    import pandas as pd

    return pd.read_csv(path, keep_default_na=False, na_values=[""])
