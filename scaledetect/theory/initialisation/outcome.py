"""Sensitivities with standard errors, of exact sums and of Monte Carlo blocks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.results import Sensitivities

__all__ = ["sensitivities_of_blocks"]

EPS = float(np.finfo(np.float64).eps)


def sensitivities_of_blocks(
    blocks: FloatArray, exact: FloatArray, energy: FloatArray, layers: tuple[str, ...], **fields: Any
) -> Sensitivities:
    """The result, from numerators of D and G and the normalisation.

    Parameters
    ----------
    blocks : ndarray, shape (B, K, 3)
        Their means over each of B equal blocks of draws.
    exact : ndarray, shape (K, 3)
        Their exact values, which replace those of the blocks; NaN where there is none.
    energy : ndarray, shape (K,)
        E|f|^2: a layer with Delta <= 1000 eps E|f|^2 is constant.
    layers : tuple of str, length K
    **fields
        Other fields of the result.
    """
    known = ~np.isnan(exact)
    means = np.where(known, exact, blocks.mean(axis=0))
    # What each block adds to the error of a mean; nothing where the value is exact.
    errors = np.where(known, 0.0, blocks - means) / np.sqrt(len(blocks) * (len(blocks) - 1))
    deformed, noisy, delta = means.T
    constant = delta <= 1000 * EPS * energy
    with np.errstate(divide="ignore", invalid="ignore"):
        D, D_errors = _ratio(means, errors, 0, 2)
        G, G_errors = _ratio(means, errors, 1, 2)
        R, R_errors = _ratio(means, errors, 0, 1)
    del deformed
    D[constant] = G[constant] = np.nan
    R[noisy == 0] = np.nan
    _warn_of_constant(layers, constant)
    deviations = {"D": D_errors, "G": G_errors, "R": R_errors, "Delta": errors[..., 2]}
    stderrs = {f"{name}_stderr": np.sqrt(np.square(e).sum(axis=0)) for name, e in deviations.items()}
    return Sensitivities(
        layers=layers, D=D, G=G, R=R, Delta=delta, kind="theory", n_blocks=len(blocks), deviations=deviations,
        **stderrs, **fields,
    )  # fmt: skip


def _ratio(means: FloatArray, errors: FloatArray, top: int, bottom: int) -> tuple[FloatArray, FloatArray]:
    """Ratio of two columns, and what each block adds to its error, to first order."""
    ratio = means[:, top] / means[:, bottom]
    return ratio, (errors[..., top] - ratio * errors[..., bottom]) / means[:, bottom]


def _warn_of_constant(layers: tuple[str, ...], constant: NDArray[np.bool_]) -> None:
    names = [name for name, flag in zip(layers, constant, strict=True) if flag]
    if names:
        text = f"constant over the images (Delta <= 1000 eps E|f|^2), so D and G are NaN: {', '.join(names)}"
        warnings.warn(text, RuntimeWarning, stacklevel=4)
