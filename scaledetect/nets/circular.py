"""Convolutions whose borders wrap around, for maps of any size."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.conv import _ConvNd

from scaledetect._base.arguments import integer
from scaledetect._base.errors import bad_value

__all__ = ["CircularConv", "CircularConv1d", "CircularConv2d", "CircularConv3d", "circular_conv", "circular_pad"]

MOST_WEIGHTS = 2**28
"""Weights of one convolution: a gigabyte in float32."""


def circular_pad(x: Tensor, filter_size: tuple[int, ...]) -> Tensor:
    """Wrap the last axes of a map around, so that a filter fits at every site of it.

    Parameters
    ----------
    x : tensor, shape (n, channels, L_1, ..., L_d)
    filter_size : tuple of int, length d
        Side F of the filter along each axis, in sites.

    Returns
    -------
    tensor, shape (n, channels, L_1 + F_1 - 1, ..., L_d + F_d - 1)
        (F - 1) // 2 sites more on the left of an axis and F // 2 on the right, taken modulo L: an axis shorter than the
        filter wraps around more than once.

    Examples
    --------
    >>> import torch
    >>> circular_pad(torch.tensor([[[0.0, 1.0, 2.0]]]), (4,))
    tensor([[[2., 0., 1., 2., 0., 1.]]])
    """
    dim = len(filter_size)
    margins = [((side - 1) // 2, side // 2) for side in filter_size]
    sides = x.shape[-dim:]
    if all(right <= side for (_, right), side in zip(margins, sides, strict=True)):
        last_axis_first = [margin for pair in reversed(margins) for margin in pair]
        return functional.pad(x, last_axis_first, mode="circular")
    for axis, ((left, right), side) in enumerate(zip(margins, sides, strict=True), start=-dim):
        # torch refuses to wrap around more than once.
        sites = torch.arange(-left, side + right, device=x.device) % side
        x = x.index_select(axis, sites)
    return x


class _Undrawn(_ConvNd):
    """A convolution that is built without drawing weights, as whoever builds it fills them.

    `torch.nn.utils.skip_init` does the same by way of torch's meta device, which takes a second to load.
    """

    _built = False

    def reset_parameters(self) -> None:
        """Draw torch's usual first weights; not when the layer is built."""
        if self._built:
            super().reset_parameters()
        self._built = True


class CircularConv1d(_Undrawn, nn.Conv1d):
    """`torch.nn.Conv1d` on a circle: ceil(L / stride) sites leave for L that come in, whatever L."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve the map wrapped around."""
        padded = circular_pad(input, self.kernel_size)
        return _box_sums(self, padded) if _is_box(self) else super().forward(padded)


class CircularConv2d(_Undrawn, nn.Conv2d):
    """`torch.nn.Conv2d` on a torus: ceil(L / stride) sites per axis leave for L that come in, whatever L."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve the map wrapped around."""
        padded = circular_pad(input, self.kernel_size)
        return _box_sums(self, padded) if _is_box(self) else super().forward(padded)


class CircularConv3d(_Undrawn, nn.Conv3d):
    """`torch.nn.Conv3d` on a torus: ceil(L / stride) sites per axis leave for L that come in, whatever L."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve the map wrapped around."""
        padded = circular_pad(input, self.kernel_size)
        return _box_sums(self, padded) if _is_box(self) else super().forward(padded)


CircularConv = CircularConv1d | CircularConv2d | CircularConv3d


def _is_box(conv: CircularConv) -> bool:
    """Whether a frozen filter from one channel to one is constant, on the CPU, where reading it costs nothing."""
    weight = conv.weight
    plain = conv.in_channels == conv.out_channels == 1 and conv.bias is None and max(conv.dilation) == 1
    return plain and not weight.requires_grad and weight.device.type == "cpu" and bool((weight == weight.max()).all())


def _box_sums(conv: CircularConv, padded: Tensor) -> Tensor:
    """The convolution with a constant filter, axis by axis: a few shifted maps are added, not F^d products."""
    sums = padded
    for axis, (side, stride) in enumerate(zip(conv.kernel_size, conv.stride, strict=True), start=2):
        if stride == 1:
            sums = _runs(sums, axis, side)
            continue
        span = (sums.shape[axis] - side) // stride * stride + 1
        step = (slice(None),) * axis + (slice(None, None, stride),)
        first, *others = [sums.narrow(axis, shift, span)[step] for shift in range(side)]
        # The sum is new memory: what follows can go into it.
        sums = first + others[0] if others else first
        for other in others[1:]:
            sums += other
    scale = float(conv.weight.flatten()[0])
    return sums * scale if max(conv.kernel_size) == 1 else sums.mul_(scale)


def _runs(x: Tensor, axis: int, side: int) -> Tensor:
    """Sums of `side` neighbours, from runs of 1, 2, 4, ... of them."""
    span = x.shape[axis] - side + 1
    total, start, run, length = None, 0, x, 1
    while True:
        if side & length:
            part = run.narrow(axis, start, span)
            total = part if total is None else total + part
            start += length
        if 2 * length > side:
            assert total is not None
            return total
        places = run.shape[axis] - length
        run = run.narrow(axis, 0, places) + run.narrow(axis, length, places)
        length *= 2


def circular_conv(
    dim: int, in_channels: int, out_channels: int, *, filter_size: int, stride: int, bias: bool = True
) -> CircularConv:
    """The circularly padded convolution of `dim` dimensions, its weights allocated but not drawn.

    The caller fills `weight` and `bias`: the global random state is neither read nor moved.

    Raises
    ------
    TypeError, ValueError
        When `dim` is not 1, 2 or 3, or the filter has more than 2^28 weights.
    """
    kinds: dict[int, type[CircularConv]] = {1: CircularConv1d, 2: CircularConv2d, 3: CircularConv3d}
    integer("dim", dim, 1, 3, kind="1, 2 or 3")
    weights = in_channels * out_channels * filter_size**dim
    if weights > MOST_WEIGHTS:
        raise bad_value("filter_size", filter_size, f"a layer would have {weights} weights, above {MOST_WEIGHTS}")
    return kinds[dim](in_channels, out_channels, filter_size, stride=stride, bias=bias)
