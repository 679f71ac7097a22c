"""Scatter of one net of finite width about the theory of infinite width: the half-width of a band in a figure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import at_least_one

__all__ = ["one_net_scatter"]

FIRST, STEP = 0.5, 0.22
"""c at layer 1, and what each further layer adds: measured, it grows from 0.5 to 1.6 over six layers."""


def one_net_scatter(depth: int, width: int) -> NDArray[np.float64]:
    """Relative standard deviation of D_k or G_k of one untrained `PoolingNet` about `at_initialisation`.

    Parameters
    ----------
    depth : int
        Number of layers K.
    width : int
        Channels H of every layer.

    Returns
    -------
    ndarray of float64, shape (K,)
        c_k / sqrt(H), c_k = 0.5 + 0.22 (k - 1): a rule for single channels, for bands in figures and not for tests.
        Forty nets of width 128 on the periodic task of L = 64, xi = 16 with F = s = 2 had c from 0.5 to 1.6 for G and
        from 0.5 to 0.9 for D over six layers; beyond them it is an extrapolation.

    Examples
    --------
    >>> from scaledetect import theory
    >>> theory.one_net_scatter(6, 100).round(3)
    array([0.05 , 0.072, 0.094, 0.116, 0.138, 0.16 ])
    """
    layers = np.arange(at_least_one("depth", depth))
    return np.asarray((FIRST + STEP * layers) / np.sqrt(at_least_one("width", width)))
