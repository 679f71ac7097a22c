"""Results in files: npz or JSON, without pickle, exact to the last bit."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.files import replacing
from scaledetect.results.block_sums import BlockSums

__all__ = ["load", "plain_config", "save"]

FORMAT = "scaledetect.Sensitivities/1"


def save(result: Any, path: str | Path) -> Path:
    """Write the fields of a result."""
    path = Path(path)
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
    """The fields of a result."""
    path = Path(path)
    if _suffix(path) == ".json":
        meta = _loads(path, path.read_text(encoding="utf-8"))
        stored = meta.pop("arrays", {})
        arrays = {name: np.array(value, dtype=dtype) for name, (dtype, value) in stored.items()}
    else:
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
        except (zipfile.BadZipFile, ValueError) as error:
            raise bad_value("path", str(path), "is no file that Sensitivities.save has written") from error
        meta = _loads(path, str(arrays.pop("meta", "{}")))
    deviations = {name: arrays.pop(f"deviations/{name}") for name in ("D", "G", "R", "Delta") if meta["has_deviations"]}
    sums = _sums(meta.pop("sums", None), arrays)
    values = {**meta, **{name: value for name, value in arrays.items() if "/" not in name}}
    del values["format"], values["has_deviations"]
    return {**values, "layers": tuple(values["layers"]), "deviations": deviations or None, "sums": sums}


def plain_config(value: Any) -> Any:
    """`value` with tuples as lists and NumPy numbers as Python's: what comes back from a file."""
    if isinstance(value, Mapping):
        return {str(key): plain_config(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_config(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_config(entry) for entry in value]
    return value


def _sums(names: list[str] | None, arrays: dict[str, Any]) -> dict[str, BlockSums] | None:
    if names is None:
        return None
    found = {}
    for number, name in enumerate(names):
        parts = {f.name: arrays[f"sums/{number}/{f.name}"] for f in fields(BlockSums)}
        found[name] = BlockSums(**{key: value if value.ndim else value.item() for key, value in parts.items()})
    return found


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

    return json.dumps(_tagged(value), indent=1, allow_nan=False, default=refuse)


def _loads(path: Path, text: str) -> dict[str, Any]:
    try:
        meta = _untagged(json.loads(text))
    except json.JSONDecodeError as error:
        raise bad_value("path", str(path), "is no file that Sensitivities.save has written") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise bad_value("path", str(path), f"is not in the format {FORMAT!r}")
    return meta


def _tagged(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they become {"float": "nan"} and the like."""
    if isinstance(value, Mapping):
        return {str(key): _tagged(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_tagged(entry) for entry in value]
    return {"float": repr(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value["float"]) if list(value) == ["float"] else {k: _untagged(v) for k, v in value.items()}
    return [_untagged(entry) for entry in value] if isinstance(value, list) else value
