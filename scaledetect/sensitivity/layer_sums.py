"""Sums of one layer over batches: no activation outlives its batch, and no sum of its size is kept for each block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scaledetect.results import BlockSums
from scaledetect.results.sketch import sketch_width
from scaledetect.sensitivity.batching import Group
from scaledetect.sensitivity.row_sums import RowSums, Sums

__all__ = ["LayerSums"]

ROUNDINGS = 16
"""Two activations that should be equal differ by fewer spacings of their norm than this."""

GROWTH = 8
"""Times as many draws as when the reference was last the mean of all, at which it becomes the mean again. So its
squared distance from the mean of n draws is below 8 / n variances; that of the mean of a block is 50 / n of them."""


class LayerSums:
    """Accumulates one layer over batches.

    Give each batch to `add`, its clean, deformed and noisy rows one after the other, these form by form; or call
    `clean`, then `deformed` and `noisy` any number of times. Sums within a batch are taken in the layer's dtype
    (float32 where that is coarser), sums across batches in float64. Activations are shifted by a reference, the
    mean of draws so far: squares of a layer whose mean dwarfs its fluctuations would cancel, and what sketches lose
    grows with the distance to the mean.

    Memory: for C classes and activations of A numbers 8 C A bytes on the device of the layer, a reference, and sketches
    of at most half a megabyte, whatever the number of blocks. With `clean` one batch of activations besides.

    Parameters
    ----------
    blocks, classes : int
        Number of clean and of deformed sums: blocks times classes.
    rows : RowSums
        Shared by the layers of a net.
    noise_blocks : int, optional
        Blocks of the noisy sums, `blocks` by default.
    noises : int, default 1
        Forms of noise, each with noisy sums of its own.
    """

    def __init__(
        self,
        *,
        blocks: int,
        classes: int,
        channel_mean: bool,
        rows: RowSums,
        noise_blocks: int | None = None,
        noises: int = 1,
    ) -> None:
        self._blocks, self._classes, self._channel_mean, self._rows = blocks, classes, channel_mean, rows
        self._noise_blocks, self._noises = blocks if noise_blocks is None else noise_blocks, noises
        self._counts = np.zeros(blocks * classes, dtype=np.int64)
        self._n = 0
        self._f = self._memory = torch.empty(0)

    def add(self, activation: Tensor, group: Group) -> None:
        """Add f(x), f(tau x) and f(x + eta) of each form, equal numbers of rows; `group` says of which draws."""
        flat = self._flat(activation)
        self._add(flat, len(flat) // (2 + self._noises), activation.dtype, group)

    def clean(self, activation: Tensor, group: Group) -> None:
        """Add f(x) to the normalisation, and keep it for the perturbed versions of the batch."""
        f = self._flat(activation)
        if len(self._memory) < len(f):
            self._memory = torch.empty_like(f)
        # A copy: what runs next may work in place.
        self._f = self._memory[: len(f)].copy_(f)
        self._add(self._f, len(f), activation.dtype, group)

    def deformed(self, activation: Tensor, group: Group, weight: float) -> None:
        """Add |f(tau x) - f(x)|^2 times `weight`."""
        (squares,), moved = self._distances(self._flat(activation))
        group.add(self._sums.squares[1], weight * squares)
        self._sums.events[1] += moved[0]

    def noisy(self, activation: Tensor, groups: Sequence[Group]) -> None:
        """Add |f(x + eta) - f(x)|^2, of the only form: the same x with other noise for each of `groups`."""
        squares, moved = self._distances(self._flat(activation))
        for one, group in zip(squares, groups, strict=True):
            group.add(self._noisy[0], one)
        self._sums.events[2] += moved.sum()

    def finish(self, noise: int = 0) -> BlockSums:
        """The sums so far, on the host; on a CPU in the same memory, which further batches change."""
        sums, shape = self._sums, (self._blocks, self._classes)
        squares, deformed = sums.squares[:2].cpu().numpy().reshape(2, *shape)
        return BlockSums(
            deformed=deformed,
            noisy=self._noisy[noise].cpu().numpy().reshape(self._noise_blocks, self._classes),
            squares=squares,
            totals=sums.totals.cpu().numpy(),
            sketches=sums.sketches.cpu().numpy().reshape(*shape, sums.sketches.shape[1]),
            reference=sums.reference.double().cpu().numpy(),
            counts=self._counts.reshape(shape).copy(),
            deformed_events=int(sums.events[1]),
            noisy_events=int(sums.events[2 + noise]),
            eps=self._eps,
        )

    def _add(self, versions: Tensor, n: int, dtype: torch.dtype, group: Group) -> None:
        """Add the first `n` rows to the normalisation, and how far further versions of them are away."""
        if self._n == 0:
            self._sums = self._fresh(versions[:n], dtype)
        elif self._n >= self._next_move:
            self._move_reference()
        self._limits = self._rows.add(versions, n, group, self._sums)
        self._counts[group.first : group.first + n // group.size] += group.size
        self._n += n

    def _distances(self, f: Tensor) -> tuple[Tensor, Tensor]:
        """|f - f(x)|^2 row by row of each version, shape (versions, n), and how many of them are more than rounding."""
        squares = self._rows.squared_distances(f, self._f).view(-1, len(self._f))
        return squares, (squares.sqrt() > self._limits).sum(dim=1)

    def _fresh(self, f: Tensor, dtype: torch.dtype) -> Sums:
        self._eps = torch.finfo(dtype).eps
        self._next_move = GROWTH * len(f)
        cells, versions = self._blocks * self._classes, 2 + self._noises
        reference = f.mean(dim=0)
        sums = Sums(
            reference=reference,
            norm=_norm(reference),
            # At most sqrt(3) |f| or so: the mean is no larger than what it is a mean of.
            rounding=ROUNDINGS * self._eps,
            squares=f.new_zeros((versions, cells), dtype=torch.float64),
            events=f.new_zeros(versions, dtype=torch.int64),
            totals=f.new_zeros((self._classes, f.shape[1]), dtype=torch.float64),
            sketches=f.new_zeros((cells, sketch_width(f.shape[1], cells)), dtype=torch.float64),
        )
        self._noisy = sums.squares[2:]
        if self._noise_blocks != self._blocks:
            self._noisy = f.new_zeros((self._noises, self._noise_blocks * self._classes), dtype=torch.float64)
        return sums

    def _move_reference(self) -> None:
        """Make the reference the mean of all draws so far, in the type of the layer."""
        sums, kept = self.finish(), self._sums
        numbers = sums.counts.sum(axis=0)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = sums.reference + sums.totals.sum(axis=0) / numbers.sum()
        self._next_move = GROWTH * int(numbers.sum())
        # A layer that is not finite has no sensitivity, and a class without draws no total yet.
        if not np.isfinite(mean).all() or not numbers.all():
            return
        kept.reference = torch.from_numpy(mean).to(kept.reference)
        kept.norm = _norm(kept.reference)
        sums.shift(sums.reference - kept.reference.double().cpu().numpy())
        if kept.reference.device.type != "cpu":
            kept.squares[0] = torch.from_numpy(sums.squares).view(-1)
            kept.totals.copy_(torch.from_numpy(sums.totals))
            kept.sketches.copy_(torch.from_numpy(sums.sketches).view(kept.sketches.shape))

    def _flat(self, activation: Tensor) -> Tensor:
        if activation.dtype not in (torch.float32, torch.float64):
            activation = activation.float()
        if self._channel_mean and activation.ndim > 1:
            activation = activation.mean(dim=1)
        return activation.reshape(len(activation), -1).contiguous()


def _norm(reference: Tensor) -> float:
    return float(torch.linalg.vector_norm(reference, dtype=torch.float64))
