"""Large arrays: memory that is not there is a refusal that names the argument asking for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scaledetect._base.errors import bad_value

__all__ = ["empty"]


def empty(name: str, value: object, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array whose entries are not set; its size is what the argument `name` asks for."""
    try:
        return np.empty(shape, dtype=dtype)
    except (MemoryError, ValueError, OverflowError) as error:  # NumPy's for arrays that no address space holds
        needed = math.prod(shape) * np.dtype(dtype).itemsize / 1e9
        raise bad_value(name, value, f"asks for {needed:.3g} GB of memory", "ask for fewer at a time") from error
