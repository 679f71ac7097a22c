"""The keyed permutation of {0..n-1}: a generalised Feistel network with cycle walking (Black & Rogaway 2002).

`keys` is a tuple with two words a round, the second odd, so that numba specialises each kernel to the number of rounds.
"""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import kernel, mulhi

__all__ = ["permute_indices", "permute_range"]

_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)
_WORD = np.uint64(64)
_ONE = np.uint64(1)


@kernel
def _round_hash(x, add, multiply):  # type: ignore[no-untyped-def]
    x = (x + add) * _MIX
    x ^= x >> _HALF
    return x * multiply


@kernel
def _permute(index, n, sides, bits, keys):  # type: ignore[no-untyped-def]
    # The domain is sides * 2^bits >= n, in excess by less than 2^bits: the walk is one step almost always.
    down = _WORD - bits
    mask = (_ONE << bits) - _ONE
    while True:
        u = index >> bits
        v = index & mask
        for r in range(0, len(keys), 4):
            u += mulhi(_round_hash(v, keys[r], keys[r + 1]), sides)
            u = min(u, u - sides)  # u mod sides: below it the difference wraps to a huge number
            v ^= _round_hash(u, keys[r + 2], keys[r + 3]) >> down
        index = (u << bits) | v
        if index < n:
            return index


@kernel
def permute_range(start, step, n, sides, bits, keys, out):  # type: ignore[no-untyped-def]
    """out[i] = pi(start + i * step), step +1 or -1."""
    for i in range(out.shape[0]):
        out[i] = _permute(np.uint64(start + i * step), n, sides, bits, keys)


@kernel
def permute_indices(start, step, n, sides, bits, keys, out):  # type: ignore[no-untyped-def]
    """out[i] = pi(start + out[i] * step), in place."""
    for i in range(out.shape[0]):
        out[i] = _permute(np.uint64(start + np.int64(out[i]) * step), n, sides, bits, keys)
