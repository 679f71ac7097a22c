"""Gaussian deviates from counter-based random words, by the method of Box and Muller."""

from __future__ import annotations

import math

import numpy as np

from scaledetect._kernels.jit import inlined, kernel
from scaledetect._kernels.philox import philox_block

__all__ = ["fill_normals"]

_ONE = np.uint64(1)
_DOWN = np.uint64(11)
_UNIT = 2.0**-53


@inlined
def _radius(word):  # type: ignore[no-untyped-def]
    # Of a number above 0 and at most 1.
    return math.sqrt(-2.0 * math.log((np.float64(word >> _DOWN) + 1.0) * _UNIT))


@inlined
def _angle(word):  # type: ignore[no-untyped-def]
    return 2.0 * math.pi * (np.float64(word >> _DOWN) * _UNIT)


@kernel
def fill_normals(sample, key0, key1, scale, out):  # type: ignore[no-untyped-def]
    """Write scale * N(0, 1) into `out` (n, N): Box-Muller of the blocks of sample, sample + 1, ..."""
    n, sites = out.shape
    blocks = (sites + 3) // 4
    for i in range(n):
        counter = (sample + np.uint64(i)) * np.uint64(blocks) + _ONE
        for b in range(blocks):
            words = philox_block(counter + np.uint64(b), key0, key1)
            for half in range(2):
                radius = scale * _radius(words[2 * half])
                angle = _angle(words[2 * half + 1])
                site = 4 * b + 2 * half
                if site < sites:
                    out[i, site] = radius * math.cos(angle)
                if site + 1 < sites:
                    out[i, site + 1] = radius * math.sin(angle)
