"""Strength of a diffeomorphism: temperature, nominal and true displacement, and the allowed range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import integer, positive
from scaledetect._base.errors import bad_value, shown

__all__ = [
    "TypicalDisplacement", "check_cutoff", "check_temperature", "diffeo_temperature_range",
    "largest_cutoff", "squared_modes", "temperature_of", "typical_displacement",
]  # fmt: skip

SLACK = 1e-9
"""Relative: the end of a range, computed by the caller in another order, is still inside."""

SMALLEST_SIZE = 4
"""Pixels; below it not even cutoff 2 has a temperature."""

LARGEST_SIZE = 2**16
"""Pixels; a field on such an image takes 32 GB."""

MOST_MODES = 4096
"""Largest cutoff whose modes are held in memory."""


@dataclass(frozen=True)
class TypicalDisplacement:
    """How far pixels move, in pixels (Euclidean).

    Attributes
    ----------
    delta : float
        Nominal displacement L sqrt(pi T ln c) / 2, asymptotic in the cutoff c.
    rms : float
        Root mean square over fields and over the pixels of the image; exact.
    """

    delta: float
    rms: float


def diffeo_temperature_range(size: int, cutoff: int = 3) -> tuple[float, float]:
    """The temperatures allowed for images of a size at a cutoff.

    Parameters
    ----------
    size : int
        Side L of the image, pixels, at least 4.
    cutoff : int, default 3
        Largest wave number c, from 2 to 2 L / pi; above, no temperature is left.

    Returns
    -------
    T_min, T_max : float
        1 / (pi L^2 ln c), where the nominal displacement is half a pixel: a weaker field is lost between the pixels;
        and 4 / (pi^3 c^2 ln c), where it is L / (pi c): a stronger one is no longer one to one.

    Raises
    ------
    TypeError, ValueError
        For a `size` or `cutoff` that is not an integer in its range.

    Notes
    -----
    Petrini, Favero, Geiger, Wyart, arXiv 2105.02468, appendix on the maximum-entropy model of diffeomorphisms.

    Examples
    --------
    >>> from scaledetect.perturbations.diffeo import diffeo_temperature_range
    >>> low, high = diffeo_temperature_range(32, 3)
    >>> f"{low:.6f} {high:.6f}"
    '0.000283 0.013047'
    """
    largest_cutoff(size)
    cutoff = check_cutoff(cutoff, size)
    return 1 / (math.pi * size**2 * math.log(cutoff)), 4 / (math.pi**3 * cutoff**2 * math.log(cutoff))


def typical_displacement(size: int, *, temperature: float, cutoff: int = 3) -> TypicalDisplacement:
    """How far a diffeomorphism moves a pixel: its nominal displacement, and the true root mean square.

    Parameters
    ----------
    size : int
        Side L of the image, pixels, at least 4.
    temperature : float
        Temperature T within `diffeo_temperature_range`.
    cutoff : int, default 3
        Largest wave number c, from 2 to 2 L / pi.

    Returns
    -------
    TypicalDisplacement
        `delta` and `rms`, pixels. At c = 3 the rms is 0.84 delta (L-1)/L; their ratio does not depend on T.

    Raises
    ------
    TypeError, ValueError
        For an argument outside its range.

    Notes
    -----
    delta as in arXiv 2105.02468; rms^2 = L^2 (T/2) sum 1/(i^2 + j^2) ((L-1)/L)^2 over the modes of the field. It is
    that of the displacement asked for: at the border of the image coordinates are clamped.

    Examples
    --------
    >>> from scaledetect.perturbations.diffeo import typical_displacement
    >>> moved = typical_displacement(32, temperature=0.001, cutoff=3)
    >>> f"{moved.delta:.3f} {moved.rms:.3f}"
    '0.940 0.767'
    """
    largest_cutoff(size)
    cutoff = check_cutoff(cutoff, size)
    temperature = check_temperature(temperature, size, cutoff)
    squares = squared_modes(cutoff)
    modes = (1 / squares[np.isfinite(squares)]).sum()
    delta = size * math.sqrt(math.pi * temperature * math.log(cutoff)) / 2
    return TypicalDisplacement(delta, (size - 1) * math.sqrt(temperature / 2 * modes))


def temperature_of(size: int, cutoff: int, *, temperature: float | None, delta: float | None) -> float:
    """The temperature that is given, or that of nominal displacement `delta`, 1 pixel if neither is."""
    if temperature is not None:
        if delta is not None:
            raise bad_value("delta", delta, f"temperature={shown(temperature)} fixes the strength already", "give one")
        return check_temperature(temperature, size, cutoff)
    cutoff = check_cutoff(cutoff, size)
    delta, most = positive("delta", 1.0 if delta is None else delta), size / (math.pi * cutoff)
    if not 0.5 * (1 - SLACK) <= delta <= most * (1 + SLACK):
        raise bad_value(
            "delta", delta, f"must be from 0.5 to L / (pi cutoff) = {most:.6g} pixels for L={size}, cutoff={cutoff}"
        )
    return 4 * delta**2 / (math.pi * size**2 * math.log(cutoff))


def check_temperature(temperature: object, size: int, cutoff: int) -> float:
    """`temperature` as a float within its range."""
    value = positive("temperature", temperature)
    low, high = diffeo_temperature_range(size, cutoff)
    if not low * (1 - SLACK) <= value <= high * (1 + SLACK):
        raise bad_value(
            "temperature",
            temperature,
            f"must be from {low:.6g} to {high:.6g} for L={size}, cutoff={cutoff}",
            "or give the displacement as delta, pixels",
        )
    return value


def check_cutoff(cutoff: object, size: object = None) -> int:
    """`cutoff` as a Python integer of at least 2, and one that images of `size`, if given, have a temperature for."""
    value = integer("cutoff", cutoff, 2)
    if size is not None and value > (most := largest_cutoff(size)):
        raise bad_value("cutoff", cutoff, f"must be from 2 to 2 L / pi, {most} for L={size}", "no temperature is left")
    if value > MOST_MODES:
        raise bad_value("cutoff", cutoff, f"must be from 2 to {MOST_MODES}: a field has its square of coefficients")
    return value


def largest_cutoff(size: object) -> int:
    """The largest cutoff with T_min <= T_max: floor(2 L / pi). It is at most L - 2, the highest mode of the lattice."""
    side = integer("size", size, high=LARGEST_SIZE, way_out=f"images have at least {SMALLEST_SIZE} pixels a side")
    if side < SMALLEST_SIZE:
        raise bad_value("size", size, f"images must have a side of at least {SMALLEST_SIZE} pixels", "pad them")
    return int(2 * side / math.pi)


def squared_modes(cutoff: int) -> NDArray[np.float64]:
    """i^2 + j^2 for i, j = 1..c, shape (c, c), infinite outside the disc i^2 + j^2 <= (c + 1/2)^2."""
    squares = np.add.outer(np.arange(1.0, cutoff + 1) ** 2, np.arange(1.0, cutoff + 1) ** 2)
    return np.where(squares <= (cutoff + 0.5) ** 2, squares, np.inf)
