"""Random projections of long vectors that keep inner products: signs and folding (a count sketch)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray

__all__ = ["MOST_WIDTH", "fold", "random_signs", "sketch_width"]

KEY = 0x5343414C45444554
"""Of the signs. Sums that were saved are merged with later ones: it never changes."""

BUDGET = 2**16
"""Numbers that the sketches of one layer may take, over all sums."""

LEAST_WIDTH, MOST_WIDTH = 32, 1024


def sketch_width(length: int, sums: int) -> int:
    """Length m of the sketches of `sums` vectors of `length` numbers; equal to `length`, and exact, where that fits.

    The total is bounded, so more sums have shorter sketches.
    """
    return max(1, min(length, MOST_WIDTH, max(LEAST_WIDTH, BUDGET // sums)))


def random_signs(length: int) -> NDArray[np.int8]:
    """Independent fair signs, +1 and -1; shape (length,). The first ones are those of any smaller length."""
    # Rounded up to powers of two, so that the layers of a net share a few arrays.
    return _signs(max(64, 1 << (length - 1).bit_length()))[:length]


def fold(vectors: NDArray[np.floating[Any]], width: int) -> FloatArray:
    """Sketch vectors of A numbers, the last axis: times `random_signs`, and summed over columns equal modulo `width`.

    Linear. The expectation of <fold(x), fold(y)> over the signs is <x, y>, its variance at most
    2 |x|^2 |y|^2 / width where no column stands out; for width >= A the inner product is exact.
    Charikar, Chen, Farach-Colton, "Finding frequent items in data streams", Theor. Comput. Sci. 312 (2004) 3; we depart
    from it in the columns, which are taken in turn and not at random.
    """
    length = vectors.shape[-1]
    rows = -(-length // width)
    padded = np.zeros((*vectors.shape[:-1], rows * width))
    np.multiply(vectors, random_signs(length), out=padded[..., :length])
    folded: FloatArray = padded.reshape(*vectors.shape[:-1], rows, width).sum(axis=-2)
    return folded


@lru_cache(maxsize=64)
def _signs(length: int) -> NDArray[np.int8]:
    # The raw Philox stream, which NumPy guarantees.
    words = np.random.Philox(key=KEY).random_raw(length // 64).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    signs = 1 - 2 * bits.view(np.int8)
    signs.flags.writeable = False
    return signs
