"""Sums of one layer over draws: all that D, G, R and Delta and their standard errors are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.results.sketch import fold

__all__ = ["BlockSums"]


@dataclass(frozen=True, eq=False)
class BlockSums:
    """What B blocks of one layer add up to; C classes, activations of A numbers f, shifted to v = f - reference.

    Sums over all blocks are exact, so that sensitivities are; those of each block, from which standard errors come, are
    exact in the numerators, and have vectors in sketches of m numbers. For m = A, as small layers have it, nothing is
    lost; else the sketches stand in for a difference of a block's mean and the mean of all.

    Attributes
    ----------
    deformed, noisy : ndarray of float64, shape (B, C)
        Sums of |f(tau x) - f(x)|^2 and of |f(x + eta) - f(x)|^2.
    squares : ndarray of float64, shape (B, C)
        Sums of |v|^2; block by block where the reference has moved only as exact as the sketches, their total exact.
    totals : ndarray of float64, shape (C, A)
        Sums of v over all blocks.
    sketches : ndarray of float64, shape (B, C, m)
        Sums of v, each sketched by `scaledetect.results.sketch.fold`.
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
    totals: FloatArray
    sketches: FloatArray
    reference: FloatArray
    counts: NDArray[np.int64]
    deformed_events: int
    noisy_events: int
    eps: float

    @property
    def mean(self) -> FloatArray:
        """Mean activation, classes weighted alike; shape (A,)."""
        mean: FloatArray = self.reference + (self.totals / self.counts.sum(axis=0)[:, None]).mean(axis=0)
        return mean

    def shifted(self, reference: FloatArray) -> BlockSums:
        """The same sums about another reference."""
        copies = {name: getattr(self, name).copy() for name in ("squares", "totals", "sketches")}
        result = replace(self, reference=reference, **copies)
        result.shift(self.reference - reference)
        return result

    def shift(self, gap: FloatArray) -> None:
        """Change squares, totals and sketches, in their memory, to those about a reference lower by `gap`; it stays."""
        folded = fold(gap, self.sketches.shape[-1])
        numbers = self.counts.sum(axis=0)
        # Not by `@`: the threads of NumPy's BLAS wait actively for long after it, on the processors of a net between
        # whose layers this is done.
        moved = 2 * np.einsum("bcm,m->bc", self.sketches, folded) + self.counts * np.einsum("m,m->", folded, folded)
        # What the sketches miss of the total is known, and goes to all draws alike.
        missed = 2 * np.einsum("ca,a->c", self.totals, gap) + numbers * np.einsum("a,a->", gap, gap) - moved.sum(axis=0)
        squares, sketches = self.squares, self.sketches
        squares += moved + missed * (self.counts / numbers)
        for total, number in zip(self.totals, numbers, strict=True):
            total += number * gap
        sketches += self.counts[..., None] * folded

    def __add__(self, other: BlockSums) -> BlockSums:
        """Sums over the draws of both, which are different ones."""
        other = other.shifted(self.reference)
        added = ("deformed", "noisy", "squares", "totals", "sketches", "counts", "deformed_events", "noisy_events")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in added})
