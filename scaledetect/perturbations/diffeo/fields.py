"""Displacement fields of maximal entropy: sums of sines with Gaussian coefficients."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.arguments import check_number, check_seed, empty, integer
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.perturbations.diffeo.temperature import check_cutoff, check_temperature, squared_modes
from scaledetect.sampling.gaussian_noise import normal_rows
from scaledetect.sampling.keys import seed_key

__all__ = ["diffeo_coefficients", "displacement_field", "sine_waves"]

MOST_BYTES = 2**34
"""Of the displacement fields of one call."""

Array = TypeVar("Array", NDArray[Any], Tensor)


def diffeo_coefficients(n: int, *, cutoff: int = 3, seed: int = 0, start: int = 0) -> NDArray[np.float64]:
    """Draw the coefficients of the displacement fields of images start .. start+n-1.

    Parameters
    ----------
    n : int
        Number of images.
    cutoff : int, default 3
        Largest wave number c, at least 2.
    seed : int, default 0
        From 0 to 2^64 - 1.
    start : int, default 0
        Number of the first image.

    Returns
    -------
    ndarray of float64, shape (n, 2, c, c)
        C_ij of the displacement along the rows' axis and along the columns' axis, i and j from 1: independent, normal,
        of variance 1/(i^2 + j^2), and 0 outside the disc i^2 + j^2 <= (c + 1/2)^2. Image j of a seed and a cutoff has
        the same coefficients in any batch.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not an integer in its range.

    Notes
    -----
    Petrini, Favero, Geiger, Wyart, arXiv 2105.02468. The draws are the normal deviates of the stream of the package's
    data specification, with a key made of the seed and the cutoff.
    """
    n, start, cutoff = check_number("n", n), check_number("start", start), check_cutoff(cutoff)
    squares = squared_modes(cutoff)
    inside = np.isfinite(squares)
    key = seed_key(check_seed(seed), f"diffeo/{cutoff}")
    modes = int(inside.sum())
    normals = normal_rows(key, n, 2 * modes, start=start, dtype="float64")
    coefficients = empty("n", n, (n, 2, cutoff, cutoff), np.float64)
    coefficients[:, :, ~inside] = 0
    coefficients[:, :, inside] = normals.reshape(n, 2, modes) / np.sqrt(squares[inside])
    return coefficients


def displacement_field(coefficients: Array, size: int, *, temperature: float) -> Array:
    """Displacement fields of given coefficients.

    Parameters
    ----------
    coefficients : array, shape (..., c, c)
        Floating NumPy array or torch tensor, as `diffeo_coefficients` draws them.
    size : int
        Side L of the image, pixels, with c <= 2 L / pi.
    temperature : float
        Temperature T within `diffeo_temperature_range(size, c)`.

    Returns
    -------
    array, shape (..., L, L)
        Pixels, in the kind, dtype and device of `coefficients`: at row u and column v, both on linspace(0, 1, L),
        L sqrt(T) sum_ij C_ij sin(i pi u) sin(j pi v). It is 0 all around the border.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.
    """
    if not isinstance(coefficients, np.ndarray | Tensor):
        raise bad_type("coefficients", type(coefficients).__name__, "must be a NumPy array or a torch tensor")
    square = coefficients.shape[-2:]
    if len(square) != 2 or len(set(square)) != 1:
        raise bad_value("coefficients", f"array of shape {tuple(coefficients.shape)}", "must have shape (..., c, c)")
    size = integer("size", size)
    side, _ = square
    cutoff = check_cutoff(int(side), size)
    if "float" not in str(coefficients.dtype):
        raise bad_type("coefficients", coefficients.dtype, "must be floating", "convert them with astype")
    n_bytes = math.prod(coefficients.shape[:-2]) * size**2 * int(coefficients.dtype.itemsize)
    if n_bytes > MOST_BYTES:
        raise bad_value("size", size, f"the fields would take {n_bytes / 1e9:.3g} GB", "ask for fewer at a time")
    amplitude = size * math.sqrt(check_temperature(temperature, size, cutoff))
    sines = sine_waves(size, cutoff)
    if isinstance(coefficients, Tensor):
        waves = torch.from_numpy(sines).to(coefficients)
        return waves @ (amplitude * coefficients) @ waves.T
    sines = sines.astype(coefficients.dtype)
    return sines @ (amplitude * coefficients) @ sines.T


def sine_waves(size: int, cutoff: int) -> NDArray[np.float64]:
    """sin(j pi u) for u on linspace(0, 1, L) and j = 1..c, shape (L, c)."""
    sines: NDArray[np.float64] = np.sin(np.pi * np.outer(np.linspace(0, 1, size), np.arange(1, cutoff + 1)))
    # The sine of a multiple of pi, which floating point misses by a little.
    sines[-1] = 0
    return sines
