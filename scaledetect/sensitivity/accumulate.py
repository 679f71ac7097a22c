"""Stream the activations of one layer into block sums: no activation outlives its batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect.sensitivity.batching import Rows

__all__ = ["BlockSums", "LayerSums"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BlockSums:
    """What B blocks of one layer add up to; C classes, activations of A numbers f, shifted to v = f - reference.

    Attributes
    ----------
    deformed, noisy : ndarray of float64, shape (B, C)
        Sums of |f(tau x) - f(x)|^2 and of |f(x + eta) - f(x)|^2.
    squares : ndarray of float64, shape (B, C)
        Sums of |v|^2.
    vectors : ndarray of float32 or float64, shape (B, C, A)
        Sums of v.
    reference : ndarray of float64, shape (A,)
    n_per_sum : int
        Draws in each sum.
    deformed_events, noisy_events : int
        Draws that contributed other than 0.
    eps : float
        Spacing of the layer's floating type at 1.
    """

    deformed: FloatArray
    noisy: FloatArray
    squares: FloatArray
    vectors: NDArray[np.floating]
    reference: FloatArray
    n_per_sum: int
    deformed_events: int
    noisy_events: int
    eps: float


class LayerSums:
    """Accumulates one layer over batches whose rows go through the classes in turn.

    For each batch call `clean`, then `deformed` and `noisy`. Sums within a batch are taken in the layer's dtype
    (float32 where that is coarser), sums across batches in float64. Activations are shifted by a reference, the mean of
    the first batch: squares of a layer whose mean dwarfs its fluctuations would cancel.

    Memory: 2 B A numbers for B blocks, two classes and activations of A numbers, kept on the host as float32 (float64
    for layers in float64), besides one batch of activations.
    """

    def __init__(self, *, blocks: int, classes: int, block_size: int, channel_mean: bool) -> None:
        self._blocks, self._classes, self._block_size = blocks, classes, block_size
        self._channel_mean = channel_mean
        self._started = False

    def clean(self, activation: Tensor, rows: Rows) -> None:
        """Add f(x) to the normalisation, and keep it for the two perturbed versions of the batch."""
        # A copy: what runs next may work in place.
        f = self._flat(activation).clone()
        if not self._started:
            self._allocate(f, activation.dtype)
        self._f = f
        v = f - self._reference
        _add(self._squares, _squared_norms(v), rows)
        sums = v.view(rows.blocks, -1, self._classes, v.shape[1]).sum(dim=1)
        if rows.blocks == 1:
            sums = self._running.add_(sums[0])
        if rows.last:
            self._vectors[rows.first : rows.first + rows.blocks] = sums.cpu()
            self._running.zero_()

    def deformed(self, activation: Tensor, rows: Rows) -> None:
        """Add |f(tau x) - f(x)|^2."""
        self._deformed_events += self._difference(self._deformed, activation, rows)

    def noisy(self, activation: Tensor, rows: Rows) -> None:
        """Add |f(x + eta) - f(x)|^2, and let go of f(x)."""
        self._noisy_events += self._difference(self._noisy, activation, rows)
        del self._f

    def finish(self) -> BlockSums:
        """The sums, on the host."""
        return BlockSums(
            deformed=self._deformed.cpu().numpy(),
            noisy=self._noisy.cpu().numpy(),
            squares=self._squares.cpu().numpy(),
            vectors=self._vectors.numpy(),
            reference=self._reference.double().cpu().numpy(),
            n_per_sum=self._block_size // self._classes,
            deformed_events=int(self._deformed_events),
            noisy_events=int(self._noisy_events),
            eps=self._eps,
        )

    def _allocate(self, f: Tensor, dtype: torch.dtype) -> None:
        self._started = True
        self._reference = f.mean(dim=0)
        self._eps = torch.finfo(dtype).eps
        sums = [f.new_zeros((self._blocks, self._classes), dtype=torch.float64) for _ in range(3)]
        self._squares, self._deformed, self._noisy = sums
        self._deformed_events, self._noisy_events = (f.new_zeros((), dtype=torch.int64) for _ in range(2))
        self._running = f.new_zeros((self._classes, f.shape[1]), dtype=torch.float64)
        self._vectors = torch.zeros((self._blocks, self._classes, f.shape[1]), dtype=f.dtype)

    def _flat(self, activation: Tensor) -> Tensor:
        if self._channel_mean and activation.ndim > 1:
            activation = activation.mean(dim=1)
        if activation.dtype not in (torch.float32, torch.float64):
            activation = activation.float()
        return activation.reshape(len(activation), -1)

    def _difference(self, total: Tensor, activation: Tensor, rows: Rows) -> Tensor:
        squares = _squared_norms(self._flat(activation) - self._f)
        _add(total, squares, rows)
        return (squares > 0).sum()


def _squared_norms(v: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(v, dim=1)
    return norms.double().square_()


def _add(total: Tensor, per_row: Tensor, rows: Rows) -> None:
    sums = per_row.view(rows.blocks, -1, total.shape[1]).sum(dim=1)
    total[rows.first : rows.first + rows.blocks] += sums
