"""The class-balanced ensemble as one window sees it: probabilities of its contents, before and after the shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.task.task import Task
from scaledetect.theory._ensemble import degrees, pair_weights, transition
from scaledetect.theory.initialisation.windows import Contents, SiteLayer

__all__ = ["MovingPairs", "Transitions", "site_groups"]
IntArray = NDArray[np.int64]


class Transitions(NamedTuple):
    """Contents of a window before and after the shift that differ, with their probabilities; each of shape (n,)."""

    before: IntArray
    after: IntArray
    probability: FloatArray


@dataclass(frozen=True, eq=False)
class MovingPairs:
    """Probabilities over the exact ensemble: of pairs, shape (N, N), and of each pixel's moves, shape (N, moves)."""

    weights: FloatArray
    degrees: FloatArray
    targets: IntArray
    probabilities: FloatArray

    @classmethod
    def of(cls, task: Task) -> MovingPairs:
        """The ensemble of a task; it takes 8 N^2 bytes."""
        weights = pair_weights(task)
        shift = transition(task)
        shift.sum_duplicates()
        counts = np.diff(shift.indptr)
        row = np.repeat(np.arange(task.n_sites), counts)
        column = np.arange(shift.nnz) - np.repeat(shift.indptr[:-1], counts)
        targets = np.tile(np.arange(task.n_sites)[:, None], counts.max())
        probabilities = np.zeros(targets.shape)
        targets[row, column], probabilities[row, column] = shift.indices, shift.data
        return cls(weights, degrees(weights), targets, probabilities)

    def contents(self, window: IntArray, contents: Contents) -> FloatArray:
        """Probability of each of the distinct contents of a window, in their order; they add up to 1."""
        inside = self.weights[np.ix_(window, window)]
        alone = self.degrees[window] - inside.sum(axis=1)
        n = contents.distinct
        pairs = inside[contents.first[1 + window.size : n], contents.second[1 + window.size : n]]
        return np.concatenate([[1 - alone.sum() - pairs.sum()], alone, pairs])

    def transitions(self, window: IntArray, contents: Contents) -> Transitions:
        """What the window shows before and after both pixels have moved, where that differs."""
        near = np.unique(np.concatenate([window, self.targets[window].ravel()]))
        place = np.full(len(self.degrees), window.size)
        place[window] = np.arange(window.size)
        here, there, moved = place[near], place[self.targets[near]], self.probabilities[near]
        pairs = self.weights[np.ix_(near, near)]
        alone = self.degrees[near] - pairs.sum(axis=1)
        i, j = np.nonzero(np.triu(pairs, k=1))
        table, none = contents.table, window.size
        single = _changed(table[here, none][:, None], table[there, none], alone[:, None] * moved)
        both = _changed(
            table[here[i], here[j]][:, None, None],
            table[there[i][:, :, None], there[j][:, None, :]],
            pairs[i, j][:, None, None] * moved[i][:, :, None] * moved[j][:, None, :],
        )
        return Transitions(*(np.concatenate(parts) for parts in zip(single, both, strict=True)))

    def transitions_of(self, size: int) -> int:
        """Number of transitions of a window of `size` pixels, roughly: pairs in it or next to it, moved in all ways."""
        moves = int(self.targets.shape[1])
        return (size + moves) ** 2 // 2 * moves**2


def _changed(before: IntArray, after: IntArray, probability: FloatArray) -> Transitions:
    before = np.broadcast_to(before, after.shape)
    kept = (before != after) & (probability > 0)
    return Transitions(before[kept], after[kept], probability[kept])


def site_groups(task: Task, layer: SiteLayer) -> list[tuple[int, int]]:
    """(a site, how many are like it): sites that a symmetry of the task maps on each other count once.

    Translations are symmetries of periodic distance tasks, translations by a block of blocks that fill the lattice.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for site, (kind, window) in enumerate(zip(layer.kinds, layer.pixels, strict=True)):
        coordinates = np.stack(np.unravel_index(window, task.shape))
        origin = coordinates[:, :1]
        anchor = origin % _period(task)
        key = (kind, ((coordinates - origin) % task.size).tobytes(), anchor.tobytes())
        groups.setdefault(key, [site, 0])[1] += 1
    return [(site, count) for site, count in groups.values()]


def _period(task: Task) -> int:
    """Translations by this many pixels along an axis leave the task and its shift as they are."""
    if task.labelling == "block":
        side = int(task.xi)
        return side if task.size % side == 0 else task.size
    return 1 if task.periodic else task.size
