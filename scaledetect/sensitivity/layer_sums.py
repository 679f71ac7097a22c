"""Sums of one layer over batches: no activation outlives its batch, and no sum of its size is kept for each block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from scaledetect.results import BlockSums
from scaledetect.results.sketch import sketch_width
from scaledetect.sensitivity.batching import Group
from scaledetect.sensitivity.row_sums import RowSums

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
        self._started, self._n = False, 0
        self._f = self._memory = torch.empty(0)

    def add(self, activation: Tensor, group: Group) -> None:
        """Add f(x), f(tau x) and f(x + eta) of each form, equal numbers of rows; `group` says of which draws."""
        flat = self._flat(activation)
        squares = self._normalise(flat, len(flat) // (2 + self._noises), activation.dtype, group)
        group.add(self._sums, squares)
        self._events += self._moved(squares[1:])

    def clean(self, activation: Tensor, group: Group) -> None:
        """Add f(x) to the normalisation, and keep it for the perturbed versions of the batch."""
        f = self._flat(activation)
        if len(self._memory) < len(f):
            self._memory = torch.empty_like(f)
        # A copy: what runs next may work in place.
        self._f = self._memory[: len(f)].copy_(f)
        (squares,) = self._normalise(self._f, len(f), activation.dtype, group)
        group.add(self._squares, squares)

    def deformed(self, activation: Tensor, group: Group, weight: float) -> None:
        """Add |f(tau x) - f(x)|^2 times `weight`."""
        (squares,), moved = self._distances(self._flat(activation))
        group.add(self._deformed, weight * squares)
        self._events[0] += moved[0]

    def noisy(self, activation: Tensor, groups: Sequence[Group]) -> None:
        """Add |f(x + eta) - f(x)|^2, of the only form: the same x with other noise for each of `groups`."""
        squares, moved = self._distances(self._flat(activation))
        for one, group in zip(squares, groups, strict=True):
            group.add(self._noisy[0], one)
        self._events[1] += moved.sum()

    def finish(self, noise: int = 0) -> BlockSums:
        """The sums so far, on the host; on a CPU in the same memory, which further batches change."""
        shape = (self._blocks, self._classes)
        return BlockSums(
            deformed=self._deformed.cpu().numpy().reshape(shape),
            noisy=self._noisy[noise].cpu().numpy().reshape(self._noise_blocks, self._classes),
            squares=self._squares.cpu().numpy().reshape(shape),
            totals=self._totals.cpu().numpy(),
            sketches=self._sketches.cpu().numpy().reshape(*shape, self._sketches.shape[1]),
            reference=self._reference.double().cpu().numpy(),
            counts=self._counts.reshape(shape).copy(),
            deformed_events=int(self._events[0]),
            noisy_events=int(self._events[1 + noise]),
            eps=self._eps,
        )

    def _normalise(self, versions: Tensor, n: int, dtype: torch.dtype, group: Group) -> Tensor:
        """Add the first `n` rows to the normalisation, all but their squared norms.

        These, and squared distances of further versions from the first: shape (versions, n).
        """
        if not self._started:
            self._allocate(versions[:n], dtype)
        elif self._n >= self._next_move:
            self._move_reference()
        squares = self._rows.add_shifted(versions, n, self._reference, group, self._totals, self._sketches)
        self._counts[group.first : group.first + n // group.size] += group.size
        self._n += n
        # At most sqrt(3) |f| or so: the mean is no larger than what it is a mean of.
        self._rounding = (squares[0].sqrt() + self._reference_norm).mul_(ROUNDINGS * self._eps)
        return squares

    def _distances(self, f: Tensor) -> tuple[Tensor, Tensor]:
        """|f - f(x)|^2 row by row of each version, shape (versions, n), and how many of them are more than rounding."""
        squares = self._rows.squared_distances(f, self._f).view(-1, len(self._f))
        return squares, self._moved(squares)

    def _moved(self, squares: Tensor) -> Tensor:
        """How many rows of each version are further away than rounding."""
        moved: Tensor = (squares.sqrt() > self._rounding).sum(dim=1)
        return moved

    def _allocate(self, f: Tensor, dtype: torch.dtype) -> None:
        self._started = True
        self._eps = torch.finfo(dtype).eps
        self._set_reference(f.mean(dim=0))
        cells = self._blocks * self._classes
        self._next_move = GROWTH * len(f)
        self._sums = f.new_zeros((2 + self._noises, cells), dtype=torch.float64)
        self._squares, self._deformed, self._noisy = self._sums[0], self._sums[1], self._sums[2:]
        if self._noise_blocks != self._blocks:
            self._noisy = f.new_zeros((self._noises, self._noise_blocks * self._classes), dtype=torch.float64)
        self._events = f.new_zeros(1 + self._noises, dtype=torch.int64)
        self._totals = f.new_zeros((self._classes, f.shape[1]), dtype=torch.float64)
        self._sketches = f.new_zeros((cells, sketch_width(f.shape[1], cells)), dtype=torch.float64)

    def _set_reference(self, reference: Tensor) -> None:
        self._reference = reference
        self._reference_norm = torch.linalg.vector_norm(reference, dtype=torch.float64)

    def _move_reference(self) -> None:
        """Make the reference the mean of all draws so far, in the type of the layer."""
        sums = self.finish()
        numbers = sums.counts.sum(axis=0)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = sums.reference + sums.totals.sum(axis=0) / numbers.sum()
        self._next_move = GROWTH * int(numbers.sum())
        # A layer that is not finite has no sensitivity, and a class without draws no total yet.
        if not np.isfinite(mean).all() or not numbers.all():
            return
        self._set_reference(torch.from_numpy(mean).to(self._reference))
        sums.shift(sums.reference - self._reference.double().cpu().numpy())
        if self._reference.device.type != "cpu":
            for name in ("squares", "totals", "sketches"):
                kept: Tensor = getattr(self, f"_{name}")
                kept.copy_(torch.from_numpy(getattr(sums, name)).view(kept.shape))

    def _flat(self, activation: Tensor) -> Tensor:
        if activation.dtype not in (torch.float32, torch.float64):
            activation = activation.float()
        if self._channel_mean and activation.ndim > 1:
            activation = activation.mean(dim=1)
        return activation.reshape(len(activation), -1).contiguous()
