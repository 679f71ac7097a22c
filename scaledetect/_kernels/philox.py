"""Philox4x64-10, the counter-based generator of `numpy.random.Philox` (Salmon et al., SC'11): one block at a time."""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import inlined, kernel, mulhi, mulhilo

__all__ = ["draw_indices", "philox_block", "raw_blocks"]

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@inlined
def philox_block(counter, key0, key1):  # type: ignore[no-untyped-def]
    """The four words of block `counter` (its upper 192 bits zero)."""
    x0, x1, x2, x3 = counter, _ZERO, _ZERO, _ZERO
    k0, k1 = key0, key1
    for _ in range(10):
        high0, low0 = mulhilo(_M0, x0)
        high1, low1 = mulhilo(_M1, x2)
        x0, x1, x2, x3 = high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0
        k0 += _W0
        k1 += _W1
    return x0, x1, x2, x3


@kernel
def raw_blocks(counter, key0, key1, out):  # type: ignore[no-untyped-def]
    """Write consecutive blocks, from `counter` on, into `out` (n, 4)."""
    for i in range(len(out)):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = philox_block(counter + np.uint64(i), key0, key1)


@kernel
def draw_indices(sample, rows, key0, key1, bound, out):  # type: ignore[no-untyped-def]
    """out[i] in 0..bound-1 from block sample + rows[i] + 1: a 128-bit multiply-and-shift of its first two words."""
    for i in range(len(rows)):
        high, low, _, _ = philox_block(sample + np.uint64(rows[i]) + _ONE, key0, key1)
        top, middle = mulhilo(high, bound)
        out[i] = top + np.uint64(middle + mulhi(low, bound) < middle)
