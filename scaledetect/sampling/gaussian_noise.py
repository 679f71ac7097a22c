"""Gaussian noise fields, counter-based: each pixel of each sample has its own place in the stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import MAX_SAMPLE, check_seed, empty
from scaledetect._base.errors import bad_value
from scaledetect._kernels import backend
from scaledetect._kernels.driver import for_rows
from scaledetect.sampling.keys import philox_key, purpose_of, stream_key
from scaledetect.sampling.rendering import float_dtype
from scaledetect.sampling.splits import Split
from scaledetect.task.task import Task

__all__ = ["background", "normal_images", "normal_rows"]


def background(
    task: Task,
    n: int,
    *,
    seed: int = 0,
    split: Split | None = None,
    replace: bool = False,
    start: int = 0,
    dtype: Any = "float32",
) -> NDArray[Any] | None:
    """Background noise of samples start .. start+n-1, shape (n, 1) + task.shape; None for a task without."""
    if task.background_noise == 0:
        return None
    purpose = purpose_of("background", split) + ("/replace" if replace else "")
    key = stream_key(task, check_seed(seed), None, purpose)
    return normal_images(task, n, key, start=start, scale=task.background_noise, dtype=dtype)


def normal_images(
    task: Task, n: int, key: bytes, *, start: int, scale: float = 1.0, dtype: Any = "float32"
) -> NDArray[Any]:
    """Normal deviates of standard deviation `scale`, one for each pixel of samples start .. start+n-1."""
    rows = normal_rows(key, n, task.n_sites, start=start, scale=scale, dtype=dtype)
    return rows.reshape(n, 1, *task.shape)


def normal_rows(
    key: bytes, n: int, width: int, *, start: int = 0, scale: float = 1.0, dtype: Any = "float32"
) -> NDArray[Any]:
    """Rows start .. start+n-1 of the normal deviates of `key`, shape (n, width): each is the same in any batch."""
    kind = float_dtype(dtype)
    if (start + n) * ((width + 3) // 4) > MAX_SAMPLE + 1:
        name, value = ("start", start) if start else ("n", n)
        raise bad_value(name, value, f"noise on {width} pixels is defined for fewer samples", f"lower {name}")
    out = empty("n", n, (n, width), kind)
    low, high = philox_key(key)
    fill = backend().fill_normals
    for_rows(lambda a, b: fill(np.uint64(start + a), low, high, scale, out[a:b]), n, width)
    return out
