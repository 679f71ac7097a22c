"""Canonical JSON: one byte form of plain data, and its SHA-256."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from scaledetect._base.errors import bad_value

__all__ = ["canonical_json", "content_hash"]

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical_json(data: Any) -> bytes:
    """`data` as JSON without spaces, keys sorted, ASCII, floats in their shortest form that reads back the same.

    Raises
    ------
    ValueError
        For what JSON cannot hold: numbers that are not finite, and anything but plain data.
    """
    try:
        return _encode(data).encode("ascii")
    except (TypeError, ValueError) as error:
        raise bad_value("data", data, f"is not plain data ({error})") from error


def content_hash(data: Any) -> str:
    """SHA-256 of `canonical_json`, in hexadecimal."""
    return hashlib.sha256(canonical_json(data)).hexdigest()
