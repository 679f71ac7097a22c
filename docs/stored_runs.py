"""Trainings of a long reproduction: read from its folder, finished or not, and given back as a folder to go on in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from scaledetect.reproduce.folder import write_table

__all__ = ["finished", "give_back"]


def finished(folder: Path, figure: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration of the reproduction of `figure`, and its finished jobs by name, each as it describes itself."""
    configuration = json.loads((folder / f"{figure}.json").read_text(encoding="utf-8"))["configuration"]
    done = {name: job for name, job in configuration["jobs"].items() if (folder / "jobs" / name).is_dir()}
    return configuration, done


def give_back(folder: Path, tables: Mapping[str, pd.DataFrame], jobs: Mapping[str, Mapping[str, object]]) -> None:
    """Make a folder in which a reproduction goes on after `jobs`, each of which says what its rows have in columns.

    Jobs that the folder has finished stay as they are.
    """
    for job, marks in jobs.items():
        target = folder / "jobs" / job
        if target.is_dir():
            continue
        target.mkdir(parents=True)
        for name, table in tables.items():
            rows = table[(table[list(marks)] == pd.Series(marks)).all(axis=1)]
            if len(rows):
                write_table(target / f"{name}.csv", rows)
