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
    in_place: bool = field(init=False)
    _by_axis: tuple[int, ...] = field(init=False)
    _lines: dict[int, Tensor] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Axes (M, n, window, ..., site, ..., C) in the order (M, n, window, site, window, site, ..., C).
        pairs = [2 + axis + first for axis in range(self.dim) for first in (0, self.dim)]
        object.__setattr__(self, "_by_axis", (0, 1, *pairs, 2 + 2 * self.dim))
        whole = self.filter_size == self.stride and self.size % self.stride == 0
        object.__setattr__(self, "in_place", whole and self.left == 0)

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

    @property
    def n_sites(self) -> int:
        """Sites of all windows of an image."""
        return int(self.n_windows * self.filter_size**self.dim)

    def numbers(self, maps: Tensor) -> int:
        """How many numbers `rows` has of these maps."""
        return maps.shape[0] * maps.shape[1] * self.n_sites * maps.shape[-1]

    def rows(self, maps: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Shape (M, n out_size^d, F^d C): the windows in row-major order, the sites of each too, channels last.

        A view of the map where windows neither overlap nor wind around; else written into the first entries of `out`,
        of one axis, or a new tensor.
        """
        if self.in_place:
            return self._windows_of(maps).reshape(maps.shape[0], maps.shape[1] * self.n_windows, -1)
        return self._rows(maps, self.left, out)

    def mirrored_rows(self, maps: Tensor, *, out: Tensor | None = None) -> Tensor:
        """The same for windows i - F // 2 ... i + (F - 1) // 2: those that cover site i, for a map at stride 1.

        Their product with filters turned round is the adjoint of `rows` and of the product with the filters.
        """
        return self._rows(maps, self.filter_size // 2, out)

    def _rows(self, maps: Tensor, before: int, out: Tensor | None) -> Tensor:
        members, n, channels = *maps.shape[:2], maps.shape[-1]
        lines = self._lines_of(members * n, before)
        numbers = self.numbers(maps)
        rows = (maps.new_empty(numbers) if out is None else out[:numbers]).view(-1, channels)
        torch.index_select(maps.reshape(-1, channels), 0, lines, out=rows)
        return rows.view(members, n * self.n_windows, -1)

    def _lines_of(self, n: int, before: int) -> Tensor:
        """Which sites of `n` maps, one after the other, make up the windows that begin `before` sites earlier."""
        lines = self._lines.get(before)
        each = self.n_sites
        # Those of the first maps are the first ones.
        if lines is None or len(lines) < n * each:
            steps = torch.arange(self.stride * (self.out_size - 1) + self.filter_size) - before
            sites = torch.arange(self.size**self.dim).view(1, 1, *(self.size,) * self.dim, 1)
            for axis in range(2, 2 + self.dim):
                sites = sites.index_select(axis, steps % self.size)
            one = self._windows_of(sites).flatten()
            lines = (self.size**self.dim * torch.arange(n)[:, None] + one).flatten().to(self.device)
            self._lines[before] = lines
        return lines[: n * each]

    def _windows_of(self, maps: Tensor) -> Tensor:
        """Shape (M, n, window, ..., site, ..., C) of maps that do not wind around the torus."""
        for axis in range(2, 2 + self.dim):
            maps = maps.unfold(axis, self.filter_size, self.stride)
        # Sites before channels: whole lines of a window are copied at a time.
        return maps.movedim(2 + self.dim, -1)

    def adjoint(self, rows: Tensor) -> Tensor:
        """What `rows` does backwards: the map on which each site holds the sum over all windows that cover it."""
        members, channels = rows.shape[0], rows.shape[-1] // self.filter_size**self.dim
        sides = (self.out_size,) * self.dim + (self.filter_size,) * self.dim
        split = rows.reshape(members, -1, *sides, channels).permute(self._by_axis)
        if self.in_place:
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
