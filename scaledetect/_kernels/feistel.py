"""Order of a sample: the keyed permutation of {0..n-1} (Black & Rogaway 2002), and labels in natural proportion.

The permutation is a generalised Feistel network with cycle walking.

`keys` is a tuple with one word a round, so that numba specialises each kernel to the number of rounds. Both parts of an
index have at most 32 bits, and so have all factors: the loops over samples compile to vector instructions, which is why
the rare indices that have to walk do so in a loop of their own.
"""

from __future__ import annotations

import numpy as np

from scaledetect._kernels.jit import inlined, kernel

__all__ = [
    "permute_indices",
    "permute_range",
    "spread_labels",
]


_MIX0 = np.uint64(0xD2511F53)
_MIX1 = np.uint64(0xCD9E8D57)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)


@inlined
def _round_hash(x, key):  # type: ignore[no-untyped-def]
    x = ((x ^ key) & _LOW) * _MIX0
    x ^= x >> _HALF
    x = ((x ^ (key >> _HALF)) & _LOW) * _MIX1
    return (x ^ (x >> _HALF)) & _LOW


@inlined
def _two_rounds(u, v, key, next_key, sides, down):  # type: ignore[no-untyped-def]
    u += (_round_hash(v, key) * (sides & _LOW)) >> _HALF
    u = min(u, u - sides)  # u mod sides: below it the difference wraps to a huge number
    return u, v ^ (_round_hash(u, next_key) >> down)


@inlined
def _network(index, sides, bits, keys):  # type: ignore[no-untyped-def]
    down = _HALF - bits
    u = index >> bits
    v = index & ((_ONE << bits) - _ONE)
    # Written out: the compiler does not unroll this loop early enough to make vector instructions of it.
    u, v = _two_rounds(u, v, keys[0], keys[1], sides, down)
    u, v = _two_rounds(u, v, keys[2], keys[3], sides, down)
    u, v = _two_rounds(u, v, keys[4], keys[5], sides, down)
    u, v = _two_rounds(u, v, keys[6], keys[7], sides, down)
    for r in range(8, len(keys), 2):
        u, v = _two_rounds(u, v, keys[r], keys[r + 1], sides, down)
    return (u << bits) | v


@kernel
def _walk(n, sides, bits, keys, out):  # type: ignore[no-untyped-def]
    # The domain is sides * 2^bits >= n, in excess by less than 2^bits: few indices land beyond n.
    for i in range(len(out)):
        while out[i] >= n:
            out[i] = _network(out[i], sides, bits, keys)


@kernel
def permute_range(start, step, n, sides, bits, keys, out):  # type: ignore[no-untyped-def]
    """out[i] = pi(start + i * step), step +1 or -1."""
    for i in range(len(out)):
        out[i] = _network(np.uint64(start + i * step), sides, bits, keys)
    _walk(n, sides, bits, keys, out)


@kernel
def permute_indices(start, step, n, sides, bits, keys, out):  # type: ignore[no-untyped-def]
    """out[i] = pi(start + out[i] * step), in place."""
    for i in range(len(out)):
        out[i] = _network(np.uint64(start + np.int64(out[i]) * step), sides, bits, keys)
    _walk(n, sides, bits, keys, out)


@kernel
def spread_labels(residue, near, total, labels):  # type: ignore[no-untyped-def]
    """+1 where the running product j * near passes a multiple of total, else -1; residue = start * near mod total."""
    for j in range(len(labels)):
        if residue >= total - near:
            residue -= total - near
            labels[j] = 1
        else:
            residue += near
            labels[j] = -1
