"""Sections 2 and 3: keys, blocks of random words, and the permutation of a class."""

from __future__ import annotations

import hashlib
import json
import struct
from functools import lru_cache

from naive.population import Spec

WORD = 2**64


def key_text(task: Spec, seed: int, cls: str | None, purpose: str) -> str:
    fields = {
        "class": cls,
        "dim": task.dim,
        "size": task.size,
        "gap_doubled": task.gap2,
        "xi_doubled": task.xi2,
        "labelling": task.labelling,
        "norm": task.canonical_norm,
        "periodic": task.canonical_periodic,
        "purpose": purpose,
        "seed": seed,
        "stream": 1,
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def key(task: Spec, seed: int, cls: str | None, purpose: str) -> bytes:
    return hashlib.sha256(key_text(task, seed, cls, purpose).encode("ascii")).digest()[:16]


def philox_block(key: bytes, m: int) -> tuple[int, int, int, int]:
    """Philox4x64-10 (Salmon et al. 2011) at the counter (m, 0, 0, 0)."""
    k0, k1 = struct.unpack("<QQ", key)
    x0, x1, x2, x3 = m, 0, 0, 0
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * x0, 0xCA5A826395121157 * x2
        x0, x1, x2, x3 = (right // WORD) ^ x1 ^ k0, right % WORD, (left // WORD) ^ x3 ^ k1, left % WORD
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % WORD, (k1 + 0xBB67AE8584CAA73B) % WORD
    return x0, x1, x2, x3


# Section 3: the permutation of a class.


@lru_cache(maxsize=4096)
def round_words(key: bytes, rounds: int) -> tuple[tuple[int, int], ...]:
    """The halves a_i and b_i of the word of every round."""
    words = [w for block in range(1, -(-rounds // 4) + 1) for w in philox_block(key, block)]
    return tuple((w % 2**32, w // 2**32) for w in words[:rounds])


def fold32(y: int) -> int:
    return (y ^ (y >> 32)) % 2**32


def permute(x: int, n: int, key: bytes) -> int:
    bits = max(1, ((n - 1).bit_length() + 1) // 2)
    sides = -(-n // 2**bits)
    words = round_words(key, 24 if n < 1024 else 8)

    def scramble(value: int, i: int) -> int:
        a, b = words[i]
        value = fold32((value ^ a) * 0xD2511F53)
        return fold32((value ^ b) * 0xCD9E8D57)

    while True:
        u, v = x >> bits, x % 2**bits
        for i in range(0, len(words), 2):
            u = (u + (scramble(v, i) * sides >> 32)) % sides
            v ^= scramble(u, i + 1) >> (32 - bits)
        x = u * 2**bits + v
        if x < n:
            return x
