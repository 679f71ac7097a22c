"""Pickles of plain data and NumPy byte arrays, read without running anything that they name."""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

from scaledetect._base.errors import InvalidValueError

__all__ = ["read_plain_pickle"]


def read_plain_pickle(data: bytes) -> dict[str, Any]:
    """A pickled dictionary of numbers, texts, lists and arrays of bytes, such as a batch of CIFAR-10.

    Raises
    ------
    ValueError
        For anything else: a pickle that names a function or class beside those of an array, and one that is damaged.

    Notes
    -----
    The unpickler finds no code but the stand-ins below, which keep what they are given and do nothing.
    """
    try:
        found = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except InvalidValueError:
        raise
    except Exception as error:  # what the unpickler raises on rubbish is of no one kind
        raise InvalidValueError(f"damaged: {type(error).__name__}: {error}") from error
    if not isinstance(found, dict):
        raise InvalidValueError(f"a pickled {type(found).__name__} where a dictionary is expected")
    return {_text(key): _plain(value) for key, value in found.items()}


class _Named:
    """A NumPy type that a pickle names, or calls with arguments; kept as they are."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Named):
    """An array: its state is (version, shape, dtype, Fortran order, bytes)."""

    def array(self) -> np.ndarray[Any, Any]:
        """The array, where it is one of bytes in C order."""
        _, shape, kind, fortran, raw = self.state
        is_bytes = isinstance(kind, _Named) and kind.arguments and _text(kind.arguments[0]) in ("u1", "uint8")
        if not is_bytes or fortran or not isinstance(raw, bytes) or math.prod(shape) != len(raw):
            raise InvalidValueError("an array that is not one of bytes")
        return np.frombuffer(raw, dtype=np.uint8).reshape(shape)


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as Python 3 pickles them in the older protocols."""
    if encoding != "latin1":
        raise InvalidValueError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Named,
    ("numpy", "dtype"): _Named,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise InvalidValueError(f"it names {module}.{name}, which is not run")
        return _STAND_INS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise InvalidValueError(f"it refers to {pid!r} outside the file")


def _plain(value: Any) -> Any:
    return value.array() if isinstance(value, _Array) else value


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
