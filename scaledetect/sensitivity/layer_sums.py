"""Running sums of one layer over the draws: no activation outlives its batch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect.results import BlockSums
from scaledetect.sensitivity.batching import Group

__all__ = ["LayerSums", "Scratch"]

ROUNDINGS = 16
"""Two activations that should be equal differ by fewer spacings of their norm than this."""


class Scratch:
    """Memory for differences, shared by all layers: fresh memory for each would cost more than filling it."""

    def __init__(self) -> None:
        self._memory: Tensor | None = None

    def difference(self, one: Tensor, other: Tensor) -> Tensor:
        """`one` - `other`, in memory that the next call uses again."""
        memory = self._memory
        if memory is None or memory.numel() < one.numel() or (memory.dtype, memory.device) != (one.dtype, one.device):
            self._memory = memory = one.new_empty(one.numel())
        return torch.sub(one, other, out=memory[: one.numel()].view(one.shape))


class LayerSums:
    """Accumulates one layer over batches.

    For each batch call `clean`, then `deformed` and `noisy`, each any number of times. Sums within a batch are taken in
    the layer's dtype (float32 where that is coarser), sums across batches in float64. Activations are shifted by a
    reference, the mean of the first batch: squares of a layer whose mean dwarfs its fluctuations would cancel.

    Memory: for B blocks, C classes and activations of A numbers 8 B C A bytes on the device of the layer, besides one
    batch of activations, whose memory is kept for the next one.

    Parameters
    ----------
    blocks, classes : int
        Number of clean and of deformed sums: blocks times classes.
    scratch : Scratch
        Shared by the layers of a net.
    noise_blocks : int, optional
        Blocks of the noisy sums, `blocks` by default.
    """

    def __init__(
        self, *, blocks: int, classes: int, channel_mean: bool, scratch: Scratch, noise_blocks: int | None = None
    ) -> None:
        self._blocks, self._classes, self._channel_mean, self._scratch = blocks, classes, channel_mean, scratch
        self._noise_blocks = blocks if noise_blocks is None else noise_blocks
        self._started = False
        self._eps = 0.0
        self._reference = self._memory = torch.empty(0)

    def clean(self, activation: Tensor, group: Group) -> None:
        """Add f(x) to the normalisation, and keep it for the perturbed versions of the batch."""
        f = self._flat(activation)
        if not self._started:
            self._allocate(f, activation.dtype)
        if len(self._memory) < len(f):
            self._memory = torch.empty_like(f)
        # A copy: what runs next may work in place.
        self._f = self._memory[: len(f)].copy_(f)
        self._rounding = ROUNDINGS * self._eps * torch.linalg.vector_norm(f, dim=1)
        v = self._scratch.difference(f, self._reference)
        group.add(self._squares, _squared_norms(v))
        group.add(self._vectors, v)

    def deformed(self, activation: Tensor, group: Group, weight: float = 1.0) -> None:
        """Add |f(tau x) - f(x)|^2 times `weight`."""
        norms = self._distances(activation)
        group.add(self._deformed, weight * norms.double().square())
        self._deformed_events += (norms > self._rounding).sum()

    def noisy(self, activation: Tensor, group: Group) -> None:
        """Add |f(x + eta) - f(x)|^2."""
        norms = self._distances(activation)
        group.add(self._noisy, norms.double().square())
        self._noisy_events += (norms > self._rounding).sum()

    def finish(self, counts: NDArray[np.int64]) -> BlockSums:
        """The sums so far, on the host; `counts`, shape (blocks, classes), says of how many draws."""
        shape = (self._blocks, self._classes)
        return BlockSums(
            deformed=self._deformed.cpu().numpy().reshape(shape).copy(),
            noisy=self._noisy.cpu().numpy().reshape(self._noise_blocks, self._classes).copy(),
            squares=self._squares.cpu().numpy().reshape(shape).copy(),
            vectors=self._vectors.cpu().numpy().reshape(*shape, -1),
            reference=self._reference.double().cpu().numpy(),
            counts=counts.copy(),
            deformed_events=int(self._deformed_events),
            noisy_events=int(self._noisy_events),
            eps=self._eps,
        )

    def _allocate(self, f: Tensor, dtype: torch.dtype) -> None:
        self._started = True
        self._memory, self._reference = torch.empty_like(f), f.mean(dim=0)
        self._eps = torch.finfo(dtype).eps
        cells = self._blocks * self._classes
        self._squares, self._deformed = (f.new_zeros(cells, dtype=torch.float64) for _ in range(2))
        self._noisy = f.new_zeros(self._noise_blocks * self._classes, dtype=torch.float64)
        self._deformed_events, self._noisy_events = (f.new_zeros((), dtype=torch.int64) for _ in range(2))
        self._vectors = f.new_zeros((cells, f.shape[1]), dtype=torch.float64)

    def _flat(self, activation: Tensor) -> Tensor:
        if self._channel_mean and activation.ndim > 1:
            activation = activation.mean(dim=1)
        if activation.dtype not in (torch.float32, torch.float64):
            activation = activation.float()
        return activation.reshape(len(activation), -1)

    def _distances(self, activation: Tensor) -> Tensor:
        difference = self._scratch.difference(self._flat(activation), self._f)
        distances: Tensor = torch.linalg.vector_norm(difference, dim=1)
        return distances


def _squared_norms(v: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(v, dim=1)
    return norms.double().square_()
