"""The claims: primary hypotheses with their verdicts, and exploratory numbers without any, from frozen experiments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scaledetect._base.files import make_folder
from scaledetect.reproduce.experiment_tables import experiment_tables
from scaledetect.reproduce.exploratory import exploratory
from scaledetect.reproduce.folder import write_table
from scaledetect.reproduce.hypotheses import Hypotheses, load_hypotheses
from scaledetect.reproduce.primary import Find, Primary, decide_primary, primary_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Claims", "claims"]


@dataclass(frozen=True, eq=False)
class Claims:
    """What the frozen experiments say.

    Attributes
    ----------
    primary : tuple of Primary
        The hypotheses that were written down before the runs, each with its decision.
    exploratory : pandas.DataFrame
        Further numbers with intervals; the columns are those of `Estimate`.
    alpha : float
        Error level that the primary hypotheses share.
    """

    primary: tuple[Primary, ...]
    exploratory: pd.DataFrame
    alpha: float

    @property
    def primary_frame(self) -> pd.DataFrame:
        """One row a hypothesis."""
        return primary_frame(self.primary)

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``claims-primary.csv`` and ``claims-exploratory.csv``."""
        path = make_folder(Path(folder))
        paths = path / "claims-primary.csv", path / "claims-exploratory.csv"
        for target, table in zip(paths, (self.primary_frame, self.exploratory), strict=True):
            write_table(target, table)
        return paths


def claims(hypotheses: Hypotheses | None = None, *, find: Find | None = None) -> Claims:
    """Decide the primary hypotheses and estimate the exploratory numbers, from frozen experiments; nothing is trained.

    Parameters
    ----------
    hypotheses : Hypotheses, optional
        By default those of the package, `load_hypotheses()`.
    find : callable, optional
        From the name of an experiment to the experiment, or to None where there are no data; by default those of the
        package.

    Returns
    -------
    Claims

    Notes
    -----
    A direction is decided by one-sided t tests, a prediction by equivalence tests, each at alpha / m: over all
    hypotheses the chance of any false confirmation is at most alpha, and so is that of any false refutation.
    """
    given = load_hypotheses() if hypotheses is None else hypotheses
    found = decide_primary(given, find=find)
    return Claims(found, exploratory(experiment_tables(find=find))["exploratory"], given.alpha)
