"""Windows of circular convolutions as rows of a matrix, and the adjoint: channels last, many nets at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["Windows"]


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one layer: F^d sites each, at distance s on a torus of side `size`, of d dimensions.

    Maps are tensors of shape (M, n, size, ..., size, C). As in `CircularConv`, window i covers the sites
    i s - (F - 1) // 2 ... i s + F // 2 modulo `size`.
    """

    dim: int
    size: int
    filter_size: int
    stride: int
    device: torch.device
    _line: Tensor | None = field(init=False)
    _mirrored_line: Tensor = field(init=False)
    _by_axis: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Axes (M, n, window, ..., site, ..., C) in the order (M, n, window, site, window, site, ..., C).
        pairs = [2 + axis + first for axis in range(self.dim) for first in (0, self.dim)]
        object.__setattr__(self, "_by_axis", (0, 1, *pairs, 2 + 2 * self.dim))
        steps = torch.arange(self.stride * (self.out_size - 1) + self.filter_size)
        line = (steps - self.left) % self.size
        in_place = self.filter_size == self.stride and torch.equal(line, torch.arange(self.size))
        object.__setattr__(self, "_line", None if in_place else line.to(self.device))
        object.__setattr__(self, "_mirrored_line", ((steps - self.filter_size // 2) % self.size).to(self.device))

    @property
    def left(self) -> int:
        """Sites of the window of site 0 that lie before it."""
        return (self.filter_size - 1) // 2

    @property
    def out_size(self) -> int:
        """Windows per axis, ceil(size / stride)."""
        return -(-self.size // self.stride)

    @property
    def n_windows(self) -> int:
        """Windows of an image."""
        return int(self.out_size**self.dim)

    def rows(self, maps: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Shape (M, n out_size^d, F^d C): the windows in row-major order, the sites of each too, channels last.

        Written into `out`, if that is given and has the number of entries; else a view of the map, or a new tensor.
        """
        return self._rows(maps, self._line, out)

    def mirrored_rows(self, maps: Tensor, *, out: Tensor | None = None) -> Tensor:
        """The same for windows i - F // 2 ... i + (F - 1) // 2: those that cover site i, for a map at stride 1.

        Their product with filters turned round is the adjoint of `rows` and of the product with the filters.
        """
        return self._rows(maps, self._mirrored_line, out)

    def _rows(self, maps: Tensor, line: Tensor | None, out: Tensor | None) -> Tensor:
        members, n = maps.shape[:2]
        if line is not None:
            for axis in range(2, 2 + self.dim):
                maps = maps.index_select(axis, line)
        for axis in range(2, 2 + self.dim):
            maps = maps.unfold(axis, self.filter_size, self.stride)
        # Sites before channels: whole lines of a window are copied at a time.
        windows = maps.movedim(2 + self.dim, -1)
        shape = (members, n * self.n_windows, -1)
        if line is None:
            return windows.reshape(shape)
        if out is None or out.numel() != windows.numel():
            return windows.reshape(shape).contiguous()
        return out.view(windows.shape).copy_(windows).view(shape)

    def adjoint(self, rows: Tensor) -> Tensor:
        """What `rows` does backwards: the map on which each site holds the sum over all windows that cover it."""
        members, channels = rows.shape[0], rows.shape[-1] // self.filter_size**self.dim
        sides = (self.out_size,) * self.dim + (self.filter_size,) * self.dim
        split = rows.reshape(members, -1, *sides, channels).permute(self._by_axis)
        if self._line is None:
            return split.reshape(members, split.shape[1], *(self.size,) * self.dim, channels)
        for axis in range(2, 2 + self.dim):
            split = self._overlaid(split, axis)
        return split

    def _overlaid(self, split: Tensor, axis: int) -> Tensor:
        """Axes (window, site) at `axis` become one axis of sites, laid end to end and then wound around the torus."""
        first = -self.left % self.size
        rounds = math.ceil((first + self.stride * (self.out_size - 1) + self.filter_size) / self.size)
        shape = (*split.shape[:axis], rounds * self.size, *split.shape[axis + 2 :])
        line = split.new_zeros(shape)
        for site in range(self.filter_size):
            begin = first + site
            step = (slice(None),) * axis + (slice(begin, begin + self.stride * (self.out_size - 1) + 1, self.stride),)
            line[step] += split.select(axis + 1, site)
        if rounds == 1:
            return line
        return line.view(*line.shape[:axis], rounds, self.size, *line.shape[axis + 1 :]).sum(axis)
