"""D and Delta without sampling: sums over all that the window of a site can show of the images, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.task.task import Task
from scaledetect.theory.initialisation.moving_pairs import MovingPairs, site_groups
from scaledetect.theory.initialisation.rectified import rectified_gap
from scaledetect.theory.initialisation.wide_net import WideLayer, WideNet
from scaledetect.theory.initialisation.windows import Contents, SiteLayer, SiteType, next_layer, pixel_layer

__all__ = ["MOST_SITES", "ExactSums", "exact_sums"]
IntArray = NDArray[np.int64]

MOST_SITES = 4096
"""Sites N of an image beyond which nothing is enumerated: the probabilities of all pairs take 8 N^2 bytes."""

MOST_PIXELS = 512
"""Pixels in a window beyond which neither sum has ever been feasible."""

MOST_STORED = 20_000_000
"""Kernels of one layer, all its types together, that are kept for the next."""

MOST_STEPS = 400_000_000
"""Additions and kernels for one layer, about 3 ns each, beyond which it is left to Monte Carlo."""

KERNEL_STEPS = 10
"""What a kernel costs, in additions."""

CHUNK = 1 << 15
"""Kernels worked out at a time."""

Groups = list[tuple[int, int]]
"""(a site, how many are like it)."""


@dataclass(frozen=True, eq=False)
class ExactSums:
    """Numerator of D and the normalisation, sums over sites per channel, each of shape (K,); NaN where not feasible."""

    shift: FloatArray
    delta: FloatArray


@dataclass(frozen=True, eq=False)
class _Table:
    """Of one type of sites: contents of the window, E h^2 of each, and E (h - h')^2 / 2 of all pairs of them."""

    contents: Contents
    square: FloatArray
    gaps: FloatArray


@dataclass(frozen=True, eq=False)
class _Kernels:
    """Of one type of sites, any pair of contents on demand: `seen` are the contents as each child sees them."""

    contents: Contents
    root: FloatArray
    gain: float
    seen: list[IntArray]
    below: list[_Table]

    @classmethod
    def of(cls, kind: SiteType, tables: Sequence[_Table], layer: WideLayer) -> _Kernels:
        contents, below = Contents.of(kind.size), [tables[child] for child in kind.children]
        seen = [contents.seen_by(p, one.contents) for p, one in zip(kind.places, below, strict=True)]
        second = 1 + sum(one.square[s] for one, s in zip(below, seen, strict=True)) / len(below)
        return cls(contents, np.sqrt(second), layer.squared_gain, seen, below)

    def gaps(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """E (h - h')^2 / 2 of the contents `rows` and `columns`, which broadcast."""
        total: FloatArray | float = 0.0
        for seen, one in zip(self.seen, self.below, strict=True):
            total = total + one.gaps[seen[rows], seen[columns]]
        gap = rectified_gap(self.root[rows], self.root[columns], np.asarray(total) / len(self.below))
        return np.asarray(self.gain * gap)

    @property
    def steps(self) -> int:
        """Cost of one pair."""
        return len(self.below) + KERNEL_STEPS


def exact_sums(task: Task, net: WideNet) -> ExactSums:
    """The sums of every layer whose enumeration is feasible."""
    shift, delta = np.full((2, net.pooling.depth), np.nan)
    if task.n_sites > MOST_SITES or task.background_noise > 0:
        return ExactSums(shift, delta)
    pairs = MovingPairs.of(task)
    sites, tables = pixel_layer(task.size, task.dim), [_pixel_table(task.pixel_value)]
    for k, layer in enumerate(net.layers):
        above = next_layer(sites, task.dim, layer.filter_size, layer.stride, MOST_PIXELS)
        if above is None:
            break
        kernels = [_Kernels.of(kind, tables, layer) for kind in above.types]
        groups = site_groups(task, above)
        if _shift_steps(pairs, above, groups, kernels) <= MOST_STEPS:
            shift[k] = sum(count * _shift_sum(pairs, above.pixels[i], kernels[above.kinds[i]]) for i, count in groups)
        if _delta_steps(above, groups, kernels) > MOST_STEPS:
            break
        keep = k + 1 < net.pooling.depth and sum(len(one.contents) ** 2 for one in kernels) <= MOST_STORED
        parts = [
            _delta_sum(one, *_contents_of_sites(pairs, above, groups, kind, one.contents), keep=keep)
            for kind, one in enumerate(kernels)
        ]
        delta[k] = sum(part for part, _ in parts)
        tables = [table for _, table in parts if table is not None]
        if not keep:
            break
        sites = above
    return ExactSums(shift, delta)


def _pixel_table(value: float) -> _Table:
    """Layer 0: a pixel is 0, the value of an active pixel, or twice that."""
    values = value * np.array([0.0, 1.0, 2.0])
    return _Table(Contents.of(1), np.square(values), 0.5 * np.square(values[:, None] - values))


# ---------------------------------------------------------------------- D


def _shift_sum(pairs: MovingPairs, window: IntArray, kernels: _Kernels) -> float:
    """E (h(x) - h(tau x))^2 at the site that sees `window`."""
    moved = pairs.transitions(window, kernels.contents)
    total = 0.0
    for start in range(0, len(moved.before), CHUNK):
        part = slice(start, start + CHUNK)
        total += float(moved.probability[part] @ kernels.gaps(moved.before[part], moved.after[part]))
    return 2 * total


def _shift_steps(pairs: MovingPairs, layer: SiteLayer, groups: Groups, kernels: Sequence[_Kernels]) -> int:
    kinds = [layer.kinds[site] for site, _ in groups]
    return sum(pairs.transitions_of(layer.types[kind].size) * kernels[kind].steps for kind in kinds)


# ---------------------------------------------------------------------- Delta


def _contents_of_sites(
    pairs: MovingPairs, layer: SiteLayer, groups: Groups, kind: int, contents: Contents
) -> tuple[FloatArray, FloatArray]:
    """Probabilities of contents at the sites of a type, shape (n, distinct contents), and how many sites are alike."""
    own = [(site, count) for site, count in groups if layer.kinds[site] == kind]
    rows = [pairs.contents(layer.pixels[site], contents) for site, _ in own]
    return np.array(rows), np.array([count for _, count in own], dtype=np.float64)


def _delta_sum(
    kernels: _Kernels, probability: FloatArray, count: FloatArray, *, keep: bool
) -> tuple[float, _Table | None]:
    """Sum over sites of E (h(x1) - h(x2))^2, x1 and x2 independent; and the table of all pairs, if it is to be kept."""
    n = len(kernels.contents)
    stored = np.empty((n, n)) if keep else None
    last = n if keep else kernels.contents.distinct
    weights = np.zeros((len(count), n))
    weights[:, : kernels.contents.distinct] = probability
    total = 0.0
    step = max(1, CHUNK // last)
    for start in range(0, last, step):
        stop = min(start + step, last)
        # Pairs are alike both ways: columns on the right of the diagonal block count twice.
        gaps = kernels.gaps(np.arange(start, stop)[:, None], np.arange(start, last))
        twice = 2 * weights[:, start:last]
        twice[:, : stop - start] /= 2
        total += float(count @ np.einsum("qr,rq->q", weights[:, start:stop], gaps @ twice.T))
        if stored is not None:
            stored[start:stop, start:] = gaps
            stored[start:, start:stop] = gaps.T
    table = None if stored is None else _Table(kernels.contents, kernels.gain / 2 * np.square(kernels.root), stored)
    return 2 * total, table


def _delta_steps(layer: SiteLayer, groups: Groups, kernels: Sequence[_Kernels]) -> int:
    pairs = [len(one.contents) ** 2 // 2 for one in kernels]
    products = sum(pairs[layer.kinds[site]] // 4 for site, _ in groups)
    return products + sum(n * one.steps for n, one in zip(pairs, kernels, strict=True))
