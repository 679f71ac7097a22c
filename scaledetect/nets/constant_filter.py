"""The constant-filter net of the exact theory: one channel, filters that only average."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from scaledetect._base.arguments import integer
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.nets.circular import CircularConv, circular_conv
from scaledetect.results import Pooling

__all__ = ["ConstantFilterNet"]


class ConstantFilterNet(nn.Module):
    """One channel, all filter entries F^-d, circular padding, ReLU after each layer: pure spatial pooling.

    On images without negative pixels the net is linear, and a layer leaves the mean of a map untouched where its
    stride divides the map's side.

    Parameters
    ----------
    dim : {1, 2, 3}, default 1
        Spatial dimensions d.
    filter_size : int or tuple of int, default 2
        Side F of the filter, in sites of the map it acts on; one number, or one per layer.
    stride : int or tuple of int, default 2
        Stride s per axis, in sites; one number, or one per layer.
    depth : int, default 6
        Number of layers K.

    Attributes
    ----------
    dim : int
    pooling : Pooling
        `filter_size` and `stride` of each layer: what the exact theory takes.
    sensitivity_layers : tuple of str
        layer1 ... layerK: the maps after each ReLU. Layer k has ceil(L_{k-1} / s) sites per axis; its modules are
        ``layer<k>.conv`` and ``layer<k>.relu``.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range; in `forward`, for an input that is not of shape (n, 1, L, ...).

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5. The filters are frozen (``requires_grad`` is
    False) and remain exact when the net is moved to another floating type.

    Examples
    --------
    >>> import torch
    >>> net = ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=2)
    >>> net(torch.tensor([[[4.0, 0.0, 0.0, 8.0]]]))
    tensor([[[3.]]])
    """

    def __init__(
        self,
        dim: int = 1,
        filter_size: int | tuple[int, ...] = 2,
        stride: int | tuple[int, ...] = 2,
        depth: int = 6,
    ) -> None:
        super().__init__()
        self.pooling = Pooling.of(filter_size, stride, depth)
        self.dim = integer("dim", dim, 1, 3, kind="1, 2 or 3")
        self.sensitivity_layers = self.pooling.layers
        for name, side, step in zip(self.pooling.layers, self.pooling.filter_size, self.pooling.stride, strict=True):
            layer = nn.Sequential()
            layer.add_module("conv", circular_conv(self.dim, 1, 1, filter_size=side, stride=step, bias=False))
            layer.add_module("relu", nn.ReLU())
            self.add_module(name, layer)
        for conv in self._convs():
            _fill(conv)
            conv.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """The last map, shape (n, 1, ceil(...), ...), of images `x`, shape (n, 1, L) with L once per dimension."""
        axes = ", ".join(["L"] * self.dim)
        if x.ndim != self.dim + 2 or x.shape[1] != 1 or min(x.shape[2:]) < 1:
            raise bad_value("x", tuple(x.shape), f"dim={self.dim} takes images of shape (n, 1, {axes})")
        if not x.is_floating_point():
            raise bad_type("x", x.dtype, "must be a floating tensor", "convert it with x.float()")
        for name in self.sensitivity_layers:
            x = self.get_submodule(name)(x)
        return x

    def extra_repr(self) -> str:
        """The numbers the net was built with."""
        return f"dim={self.dim}, filter_size={self.pooling.filter_size}, stride={self.pooling.stride}"

    def _convs(self) -> list[CircularConv]:
        return [module for module in self.modules() if isinstance(module, CircularConv)]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # float32's 1/9, taken to float64, is not float64's 1/9. Filters that were given other values stay as given.
        constant = [conv for conv in self._convs() if _is_constant(conv)]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for conv in constant:
            _fill(conv)
        return self


def _entry(conv: CircularConv) -> float:
    return 1 / conv.weight[0, 0].numel()


def _fill(conv: CircularConv) -> None:
    with torch.no_grad():
        conv.weight.fill_(_entry(conv))


def _is_constant(conv: CircularConv) -> bool:
    weight = conv.weight
    return weight.device.type != "meta" and bool((weight == weight.new_tensor(_entry(conv))).all())
