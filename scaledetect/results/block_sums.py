"""Sums of one layer over draws: all that D, G, R and Delta are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray

__all__ = ["BlockSums"]


@dataclass(frozen=True, eq=False)
class BlockSums:
    """What B blocks of one layer add up to; C classes, activations of A numbers f, shifted to v = f - reference.

    Attributes
    ----------
    deformed, noisy : ndarray of float64, shape (B, C)
        Sums of |f(tau x) - f(x)|^2 and of |f(x + eta) - f(x)|^2.
    squares : ndarray of float64, shape (B, C)
        Sums of |v|^2.
    vectors : ndarray of float64, shape (B, C, A)
        Sums of v.
    reference : ndarray of float64, shape (A,)
    counts : ndarray of int64, shape (B, C)
        Draws in each sum.
    deformed_events, noisy_events : int
        Draws that contributed other than 0 and its rounding.
    eps : float
        Spacing of the layer's floating type at 1.
    """

    deformed: FloatArray
    noisy: FloatArray
    squares: FloatArray
    vectors: FloatArray
    reference: FloatArray
    counts: NDArray[np.int64]
    deformed_events: int
    noisy_events: int
    eps: float

    def shifted(self, reference: FloatArray) -> BlockSums:
        """The same sums about another reference."""
        gap = self.reference - reference
        counts = self.counts[..., None]
        vectors = self.vectors + counts * gap
        squares = self.squares + 2 * self.vectors @ gap + self.counts * (gap @ gap)
        return replace(self, vectors=vectors, squares=squares, reference=reference)

    def __add__(self, other: BlockSums) -> BlockSums:
        """Sums over the draws of both, which are different ones."""
        other = other.shifted(self.reference)
        added = ("deformed", "noisy", "squares", "vectors", "counts", "deformed_events", "noisy_events")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in added})
