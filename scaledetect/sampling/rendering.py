"""Rendering: images of pairs of active pixels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import empty
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._kernels import backend
from scaledetect._kernels.driver import for_chunks
from scaledetect.task.task import Task, check_task

__all__ = ["check_out", "check_pairs", "float_dtype", "render_into", "render_pairs"]

LEAST_BYTES = 1 << 22
"""Bytes of images below which threads cost more than they save."""


def render_pairs(
    pairs: NDArray[np.int64], task: Task, *, dtype: Any = "float32", out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Images of pairs of active pixels, such as `sample_pairs` or `shift_pairs` return.

    Parameters
    ----------
    pairs : ndarray of int64, shape (n, 2, dim)
        Coordinates 0..L-1, pixels.
    task : Task
        Gives the shape of the images and the value of an active pixel.
    dtype : {"float32", "float64"}, default "float32"
        Of the images; ignored when `out` is given.
    out : ndarray, shape (n, 1) + task.shape, optional
        C-contiguous float32 or float64 array to write into.

    Returns
    -------
    ndarray, shape (n, 1, L), (n, 1, L, L) or (n, 1, L, L, L)
        `task.pixel_value` at each active pixel, and twice that where both coincide (the published code overwrites).
        No background noise.

    Raises
    ------
    TypeError, ValueError
        For pairs of another shape or dtype, outside the lattice, or an `out` that does not fit.
    """
    pairs = check_pairs(pairs, task)
    if out is None:
        out = empty("pairs", f"{len(pairs)} pairs", (len(pairs), 1, *task.shape), float_dtype(dtype))
    else:
        check_out(out, (len(pairs), 1, *task.shape))
    render_into(pairs, task.pixel_value, out)
    return out


def render_into(pairs: NDArray[np.int64], value: float, out: NDArray[Any]) -> None:
    """Overwrite `out` with the images of `pairs`; nothing is checked."""
    if not len(out):
        return
    flat = out.reshape(len(out), math.prod(out.shape[1:]))
    draw, amplitude = backend().add_pixels, out.dtype.type(value)
    least = 1 + LEAST_BYTES // flat[0].nbytes
    for_chunks(lambda a, b: draw(pairs[a:b], amplitude, flat[a:b]), len(flat), chunk=len(flat), least=least)


def float_dtype(dtype: Any) -> np.dtype[Any]:
    """`dtype` as float32 or float64; anything else is an error."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except Exception:  # NumPy's for what is no type are of many kinds
        found = np.dtype(object)
    if found not in (np.dtype("float32"), np.dtype("float64")):
        raise bad_type("dtype", dtype, "must be 'float32' or 'float64'")
    return found


def check_pairs(pairs: NDArray[np.int64], task: Task) -> NDArray[np.int64]:
    """`pairs`, C-contiguous; raise unless they are pairs of pixels of the lattice."""
    check_task(task)
    if not isinstance(pairs, np.ndarray):
        raise bad_type("pairs", type(pairs).__name__, f"must be an array of int64, (n, 2, {task.dim})")
    pairs = np.ascontiguousarray(pairs)
    if pairs.dtype != np.int64 or pairs.ndim != 3 or pairs.shape[1:] != (2, task.dim):
        raise bad_value("pairs", f"{pairs.dtype} array of shape {pairs.shape}", f"must be int64, (n, 2, {task.dim})")
    # As unsigned numbers negative ones are huge: one pass finds both.
    if pairs.size and pairs.view(np.uint64).max() >= task.size:
        raise bad_value("pairs", f"values from {pairs.min()} to {pairs.max()}", f"must be from 0 to {task.size - 1}")
    return pairs


def check_out(out: object, shape: tuple[int, ...]) -> None:
    """Raise unless `out` is a writable C-contiguous float32 or float64 array of the given shape."""
    if not isinstance(out, np.ndarray):
        raise bad_type("out", type(out).__name__, f"must be a NumPy array of shape {shape}")
    if out.dtype not in (np.dtype("float32"), np.dtype("float64")) or not out.dtype.isnative:
        raise bad_type("out", out.dtype, "must be an array of float32 or float64")
    if out.shape != shape:
        raise bad_value("out", out.shape, f"must have shape {shape}")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise bad_value("out", out.flags, "must be C-contiguous and writable", "pass np.empty(shape, dtype)")
