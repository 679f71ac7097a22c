"""Rendering of pairs: two active pixels on a background of zeros."""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import kernel

__all__ = ["add_pixels"]

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
