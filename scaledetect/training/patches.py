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
    _sites: Tensor | None = field(init=False)
    _windows_first: tuple[int, ...] = field(init=False)
    _by_axis: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Axes (M, n, window, site, window, site, ..., C) in the order of windows, sites, channels; and back.
        windows = [2 + 2 * axis for axis in range(self.dim)]
        order = (0, 1, *windows, *(axis + 1 for axis in windows), 2 + 2 * self.dim)
        object.__setattr__(self, "_windows_first", order)
        object.__setattr__(self, "_by_axis", tuple(order.index(axis) for axis in range(len(order))))
        start = torch.arange(self.out_size) * self.stride - self.left
        sites = ((start[:, None] + torch.arange(self.filter_size)) % self.size).flatten()
        in_place = torch.equal(sites, torch.arange(self.size))
        object.__setattr__(self, "_sites", None if in_place else sites.to(self.device))

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

    def rows(self, maps: Tensor) -> Tensor:
        """Shape (M, n out_size^d, F^d C): the windows in row-major order, the sites of each too, channels last."""
        members, n, channels = maps.shape[0], maps.shape[1], maps.shape[-1]
        if self._sites is not None:
            for axis in range(2, 2 + self.dim):
                maps = maps.index_select(axis, self._sites)
        split = maps.reshape(members, n, *(self.out_size, self.filter_size) * self.dim, channels)
        return split.permute(self._windows_first).reshape(members, n * self.n_windows, -1)

    def adjoint(self, rows: Tensor) -> Tensor:
        """What `rows` does backwards: the map on which each site holds the sum over all windows that cover it."""
        members, channels = rows.shape[0], rows.shape[-1] // self.filter_size**self.dim
        sides = (self.out_size,) * self.dim + (self.filter_size,) * self.dim
        split = rows.reshape(members, -1, *sides, channels).permute(self._by_axis)
        if self._sites is None:
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
