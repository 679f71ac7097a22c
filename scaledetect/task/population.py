"""The population of a task: how many pairs each class has, and the tables that turn a rank into a pair.

For ``distance`` a *line* is the set of displacements that share the sizes (h_1 .. h_{d-1}) of all components but the
last; in it, a class is one interval of the size of the last component. Lines are all that is stored: O(L^(d-1)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_CLASS_SIZE", "BlockTable", "LineTable", "Population", "class_sizes", "rank_tables"]

Ints = NDArray[np.int64]

MAX_CLASS_SIZE = 2**63 - 1


class Population(NamedTuple):
    """The numbers that decide which pairs there are: tasks that differ in amplitude or noise share one population.

    The thresholds are 4 xi - 2 gap and 4 xi + 2 gap, integers.
    """

    dim: int
    size: int
    near_threshold: int
    far_threshold: int
    labelling: str
    norm: str
    periodic: bool


@dataclass(frozen=True, eq=False)
class LineTable:
    """Rank table of one ``distance`` class.

    Line l holds the ranks starts[l] .. starts[l+1]-1; `edges` is the largest last component (near) or the smallest
    (far); `guide[rank >> shift]` is the line of the first rank of that bucket.
    """

    size: int
    starts: Ints
    edges: Ints
    guide: NDArray[np.int32]
    shift: int


@dataclass(frozen=True, eq=False)
class BlockTable:
    """Rank table of one ``block`` class: part i, where axis i is the first to separate, begins at starts[i]."""

    size: int
    starts: Ints


@lru_cache(maxsize=256)
def class_sizes(population: Population) -> tuple[int, int]:
    """Number of unordered near and far pairs, exact Python integers."""
    dim, size, near_threshold, _, labelling, _, _ = population
    if labelling == "block":
        near_parts, far_parts = _block_parts(dim, size, near_threshold // 4)
        return sum(near_parts), sum(far_parts)
    near, far = (int(_line_counts(population, is_far)[1].sum()) for is_far in (False, True))
    return near, far


@lru_cache(maxsize=4)
def rank_tables(population: Population) -> tuple[LineTable, LineTable] | tuple[BlockTable, BlockTable]:
    """Tables of the near and the far class; kept for the last few populations asked for."""
    dim, size, near_threshold, _, labelling, _, _ = population
    if labelling == "block":
        near_parts, far_parts = _block_parts(dim, size, near_threshold // 4)
        return _block_table(near_parts), _block_table(far_parts)
    return _line_table(*_line_counts(population, False)), _line_table(*_line_counts(population, True))


# ---------------------------------------------------------------------- block


def _block_parts(dim: int, size: int, block: int) -> tuple[list[int], list[int]]:
    whole, rest = divmod(size, block)
    same = whole * block**2 + rest**2
    near = [size**i * ((same - size) // 2) * same ** (dim - 1 - i) for i in range(dim)]
    far = [same**i * ((size**2 - same) // 2) * size ** (2 * (dim - 1 - i)) for i in range(dim)]
    return near, far


def _block_table(parts: list[int]) -> BlockTable:
    starts = np.concatenate([[0], np.cumsum(np.array(parts, dtype=np.int64))])
    return BlockTable(size=sum(parts), starts=starts)


# ---------------------------------------------------------------------- distance


def _line_counts(population: Population, far: bool) -> tuple[Ints, NDArray[Any]]:
    """Edge and number of pairs of each line, in lexicographic order of (h_1 .. h_{d-1})."""
    dim, size, _, _, _, _, periodic = population
    longest = size // 2 if periodic else size - 1
    heads = _heads(dim, longest + 1)
    edges = _edges(population, heads, longest, far)
    low, high = (edges, np.full_like(edges, longest)) if far else (np.zeros_like(edges), edges)
    # Past the limit of int64 counts are summed as Python integers: only to say by how much they are past it.
    wide = size ** (2 * dim) // 2 > MAX_CLASS_SIZE
    kind = object if wide else np.int64
    count = _periodic_counts if periodic else _open_counts
    counts = count(size, dim, heads.astype(kind), low.astype(kind), high.astype(kind))
    return edges, counts


def _heads(dim: int, sides: int) -> Ints:
    """Sizes of the first d-1 components, shape (lines, d-1)."""
    if dim == 1:
        return np.zeros((1, 0), dtype=np.int64)
    lines = np.arange(sides ** (dim - 1))
    return lines[:, None] if dim == 2 else np.stack(np.divmod(lines, sides), axis=1)


def _edges(population: Population, heads: Ints, longest: int, far: bool) -> Ints:
    """Largest last component of near, or smallest of far, in -1..longest or 0..longest + 1."""
    _, _, near_threshold, far_threshold, _, norm, _ = population
    # In either class the question is the same: which t is the last below the threshold?
    threshold = far_threshold if far else near_threshold
    if heads.shape[1] == 0 or norm == "l1":
        below = np.maximum(-(-threshold // 4) - 1 - heads.sum(axis=1), -1)
    elif norm == "l2":
        below = _isqrt(-(-(threshold**2) // 16) - 1 - (heads**2).sum(axis=1))
    else:
        below = np.where(4 * heads.max(axis=1) < threshold, -(-threshold // 4) - 1, -1)
    below = np.minimum(below, longest)
    edges: Ints = below + 1 if far else below
    return edges


def _isqrt(values: Ints) -> Ints:
    """Integer square root, -1 for negative values."""
    root = np.sqrt(np.maximum(values, 0)).astype(np.int64)
    root -= root * root > values
    root += (root + 1) ** 2 <= values
    signed: Ints = np.where(values < 0, -1, root)
    return signed


def _open_counts(size: int, dim: int, heads: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    nonzero = (heads > 0).sum(axis=1)
    places = np.prod(size - heads, axis=1) * np.where(nonzero > 1, 2, 1)
    low = np.where(nonzero == 0, np.maximum(low, 1), low)
    plus = _trapezoid(size, low, high)
    minus = np.where(nonzero > 0, _trapezoid(size, np.maximum(low, 1), high), 0)
    return places * (plus + minus)  # type: ignore[no-any-return]


def _trapezoid(size: int, low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    """Sum of size - t over t in low..high."""
    rows, width = np.maximum(high - low + 1, 0), 2 * size - low - high
    # One of the two is even, unless there are no rows; halved first, their product stays below 2^63.
    count: NDArray[Any] = np.where(rows % 2 == 0, rows // 2 * width, rows * (width // 2))
    return count


def _periodic_counts(size: int, dim: int, heads: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    sites = size**dim
    signed = ((heads > 0) & (2 * heads != size)).sum(axis=1)
    nonzero = (heads > 0).any(axis=1)
    generic = np.maximum(np.minimum(high, (size - 1) // 2) - np.maximum(low, 1) + 1, 0)
    everywhere = high - low + 1 + generic
    zero = nonzero & (low == 0) & (high >= 0)
    half = (size % 2 == 0) & (low <= size // 2) & (high == size // 2)
    self_inverse = zero.astype(np.int64) + half.astype(np.int64)
    with_signs = everywhere * sites * np.where(signed > 1, 2, 1)
    counts: NDArray[Any] = np.where(signed > 0, with_signs, generic * sites + self_inverse * (sites // 2))
    return counts


def _line_table(edges: Ints, counts: NDArray[Any]) -> LineTable:
    starts = np.concatenate([[0], np.cumsum(counts.astype(np.int64))])
    size = int(starts[-1])
    # About two buckets a line: most searches end at the guide.
    shift = max(0, (size - 1).bit_length() - (2 * len(edges)).bit_length())
    # Unsigned: the bucket after the last may begin at 2^63.
    firsts = np.arange(((size - 1) >> shift) + 2, dtype=np.uint64) << np.uint64(shift)
    guide = np.searchsorted(starts, np.minimum(firsts, size - 1).astype(np.int64), side="right") - 1
    return LineTable(size=size, starts=starts, edges=edges, guide=guide.astype(np.int32), shift=shift)
