"""Sums of a pair weight over the sites of two overlapping windows and of their overlap, by prefix sums.

A pair weight W(p, q) is held as seen from its first site: an array of shape (R, ..., R, I, ..., I) whose entry (r, i)
is W(i, i + r). The displacements r are taken modulo R = min(L, 4 F), which tells apart all that two overlapping windows
can hold; the sites i modulo L, or I = 1 for a weight that is invariant under translation.

Window A starts at i, window B a displacement delta further, and C is their overlap. All three are products over the
axes, so that every sum is done axis by axis; along an axis of a small ring C can be two intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray

__all__ = ["WindowPairs"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class WindowPairs:
    """Pairs of windows of side F <= L with a common site, on a ring of side L in each of d dimensions.

    Sums over A, B and C have shape (n, ..., n, I, ..., I), the first axes being those of `displacements`.
    """

    size: int
    filter_size: int
    dim: int

    @cached_property
    def displacements(self) -> IntArray:
        """Displacements of B from A along an axis, modulo L, shape (n,)."""
        side = np.arange(self.filter_size)
        return np.unique(np.concatenate([side, -side % self.size]))

    def opposite(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Number of the displacement opposite to that with number `place`, axis by axis."""
        n = self.displacements.size
        return tuple(-k % n for k in place)

    @property
    def site_displacements(self) -> IntArray:
        """The displacements r of a pair of sites, modulo L, in the order in which arrays hold them, shape (R,)."""
        ring = self._ring
        return (np.arange(ring) + ring // 2) % ring - ring // 2

    def first_sums(self, weights: FloatArray) -> FloatArray:
        """W(A, q) for the sites q = i + r, of the shape of `weights`."""
        for axis in range(self.dim):
            # As p moves on from i and q stays, r falls.
            weights = _sum_ahead(weights, self.filter_size, (axis, self.dim + axis), (-1, 1))
        return weights

    def both_sums(self, first_sums: FloatArray) -> FloatArray:
        """W(A, B), from W(A, q)."""
        behind = self.displacements >= self.filter_size
        places = np.where(behind, self.displacements - self.size, self.displacements) % self._ring
        for axis in range(self.dim):
            first_sums = _sum_ahead(first_sums, self.filter_size, (axis,), (1,)).take(places, axis)
        return first_sums

    def overlap_sums(self, values: FloatArray) -> FloatArray:
        """Sum over C of the values at sites i + r, given for r = 0 .. F-1 (or more) along the first d axes."""
        lower, upper = self._overlap(self.displacements)
        for axis in range(self.dim):
            window = values.take(range(self.filter_size), axis).cumsum(axis)
            prefix = np.concatenate([np.zeros_like(window.take([0], axis)), window], axis)
            values = prefix.take([-1], axis) - prefix.take(lower, axis) + prefix.take(upper, axis)
        return values

    def overlap_pair_sums(self, weights: FloatArray) -> FloatArray:
        """W(C, C)."""
        if weights.ndim == self.dim:
            return weights
        squares = self._squares(weights)
        return np.stack([self.overlap_pair_sums(self._overlap_square(squares, delta)) for delta in self.displacements])

    @property
    def _ring(self) -> int:
        return min(self.size, 4 * self.filter_size)

    def _overlap(self, delta: IntArray) -> tuple[IntArray, IntArray]:
        """C along an axis holds the sites i + r with lower <= r < F, and those with 0 <= r < upper."""
        return np.minimum(delta, self.filter_size), np.maximum(delta + self.filter_size - self.size, 0)

    def _squares(self, weights: FloatArray) -> list[FloatArray]:
        """Sums over p and q from m neighbouring sites of the first axis, m = 0 .. F: one axis r less than `weights`."""
        squares = [np.zeros_like(weights[0]), weights[0]]
        for m in range(1, self.filter_size):
            corners = weights[m] + self._moved(weights[-m], m)
            squares.append(squares[-1] + self._moved(squares[-1] - squares[-2], 1) + corners)
        return squares

    def _overlap_square(self, squares: list[FloatArray], delta: int) -> FloatArray:
        """Sum over p and q from C along the first axis."""
        side, size = self.filter_size, self.size
        lower, upper = (int(bound) for bound in self._overlap(np.array(delta)))
        total = self._moved(squares[side - lower], lower) + squares[upper]
        if upper == 0 or lower == side:
            return total
        # B is the two intervals and the gap between them: what is left of B without either holds p and q in both.
        cross = self._moved(squares[side] - squares[size - delta], delta)
        return total + cross + self._moved(squares[size - side] - squares[delta], side)

    def _moved(self, values: FloatArray, steps: int) -> FloatArray:
        """The values at the sites i + steps, of an array with one axis r less than there are axes left."""
        sites = values.shape[self.dim - 1]
        # np.roll takes three times as long on arrays of this size.
        return np.asarray(values.take(np.arange(steps, steps + sites) % sites, self.dim - 1))


def _sum_ahead(values: FloatArray, count: int, axes: tuple[int, ...], steps: tuple[int, ...]) -> FloatArray:
    """Sum over t = 0 .. count - 1 of the values t `steps` further along `axes`, by doubling."""
    if count == 1:
        return values

    def ahead(part: FloatArray, times: int) -> FloatArray:
        return np.roll(part, [-times * step for step in steps], axes)

    half = _sum_ahead(values, count // 2, axes, steps)
    total = half + ahead(half, count // 2)
    return values + ahead(total, 1) if count % 2 else total
