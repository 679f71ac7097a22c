"""Sums over rows of activations: by compiled kernels on a CPU, by torch elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from scaledetect._kernels import backend
from scaledetect._kernels.driver import for_chunks
from scaledetect.results.sketch import random_signs
from scaledetect.sensitivity.batching import Group

__all__ = ["KernelSums", "RowSums", "Sums", "TorchSums", "row_sums_on"]

PIECE = 2**15
"""Columns that a thread takes at a time."""

WORTH_THREADS = 2**23
"""Activations of a batch below which threads cost more than they save: those of torch, which wait actively for some
milliseconds after a layer has run, hold the processors."""


@dataclass
class Sums:
    """What the rows of one layer add up to, on its device: C classes, whose cells take turns, activations of A numbers.

    Attributes
    ----------
    reference : Tensor
        Subtracted from the first version; of the type of the layer, shape (A,). `norm` is its length.
    rounding : float
        Times |v| + norm it is a distance below which two activations are equal.
    squares : Tensor
        Sums of |v|^2, then of squared distances of each further version from the first; float64, (versions, cells).
        Batches may have fewer versions.
    events : Tensor
        Rows of each version further away than rounding, none of the first; int64, (versions,).
    totals : Tensor
        Sums of v = f - reference by class; float64, (C, A).
    sketches : Tensor
        Sums of v by cell, folded as by `scaledetect.results.sketch.fold`; float64, (cells, m).
    """

    reference: Tensor
    norm: float
    rounding: float
    squares: Tensor
    events: Tensor
    totals: Tensor
    sketches: Tensor


class RowSums(Protocol):
    """What is summed over activations of shape (n, A), all of one type; shared by the layers of a net."""

    def squared_distances(self, ones: Tensor, other: Tensor) -> Tensor:
        """Sum of (one - other)^2 in each row of `ones`, several versions of `other` in turn; float64, shape (rows,)."""

    def add(self, versions: Tensor, n: int, group: Group, sums: Sums) -> Tensor:
        """Add `n` rows, and as many of each further version after them, to the cells that `group` names.

        Returns the distances, float64, shape (n,), below which another version of a row is equal to it.
        """


def row_sums_on(device: torch.device) -> RowSums:
    """The implementation for activations on `device`."""
    return KernelSums() if device.type == "cpu" else TorchSums()


class KernelSums:
    """One pass over the activations: several times as fast as a chain of operations on a CPU, whose limit is memory."""

    def squared_distances(self, ones: Tensor, other: Tensor) -> Tensor:
        """See `RowSums`."""
        x, y, out = ones.numpy(), other.numpy(), np.empty(len(ones))
        kernel, n = backend().squared_distances, len(y)

        def work(first: int, last: int) -> None:
            for start in range(0, len(x), n):
                kernel(x[start + first : start + last], y[first:last], out[start + first : start + last])

        for_chunks(work, n, least=_least(y.size, n))
        return torch.from_numpy(out)

    def add(self, versions: Tensor, n: int, group: Group, sums: Sums) -> Tensor:
        """See `RowSums`."""
        rows, m = versions.numpy(), sums.sketches.shape[1]
        width = rows.shape[1]
        piece = m * max(1, PIECE // m)
        pieces = -(-width // piece)
        # Each piece has sums of its own, added up in their order: so nothing depends on the number of threads.
        parts, limits = np.zeros((pieces, len(rows))), np.empty(n)
        folds = np.zeros((pieces, n // group.size, m), rows.dtype)
        constants = rows, n, sums.reference.numpy(), random_signs(width), group.first, group.size
        totals, kernels = sums.totals.numpy(), backend()

        def work(first: int, last: int) -> None:
            for k in range(first, last):
                columns = k * piece, min(k * piece + piece, width)
                kernels.shifted_sums(*constants, *columns, parts[k], totals, folds[k])

        for_chunks(work, pieces, chunk=1, least=_least(rows.size, pieces))
        targets = sums.squares.numpy(), sums.events.numpy(), sums.sketches.numpy(), limits
        kernels.settle_rows(parts, folds, group.first, group.size, sums.norm, sums.rounding, *targets)
        return torch.from_numpy(limits)


class TorchSums:
    """A chain of operations, for accelerators."""

    def __init__(self) -> None:
        self._memory = torch.empty(0)
        self._signs = torch.empty(0)

    def squared_distances(self, ones: Tensor, other: Tensor) -> Tensor:
        """See `RowSums`."""
        versions = self._difference(ones.view(-1, *other.shape), other)
        return _squared_norms(versions.flatten(0, 1))

    def add(self, versions: Tensor, n: int, group: Group, sums: Sums) -> Tensor:
        """See `RowSums`."""
        rows = versions[:n]
        distances = self.squared_distances(versions[n:], rows)
        v = self._difference(rows, sums.reference)
        squares = torch.cat([_squared_norms(v), distances]).view(-1, n)
        norms = squares.sqrt()
        limits: Tensor = sums.rounding * (norms[0] + sums.norm)
        group.add(sums.squares[: len(squares)], squares)
        sums.events[1 : len(squares)] += (norms[1:] > limits).sum(dim=1)
        cells = v.view(-1, group.size, v.shape[1]).sum(dim=1) if group.size > 1 else v
        classes = len(sums.totals)
        for c, total in enumerate(sums.totals):
            total += cells[(c - group.first) % classes :: classes].sum(dim=0)
        m = sums.sketches.shape[1]
        signed = cells * self._signs_for(v)
        folded = pad(signed, (0, -v.shape[1] % m)).view(len(cells), -1, m).sum(dim=1)
        sums.sketches[group.first : group.first + len(cells)] += folded
        return limits

    def _difference(self, one: Tensor, other: Tensor) -> Tensor:
        """`one` - `other`, in memory that the next call uses again."""
        memory = self._memory
        if memory.numel() < one.numel() or (memory.dtype, memory.device) != (one.dtype, one.device):
            self._memory = memory = one.new_empty(one.numel())
        return torch.sub(one, other, out=memory[: one.numel()].view(one.shape))

    def _signs_for(self, v: Tensor) -> Tensor:
        signs = self._signs
        if signs.numel() < v.shape[1] or (signs.dtype, signs.device) != (v.dtype, v.device):
            self._signs = signs = torch.from_numpy(random_signs(v.shape[1]).copy()).to(v)
        return signs[: v.shape[1]]


def _least(numbers: int, rows: int) -> int:
    """Rows from which on threads pay, when there are `rows` of `numbers` altogether."""
    return rows if numbers >= WORTH_THREADS else rows + 1


def _squared_norms(v: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(v, dim=1)
    return norms.double().square_()
