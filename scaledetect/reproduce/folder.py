"""Folder of a reproduction: its configuration, the results of its jobs, and the finished data and figures."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect._base.errors import bad_value
from scaledetect._base.files import make_folder, plain, read_text, replacing, write_json
from scaledetect._base.versions import versions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from scaledetect.reproduce.study import Tables

__all__ = ["StudyFolder", "read_table", "write_table"]

FORMAT = "scaledetect.reproduce/1"


class StudyFolder:
    """The folder of one figure at one size; made, or found to hold the same.

    Raises
    ------
    ValueError
        When it cannot be written, or holds another figure, size, or other jobs.
    """

    def __init__(self, path: str | Path, name: str, configuration: Mapping[str, Any]) -> None:
        self.path, self.name = Path(path), name
        wanted = json.loads(json.dumps(plain(dict(configuration)), allow_nan=False))
        if self._configuration.exists():
            self._check_same(wanted)
            make_folder(self.path)
        else:
            make_folder(self.path)
            write_json(self._configuration, {"format": FORMAT, "configuration": wanted, "made_with": versions()})

    # ------------------------------------------------------------------ jobs

    def has(self, job: str) -> bool:
        """Whether the job is done."""
        return self._tables(job).is_dir()

    def work(self, job: str) -> Path:
        """A folder for what a job that is broken off goes on from."""
        return make_folder(self.path / "runs" / job)

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
        import pandas as pd

        found: dict[str, list[pd.DataFrame]] = {}
        for job in jobs:
            for path in sorted(self._tables(job).glob("*.csv")):
                found.setdefault(path.stem, []).append(read_table(path))
        return {name: pd.concat(tables, ignore_index=True) for name, tables in found.items()}

    # ------------------------------------------------------------------ results

    def write_data(self, tables: Tables) -> tuple[Path, ...]:
        """Write the data, a file a table."""
        paths = []
        for name, table in tables.items():
            paths.append(self.path / f"{self.name}-{name}.csv")
            write_table(paths[-1], table)
        return tuple(paths)

    def write_figures(self, figures: Mapping[str, Figure]) -> tuple[Path, ...]:
        """Write each figure as PNG and as SVG; what it is called by follows the name of the study."""
        import matplotlib as mpl

        paths = []
        for part, figure in figures.items():
            for ending in ("png", "svg"):
                paths.append(self.path / f"{self.name}{part and '-' + part}.{ending}")
                # The same figure is the same file: no date, and names inside that do not change.
                with mpl.rc_context({"svg.hashsalt": self.name}), replacing(paths[-1]) as temporary:
                    figure.savefig(temporary, dpi=160, metadata={"Date": None} if ending == "svg" else None)
        return tuple(paths)

    @property
    def _configuration(self) -> Path:
        return self.path / f"{self.name}.json"

    def _tables(self, job: str) -> Path:
        assert re.fullmatch(r"[A-Za-z0-9.-]+", job), job
        return self.path / "jobs" / job

    def _check_same(self, wanted: Any) -> None:
        way_out = "choose another folder, or remove this one"
        try:
            found = json.loads(read_text("output", self._configuration))
            known, there = found["format"] == FORMAT, found["configuration"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            text = f"holds a {self._configuration.name} that cannot be read ({error})"
            raise bad_value("output", str(self.path), text, way_out) from error
        if not known or there != wanted:
            text = f"holds another {self.name!r}: its {self._configuration.name} says how it was made"
            raise bad_value("output", str(self.path), text, way_out)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all; six digits, which is more than any measurement has."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def read_table(path: Path) -> pd.DataFrame:
    """Read what `write_table` has written; only an empty cell is missing."""
    import pandas as pd

    return pd.read_csv(path, keep_default_na=False, na_values=[""])
