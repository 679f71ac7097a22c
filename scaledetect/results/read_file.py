"""Stored results read back: what is damaged, changed or larger than its file is refused before it is used."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import LARGEST
from scaledetect._base.errors import RefusalError, bad_value
from scaledetect._base.files import read_text, regular_file
from scaledetect.results.block_sums import BlockSums
from scaledetect.results.sketch import fold, sketch_width

__all__ = ["read_result"]

LARGEST_JSON = 2**30
"""Bytes of a result in JSON."""

CURVES = ("D", "G", "R", "Delta")
_STDERRS = tuple(f"{name}_stderr" for name in CURVES)
_EVENTS = ("D_events", "G_events")
_PLAIN = ("format", "has_deviations", "layers", "sigma", "kind", "n", "n_blocks", "config")


def read_result(path: Path, form: str) -> dict[str, Any]:
    """The fields of the result in a file of format `form`, checked.

    Raises
    ------
    ValueError
        One sentence that names the path, whatever is wrong with the file.
    """
    try:
        meta, arrays = _from_json(path) if path.suffix == ".json" else _from_npz(path)
        if meta.get("format") != form:
            raise bad_value("path", str(path), f"is not in the format {form!r}")
        return _checked(meta, arrays)
    except RefusalError:
        raise
    # What the readers of archives, arrays and JSON raise on damaged input is of a dozen kinds.
    except Exception as error:
        why = str(error)[:200].encode("ascii", "backslashreplace").decode() or type(error).__name__
        raise bad_value("path", str(path), f"is no file that Sensitivities.save has written ({why})") from error


# ---------------------------------------------------------------------- bytes


def _from_json(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    meta = _plain(read_text("path", path, LARGEST_JSON))
    stored = meta.pop("arrays", {})
    return meta, {name: _array(values, dtype) for name, (dtype, values) in stored.items()}


def _array(values: Any, dtype: str) -> NDArray[Any]:
    found = np.array(values)
    _ensure(dtype in ("float64", "int64"), f"an array of {dtype!r}")
    _ensure(found.dtype.kind in ("iu" if dtype == "int64" and found.size else "fiu"), f"an array of {found.dtype}")
    return found.astype(dtype)


def _from_npz(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    with regular_file("path", path) as file, zipfile.ZipFile(file) as archive:
        size = os.fstat(file.fileno()).st_size
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        # `save` compresses nothing.
        _ensure(unpacked <= size, f"it unpacks to {unpacked} bytes and has {size}")
        _ensure(len({member.filename for member in members}) == len(members), "a name stands twice")
        arrays = {member.filename.removesuffix(".npy"): _member(archive, member) for member in members}
    text = arrays.pop("meta", np.array("{}"))
    _ensure(text.dtype.kind == "U" and text.shape == (), "its description is no text")
    return _plain(str(text)), arrays


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array, read only where its header agrees with the bytes that are there."""
    with archive.open(member) as file:
        shape, dtype = _header(file)
        expected = file.tell() + math.prod(shape) * dtype.itemsize
    _ensure(not dtype.hasobject, f"{member.filename} holds objects")
    _ensure(expected == member.file_size, f"{member.filename} has {member.file_size} bytes, not {expected}")
    with archive.open(member) as file:
        found: NDArray[Any] = np.lib.format.read_array(file)
    return found


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    _ensure(version in readers, f"an array of version {version}")
    shape, _, dtype = readers[version](file)
    _ensure(all(side >= 0 for side in shape), f"an array of shape {shape}")
    return shape, dtype


def _plain(text: str) -> dict[str, Any]:
    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is not a number of JSON")

    meta = _untagged(json.loads(text, parse_constant=no_constant))
    _ensure(isinstance(meta, dict), "it holds no object")
    return meta  # type: ignore[no-any-return]


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value["float"]) if list(value) == ["float"] else {k: _untagged(v) for k, v in value.items()}
    return [_untagged(entry) for entry in value] if isinstance(value, list) else value


# ---------------------------------------------------------------------- content


