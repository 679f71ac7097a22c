"""Rendering of pairs, background noise, and the schedule of classes in their natural proportion."""

from __future__ import annotations

import math

import numpy as np

from scaledetect._kernels.jit import kernel
from scaledetect._kernels.philox import philox_block

__all__ = ["add_pixels", "fill_normals", "spread_labels"]

_ONE = np.uint64(1)
_DOWN = np.uint64(11)
_SLAB = 1 << 14
"""Pixels filled at a time."""


@kernel
def add_pixels(pairs, value, images):  # type: ignore[no-untyped-def]
    """Zero `images` (n, N) and add `value` at both pixels of each pair (n, 2, d)."""
    n, dim = pairs.shape[0], pairs.shape[2]
    sites = images.shape[1]
    side = sites if dim == 1 else np.int64(round(sites ** (1.0 / dim)))
    flat = images.reshape(n * sites)
    rows = max(1, _SLAB // sites)
    for first in range(0, n, rows):
        # The pixels of a slab are set while it is still in the cache, so each byte goes to memory once.
        last = min(first + rows, n)
        flat[first * sites : last * sites] = 0
        for i in range(first, last):
            for pixel in range(2):
                site = pairs[i, pixel, 0]
                for axis in range(1, dim):
                    site = site * side + pairs[i, pixel, axis]
                flat[i * sites + site] += value


@kernel
def fill_normals(sample, key0, key1, scale, out):  # type: ignore[no-untyped-def]
    """Write scale * N(0, 1) into `out` (n, N): Box-Muller of the blocks of sample, sample + 1, ..."""
    n, sites = out.shape
    blocks = (sites + 3) // 4
    unit = 2.0**-53
    for i in range(n):
        counter = (sample + np.uint64(i)) * np.uint64(blocks) + _ONE
        for b in range(blocks):
            words = philox_block(counter + np.uint64(b), key0, key1)
            for half in range(2):
                radius = scale * math.sqrt(-2.0 * math.log((np.float64(words[2 * half] >> _DOWN) + 1.0) * unit))
                angle = 2.0 * math.pi * (np.float64(words[2 * half + 1] >> _DOWN) * unit)
                site = 4 * b + 2 * half
                if site < sites:
                    out[i, site] = radius * math.cos(angle)
                if site + 1 < sites:
                    out[i, site + 1] = radius * math.sin(angle)


@kernel
def spread_labels(residue, near, total, labels):  # type: ignore[no-untyped-def]
    """+1 where the running product j * near passes a multiple of total, else -1; residue = start * near mod total."""
    for j in range(labels.shape[0]):
        if residue >= total - near:
            residue -= total - near
            labels[j] = 1
        else:
            residue += near
            labels[j] = -1
