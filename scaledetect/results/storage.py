"""Results in files: npz or JSON, without pickle, exact to the last bit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.files import checked_path, replacing
from scaledetect.results.read_file import read_result

__all__ = ["load", "plain_config", "save"]

FORMAT = "scaledetect.Sensitivities/1"


def save(result: Any, path: str | Path) -> Path:
    """Write the fields of a result."""
    path = checked_path("path", path)
    suffix = _suffix(path)
    values = {f.name: getattr(result, f.name) for f in fields(result)}
    sums, deviations = values.pop("sums"), values.pop("deviations")
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    arrays |= {f"deviations/{name}": value for name, value in (deviations or {}).items()}
    meta = {name: value for name, value in values.items() if name not in arrays}
    meta |= {"format": FORMAT, "has_deviations": deviations is not None}
    if suffix == ".json":
        if sums is not None:
            raise bad_value(
                "path", str(path), "JSON takes no sums", "save as .npz, or dataclasses.replace(s, sums=None)"
            )
        text = {**meta, "arrays": {name: [value.dtype.name, value.tolist()] for name, value in arrays.items()}}
        _write_text(path, _dumps(text))
        return path
    meta["sums"] = None if sums is None else list(sums)
    for number, layer in enumerate((sums or {}).values()):
        arrays |= {f"sums/{number}/{f.name}": np.asarray(getattr(layer, f.name)) for f in fields(layer)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        # As keywords names of its own would clash.
        np.savez(file, **{"meta": np.array(_dumps(meta)), **arrays})  # type: ignore[arg-type]
    return path


def load(path: str | Path) -> dict[str, Any]:
    """The fields of a result; a file that is damaged is refused."""
    path = checked_path("path", path)
    _suffix(path)
    return read_result(path, FORMAT)


def plain_config(value: Any) -> Any:
    """`value` with tuples as lists and NumPy numbers as Python's: what comes back from a file."""
    if isinstance(value, Mapping):
        return {str(key): plain_config(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_config(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_config(entry) for entry in value]
    return value


def _suffix(path: Path) -> str:
    if path.suffix not in (".npz", ".json"):
        raise bad_value("path", str(path), "must end in .npz or .json")
    return path.suffix


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _dumps(value: Any) -> str:
    def refuse(entry: object) -> None:
        raise bad_type("config", entry, "must be plain data to be saved")

    return json.dumps(_tagged(value), indent=1, default=refuse)


def _tagged(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become {"float": "nan"} and the like."""
    if isinstance(value, Mapping):
        return {str(key): _tagged(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_tagged(entry) for entry in value]
    return {"float": repr(value)} if isinstance(value, float) and not math.isfinite(value) else value