def _checked(meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    sums = meta.pop("sums", None)
    optional = [name for name in ("A", *_EVENTS) if name not in arrays]
    missing = [name for name in (*_PLAIN, *optional) if name not in meta]
    unknown = [name for name in meta if name not in _PLAIN and name not in optional]
    _ensure(not missing and not unknown, f"it lacks {missing} and has {unknown}")
    _ensure(all(meta[name] is None for name in optional), f"{optional} are no arrays")
    _check_plain(meta)
    layers, n_blocks = meta["layers"], meta["n_blocks"]
    found = {name: _curve(arrays.pop(name), name, (len(layers),)) for name in (*CURVES, *_STDERRS)}
    found |= {name: _curve(arrays.pop(name), name, (len(layers),)) for name in ("A", *_EVENTS) if name in arrays}
    deviations = None
    if meta["has_deviations"]:
        deviations = {name: _curve(arrays.pop(f"deviations/{name}"), name, (n_blocks, len(layers))) for name in CURVES}
    values = {name: value for name, value in meta.items() if name not in ("format", "has_deviations")}
    values |= {"layers": tuple(layers), "deviations": deviations, "sums": _sums(sums, arrays, n_blocks)}
    _ensure(not arrays, f"it has the arrays {sorted(arrays)[:3]} beside")
    return {**values, **found}


def _check_plain(meta: Mapping[str, Any]) -> None:
    layers, sigma = meta["layers"], meta["sigma"]
    _ensure(isinstance(layers, list) and all(isinstance(name, str) for name in layers), "layers are no names")
    _ensure(meta["kind"] in ("measured", "theory"), f"it is of kind {meta['kind']!r}")
    _ensure(isinstance(meta["has_deviations"], bool), "has_deviations is neither true nor false")
    _ensure(isinstance(meta["config"], dict), "config is no object")
    _ensure(isinstance(sigma, float | int) and not isinstance(sigma, bool) and not sigma < 0, f"sigma is {sigma!r}")
    float(sigma)  # an integer may be larger than any float
    for name in ("n", "n_blocks"):
        value = meta[name]
        _ensure(type(value) is int and 0 <= value <= LARGEST, f"{name} is no number of draws or blocks")


def _curve(array: NDArray[Any], name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    wanted = "int64" if name in _EVENTS else "float64"
    _ensure(array.dtype == np.dtype(wanted) and array.shape == shape, f"{name} is {array.dtype} of shape {array.shape}")
    _ensure(name not in _STDERRS or not (array < 0).any(), f"{name} is negative")
    _ensure(name not in _EVENTS or not (array < -1).any(), f"{name} is below -1")
    return array


def _sums(names: Any, arrays: dict[str, NDArray[Any]], n_blocks: int) -> dict[str, BlockSums] | None:
    if names is None:
        return None
    _ensure(isinstance(names, list) and all(isinstance(name, str) for name in names), "sums have no names")
    _ensure(len(set(names)) == len(names), "a name of sums stands twice")
    return {name: _layer_sums(f"sums/{number}/", arrays, n_blocks) for number, name in enumerate(names)}


def _layer_sums(prefix: str, arrays: dict[str, NDArray[Any]], n_blocks: int) -> BlockSums:
    if (vectors := arrays.pop(f"{prefix}vectors", None)) is not None:
        # Files from before there were sketches hold the vector of each block.
        _ensure(vectors.dtype == np.float64 and vectors.ndim == 3, f"{prefix}vectors is {vectors.dtype}")
        _ensure(len(vectors) == n_blocks, f"{prefix}vectors is of shape {vectors.shape}")
        _ensure(not {f"{prefix}totals", f"{prefix}sketches"} & set(arrays), f"{prefix}vectors and totals")
        width = sketch_width(vectors.shape[2], vectors.shape[0] * vectors.shape[1])
        arrays |= {f"{prefix}totals": vectors.sum(axis=0), f"{prefix}sketches": fold(vectors, width)}
    parts = {f.name: arrays.pop(prefix + f.name) for f in fields(BlockSums)}
    classes = parts["counts"].shape[-1:]
    wanted = dict.fromkeys(("deformed", "noisy", "squares", "counts"), (n_blocks, *classes))
    wanted["totals"] = (*classes, *parts["reference"].shape)
    wanted["sketches"] = (n_blocks, *classes, *parts["sketches"].shape[-1:])
    for name, value in parts.items():
        _ensure(value.dtype.kind in "fi" and value.dtype.itemsize == 8, f"{prefix}{name} is {value.dtype}")
        _ensure(value.shape == wanted.get(name, value.shape), f"{prefix}{name} is of shape {value.shape}")
    plain: dict[str, Any] = {name: value if value.ndim else value.item() for name, value in parts.items()}
    return BlockSums(**plain)


def _ensure(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
