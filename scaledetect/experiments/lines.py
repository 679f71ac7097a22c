"""The data of an experiment as JSON Lines: what a line may hold, how numbers are written, and the hash of the file.

The first line is the header: ``format``, ``name`` and ``recipe`` (hash) of the card, ``digest`` of the task's data,
``layers``, ``A`` (receptive field, in input pixels), ``n`` draws, ``n_blocks`` of the jackknife, ``sigma`` of the noise
and ``made_with``, the versions. Each other line has a ``kind`` and a ``seed``, the root seed of the net; lists run over
layers, and NaN is null.

- ``net``: ``weights``, the SHA-256 of its parameters; of a trained one also ``status``, ``epochs``, ``reached`` (first
  epoch of zero loss), ``train_loss`` and the errors of the three splits.
- ``curve``: ``D``, ``G``, ``R``, ``Delta``, each with ``_stderr``, and how many draws moved the layer at all,
  ``D_events`` and ``G_events``; for a ``noise`` mode, of ``channels`` "each" or "mean", and of a ``curve``: "net",
  "shuffled" (its channels shuffled) or "mean-filters" (exact theory of its mean filters, without errors).
- ``share``: coherent ``share`` of the noise and its ``stderr``, of ``draws`` images; signed and rectified noise.
- ``track``: ``D``, ``G`` and ``R`` along training, lists over ``epochs`` of lists over layers, beside
  ``validation_error``.

Values have seven digits, standard errors four: less than what draws, seeds and processors move, so that a file that is
made again on the same machine is the same file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scaledetect._base.errors import bad_value
from scaledetect._base.files import replacing
from scaledetect.results import Sensitivities

__all__ = [
    "DATA_FORMAT",
    "HASHES",
    "QUANTITIES",
    "Line",
    "curve_line",
    "dump",
    "file_hash",
    "read_hashes",
    "read_lines",
    "rounded",
    "sensitivities_of",
    "write_hashes",
    "write_lines",
]

DATA_FORMAT = "scaledetect.experiment/1"

HASHES = "sha256.txt"
"""File beside the data with the hashes of data and published weights, as ``sha256sum`` writes them."""

QUANTITIES = ("D", "G", "R", "Delta")
VALUE_DIGITS, ERROR_DIGITS = 7, 4

Line = dict[str, Any]

KEYS: dict[str, frozenset[str]] = {
    "net": frozenset({"weights"}),
    "curve": frozenset({"curve", "noise", "channels", *QUANTITIES}),
    "share": frozenset({"noise", "draws", "share", "stderr"}),
    "track": frozenset({"noise", "draws", "epochs", "validation_error", "D", "G", "R"}),
}
"""Keys that a line of each kind must have, beside ``kind`` and ``seed``."""


def curve_line(seed: int, curve: str, noise: str, channels: str, s: Sensitivities, rows: slice = slice(None)) -> Line:
    """The line of a measurement, of some of its rows."""
    line: Line = {"kind": "curve", "seed": seed, "curve": curve, "noise": noise, "channels": channels}
    for name in QUANTITIES:
        line[name] = rounded(getattr(s, name)[rows], VALUE_DIGITS)
        if s.kind == "measured":
            line[f"{name}_stderr"] = rounded(getattr(s, f"{name}_stderr")[rows], ERROR_DIGITS)
    if s.D_events is not None and s.G_events is not None:
        line |= {"D_events": s.D_events[rows].tolist(), "G_events": s.G_events[rows].tolist()}
    return line


def sensitivities_of(line: Line, header: Mapping[str, Any], sigma: float) -> Sensitivities:
    """The curve of a line as `Sensitivities`; its header says of which layers."""
    measured = "D_stderr" in line
    columns: dict[str, Any] = {name: _array(line[name]) for name in QUANTITIES}
    columns |= {
        f"{name}_stderr": _array(line[f"{name}_stderr"]) if measured else np.zeros(len(line[name]))
        for name in QUANTITIES
    }
    columns |= {name: np.array(line[name]) for name in ("D_events", "G_events") if name in line}
    return Sensitivities(
        layers=tuple(header["layers"]),
        **columns,
        A=np.array(header["A"]),
        sigma=sigma,
        kind="measured" if measured else "theory",
        n=header["n"] if measured else 0,
        n_blocks=header["n_blocks"] if measured else 0,
        config={key: line[key] for key in ("seed", "curve", "noise", "channels")} | {"experiment": header["name"]},
    )


def rounded(values: Iterable[float], digits: int) -> list[float | None]:
    """Numbers of so many digits, and None for NaN."""
    return [None if math.isnan(value) else float(f"{float(value):.{digits - 1}e}") for value in values]


def dump(line: Mapping[str, Any]) -> str:
    """A line as it stands in a file, with its end."""
    return json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n"


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text("".join(map(dump, lines)), encoding="utf-8")


def read_lines(path: Path) -> tuple[Line, list[Line]]:
    """The header of a data file, and its other lines, checked.

    Raises
    ------
    ValueError
        Naming the file, and the line that is none of the format.
    """
    try:
        lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise bad_value("path", str(path), f"cannot be read as JSON Lines ({error})") from error
    if not lines or not isinstance(lines[0], dict) or lines[0].get("format") != DATA_FORMAT:
        raise bad_value("path", str(path), f"does not begin with a header of {DATA_FORMAT!r}")
    for number, line in enumerate(lines[1:], start=2):
        kind = line.get("kind") if isinstance(line, dict) else None
        if kind not in KEYS or "seed" not in line or not KEYS[kind] <= set(line):
            raise bad_value("path", str(path), f"line {number} is none of the format {DATA_FORMAT!r}")
    return lines[0], lines[1:]


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_hashes(path: Path) -> dict[str, str]:
    """SHA-256 by file name, from a list as ``sha256sum`` writes it."""
    rows = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines())
    return {name: found for found, name in rows}


def write_hashes(path: Path, hashes: Mapping[str, str]) -> None:
    """Write such a list, sorted by name."""
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)), encoding="utf-8")


def _array(values: list[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values])
