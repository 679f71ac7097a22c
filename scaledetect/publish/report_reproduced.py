"""Reproductions in a report: figures, claims and data of folders that ``scaledetect reproduce`` has written."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path

from scaledetect._base.files import read_text
from scaledetect.publish.report_page import Cell, Section, figures, picture, stored_table, table
from scaledetect.reproduce.folder import FORMAT

__all__ = ["Reproduced", "read_reproduced", "reproduced_section"]

CLAIMS = "claims"
"""What ``scaledetect reproduce claims`` writes: tables without a figure, and without a configuration."""

MOST_ROWS = 500
"""Rows of a table that is shown; longer ones can be saved."""


@dataclass(frozen=True)
class Reproduced:
    """What one figure of the paper, or the claims, has left in a folder.

    Attributes
    ----------
    name : str
    size : str
        Of the reproduction; "" for the claims.
    pictures : dict of str to str
        SVG by file name.
    tables : dict of str to str
        CSV by file name.
    jobs : tuple of int
        Jobs that are done, and all.
    """

    name: str
    size: str
    pictures: dict[str, str]
    tables: dict[str, str]
    jobs: tuple[int, int] = (0, 0)


def read_reproduced(places: Iterable[Path]) -> tuple[list[Reproduced], list[Path]]:
    """The reproductions in the folders among `places`, and the places that hold none.

    Raises
    ------
    ValueError
        For files of theirs that cannot be read.
    """
    found: list[Reproduced] = []
    rest: list[Path] = []
    for place in places:
        here = [*_studies(place), *_claims(place)] if place.is_dir() else []
        found += here
        if not here:
            rest.append(place)
    return found, rest


def reproduced_section(found: Sequence[Reproduced]) -> list[Section]:
    """The figures of all reproductions, with their tables."""
    parts = []
    for one in found:
        done, jobs = one.jobs
        missing = f"; {jobs - done} of {jobs} jobs are missing" if done < jobs else ""
        note = f'<p class="note">size {escape(one.size)}{missing}</p>' if one.size else ""
        drawn = figures([picture(name, svg) for name, svg in one.pictures.items()])
        shown = "".join(_table(name, text) for name, text in one.tables.items())
        parts.append(f"<h3>{escape(one.name)}</h3>{note}{drawn}{shown}")
    return [Section("reproductions", "Reproductions", "".join(parts))] if parts else []


def _studies(folder: Path) -> Iterator[Reproduced]:
    for path in sorted(folder.glob("*.json")):
        try:
            stored = json.loads(read_text("records", path))
            if stored["format"] != FORMAT:
                continue
            configuration = stored["configuration"]
            name, size, jobs = str(configuration["name"]), str(configuration["size"]), list(configuration["jobs"])
        except (KeyError, TypeError, ValueError):
            continue  # a file of another kind, which its own reader judges
        done = sum((folder / "jobs" / job).is_dir() for job in jobs)
        pictures = [*sorted(folder.glob(f"{name}.svg")), *sorted(folder.glob(f"{name}-*.svg"))]
        yield Reproduced(name, size, _texts(pictures), _texts(sorted(folder.glob(f"{name}-*.csv"))), (done, len(jobs)))


def _claims(folder: Path) -> Iterator[Reproduced]:
    tables = _texts(sorted(folder.glob(f"{CLAIMS}-*.csv"), reverse=True))
    if tables:
        yield Reproduced(CLAIMS, "", {}, tables)


def _texts(paths: Iterable[Path]) -> dict[str, str]:
    return {path.name: read_text("records", path) for path in paths}


def _table(name: str, text: str) -> str:
    heads, *rows = [row for row in csv.reader(StringIO(text)) if row] or [[]]
    if len(rows) > MOST_ROWS:
        return stored_table(name, f"{name}: {len(rows)} rows")
    cells = [[_cell(value) for value in row] for row in rows]
    texts = [place for place, _ in enumerate(heads) if any(isinstance(row[place], str) and row[place] for row in cells)]
    shown = table(name.removesuffix(".csv"), heads, cells, texts=texts)
    opened = " open" if name.startswith(CLAIMS) else ""
    return f"<details{opened}><summary>{escape(name)}: {len(rows)} rows</summary>{shown}</details>"


def _cell(value: str) -> Cell:
    try:
        number = float(value)
    except ValueError:
        return value
    return (value, number) if math.isfinite(number) else value
