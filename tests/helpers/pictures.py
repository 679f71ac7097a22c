"""Images of white noise, as arrays of any shape and floating type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def pictures(*shape: int, dtype: str = "float32", seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)
