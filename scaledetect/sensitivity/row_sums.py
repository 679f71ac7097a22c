"""Sums over rows of activations: by compiled kernels on a CPU, by torch elsewhere."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from scaledetect._kernels import backend
from scaledetect._kernels.driver import for_chunks
from scaledetect.results.sketch import random_signs
from scaledetect.sensitivity.batching import Group

__all__ = ["KernelSums", "RowSums", "TorchSums", "row_sums_on"]

PIECE = 2**15
"""Columns that a thread takes at a time."""

WORTH_THREADS = 2**23
"""Activations of a batch below which threads cost more than they save: those of torch, which wait actively for some
milliseconds after a layer has run, hold the processors."""


class RowSums(Protocol):
    """What is summed over activations of shape (n, A), all of one type; shared by the layers of a net."""

    def squared_distances(self, ones: Tensor, other: Tensor) -> Tensor:
        """Sum of (one - other)^2 in each row of `ones`, several versions of `other` in turn; float64, shape (rows,)."""

    def add_shifted(
        self, versions: Tensor, n: int, reference: Tensor, group: Group, totals: Tensor, sketches: Tensor
    ) -> Tensor:
        """|v|^2 of v, the first `n` rows less `reference`, and squared distances from these of their further versions.

        One row for each version; float64, shape (versions, n). v is added to `totals`, float64, shape (C, A), which has
        a row for each class, in turn over the sums that `group` names; and to `sketches`, float64, shape (sums, m), a
        row for each of these sums; see `scaledetect.results.sketch.fold`.
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

    def add_shifted(
        self, versions: Tensor, n: int, reference: Tensor, group: Group, totals: Tensor, sketches: Tensor
    ) -> Tensor:
        """See `RowSums`."""
        rows, m = versions.numpy(), sketches.shape[1]
        width = rows.shape[1]
        piece = m * max(1, PIECE // m)
        pieces = -(-width // piece)
        # Each piece has sums of its own, added up in their order: so nothing depends on the number of threads.
        squares = np.zeros((pieces, len(rows)))
        folds = np.zeros((pieces, n // group.size, m), rows.dtype)
        constants = rows, n, reference.numpy(), random_signs(width), group.first, group.size
        target, kernel = totals.numpy(), backend().shifted_sums

        def work(first: int, last: int) -> None:
            for k in range(first, last):
                kernel(*constants, k * piece, min(k * piece + piece, width), squares[k], target, folds[k])

        for_chunks(work, pieces, chunk=1, least=_least(rows.size, pieces))
        sketches[group.first : group.first + folds.shape[1]] += torch.from_numpy(folds.sum(axis=0, dtype=np.float64))
        return torch.from_numpy(squares.sum(axis=0)).view(-1, n)


class TorchSums:
    """A chain of operations, for accelerators."""

    def __init__(self) -> None:
        self._memory = torch.empty(0)
        self._signs = torch.empty(0)

    def squared_distances(self, ones: Tensor, other: Tensor) -> Tensor:
        """See `RowSums`."""
        versions = self._difference(ones.view(-1, *other.shape), other)
        return _squared_norms(versions.flatten(0, 1))

    def add_shifted(
        self, versions: Tensor, n: int, reference: Tensor, group: Group, totals: Tensor, sketches: Tensor
    ) -> Tensor:
        """See `RowSums`."""
        rows = versions[:n]
        distances = self.squared_distances(versions[n:], rows)
        v = self._difference(rows, reference)
        squares = torch.cat([_squared_norms(v), distances]).view(-1, n)
        sums = v.view(-1, group.size, v.shape[1]).sum(dim=1) if group.size > 1 else v
        for c, total in enumerate(totals):
            total += sums[(c - group.first) % len(totals) :: len(totals)].sum(dim=0)
        m = sketches.shape[1]
        signed = sums * self._signs_for(v)
        folded = pad(signed, (0, -v.shape[1] % m)).view(len(sums), -1, m).sum(dim=1)
        sketches[group.first : group.first + len(sums)] += folded
        return squares

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
