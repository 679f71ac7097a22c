"""Receptive fields: the pixels each site of a layer sees, and what of a two-pixel image can fall among them.

The kernel between two images at a site depends on no more than the pixels of both in its window. Sites whose windows
are put together alike, from windows below that are alike, are of one type and share one table of kernels; away from a
wrap that strides do not divide, all sites of a layer are of one type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scaledetect.theory._pooling import window_starts

__all__ = ["Contents", "SiteLayer", "SiteType", "child_sites", "next_layer", "pixel_layer"]

IntArray = NDArray[np.int64]


class SiteType(NamedTuple):
    """How a window of `size` pixels is made of those of the sites below.

    `children` are the types of the sites a filter covers, one for each of its entries; `places`, shape (F^d, size), is
    where each pixel of the window lies in that child's, and that child's size where it does not.
    """

    size: int
    children: tuple[int, ...]
    places: IntArray


@dataclass(frozen=True, eq=False)
class SiteLayer:
    """The sites of a layer in row-major order: their side per axis, their types, and the pixels each sees, in order."""

    side: int
    types: list[SiteType]
    kinds: list[int]
    pixels: list[IntArray]


@dataclass(frozen=True, eq=False)
class Contents:
    """All a window of m pixels can show of an image: nothing, one pixel, two, or one pixel twice (where two met).

    They are numbered in this order: content c has its active pixels at places `first[c]` and `second[c]`, with m for
    none, and ``table[i, j]`` is the number of a content. The first `distinct` ones hold no pixel twice.
    """

    first: IntArray
    second: IntArray
    table: IntArray
    distinct: int

    @classmethod
    def of(cls, size: int) -> Contents:
        """The contents of a window of `size` pixels."""
        i, j = np.triu_indices(size, k=1)
        every, none = np.arange(size), np.full(size, size)
        first = np.concatenate([[size], every, i, every])
        second = np.concatenate([[size], none, j, every])
        table = np.empty((size + 1, size + 1), dtype=np.int64)
        table[first, second] = table[second, first] = np.arange(first.size)
        return cls(first, second, table, first.size - size)

    def __len__(self) -> int:
        return len(self.first)

    def seen_by(self, places: IntArray, child: Contents) -> IntArray:
        """Number of each content as a child sees it, which has the pixels at `places` of its window."""
        places = np.append(places, len(child.table) - 1)
        return np.asarray(child.table[places[self.first], places[self.second]])


def pixel_layer(size: int, dim: int) -> SiteLayer:
    """Layer 0: every pixel sees itself."""
    n = size**dim
    alone = SiteType(1, (), np.zeros((0, 1), dtype=np.int64))
    return SiteLayer(size, [alone], [0] * n, list(np.arange(n)[:, None]))


def child_sites(side: int, dim: int, filter_size: int, stride: int) -> IntArray:
    """Sites below each site, row-major, shape (n_sites, F^d): windows are circular, a site may come up repeatedly."""
    starts = window_starts(side, filter_size, stride)
    line = (starts[:, None] + np.arange(filter_size)) % side
    count = len(line)
    sites = np.zeros((count,) * dim + (filter_size,) * dim, dtype=np.int64)
    for axis in range(dim):
        shape = [1] * (2 * dim)
        shape[axis], shape[dim + axis] = line.shape
        sites = sites * side + line.reshape(shape)
    return sites.reshape(count**dim, filter_size**dim)


def next_layer(below: SiteLayer, dim: int, filter_size: int, stride: int, most_pixels: int) -> SiteLayer | None:
    """The layer above; None where a window has more than `most_pixels`."""
    n_pixels = max(int(pixels.max()) for pixels in below.pixels) + 1
    place = np.full(n_pixels, -1)
    types: dict[tuple[tuple[int, ...], bytes], int] = {}
    found: list[SiteType] = []
    kinds, windows = [], []
    for sites in child_sites(below.side, dim, filter_size, stride).tolist():
        seen = [below.pixels[site] for site in sites]
        pixels = _in_order(seen)
        if pixels.size > most_pixels:
            return None
        places = _places(pixels, seen, place)
        children = tuple(below.kinds[site] for site in sites)
        key = (children, places.tobytes())
        if key not in types:
            types[key] = len(found)
            found.append(SiteType(pixels.size, children, places))
        kinds.append(types[key])
        windows.append(pixels)
    return SiteLayer(-(-below.side // stride), found, kinds, windows)


def _in_order(seen: Sequence[IntArray]) -> IntArray:
    """The pixels of all children, in the order in which they come up first."""
    pixels, index = np.unique(np.concatenate(seen), return_index=True)
    return np.asarray(pixels[np.argsort(index)])


def _places(pixels: IntArray, seen: Sequence[IntArray], place: IntArray) -> IntArray:
    """Where each of `pixels` lies in each child's window, or that window's size; `place` is scratch, all -1."""
    rows = np.empty((len(seen), pixels.size), dtype=np.int64)
    for row, child in zip(rows, seen, strict=True):
        place[child] = np.arange(child.size)
        row[:] = place[pixels]
        row[row < 0] = child.size
        place[child] = -1
    return rows
