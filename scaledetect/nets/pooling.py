"""The paper's trained net: convolutions and ReLU in the NTK parametrisation, and a readout of the spatial mean."""

from __future__ import annotations

import math
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from scaledetect._base.arguments import at_least_one, integer, one_of
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.nets.circular import circular_conv
from scaledetect.nets.initialisation import seeded
from scaledetect.results import Pooling

__all__ = ["Gain", "PoolingLayer", "PoolingNet"]

Gain = Literal["critical", "paper"]


class PoolingNet(nn.Module):
    """K convolutions with ReLU, circular padding and any stride, and a linear readout of the spatial mean.

    Layer k maps h to gain ReLU(conv(w, h) / sqrt(fan_in) + b), with fan_in = C_in F^d; the output is
    (beta . h) / H + b_out, h the mean over space of the last map. All parameters are drawn from N(0, 1).

    Parameters
    ----------
    dim : {1, 2, 3}, default 1
        Spatial dimensions d.
    filter_size : int or tuple of int, default 2
        Side F of the filters, in sites of the map they act on; one number, or one per layer.
    stride : int or tuple of int, default 2
        Stride s per axis, in sites; one number, or one per layer.
    depth : int, default 6
        Number of layers K.
    width : int, default 128
        Channels H of every layer.
    gain : {"critical", "paper"}, default "critical"
        Factor after each ReLU: sqrt(2), which keeps activations of all depths of order one, or sqrt(F^d) as published.
        Both agree at d = 1, F = 2.
    seed : int, default 0
        Decides the weights, from 0 to 2^64 - 1; the global random state is not touched.

    Attributes
    ----------
    dim, width : int
    pooling : Pooling
        `filter_size` and `stride` of each layer.
    options : dict
        The numbers the net was built with, without the seed: ``PoolingNet(**net.options)`` is its like.
    sensitivity_layers : tuple of str
        layer1 ... layerK: the maps after each ReLU. Layer k has ceil(L_{k-1} / s) sites per axis; its modules are
        ``layer<k>.conv`` and ``layer<k>.relu``.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range; in `forward`, for an input that is not of shape (n, 1, L, ...).

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5. Averaged over weights, the second moment of the
    activations obeys q' = gain^2 (q + 1) / 2. We depart from the published code in taking any stride, filter and
    dimension, and in drawing the weights from a generator of the net's own. At the start the output is nearly b_out for
    every image.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net = sd.nets.PoolingNet(dim=1, filter_size=2, stride=2, depth=3, width=16)
    >>> X, y = sd.sample_images(sd.Task(dim=1, size=32, xi=8), 5)
    >>> import torch
    >>> net(torch.from_numpy(X)).shape, net.sensitivity_layers
    (torch.Size([5, 1]), ('layer1', 'layer2', 'layer3'))
    """

    def __init__(
        self,
        dim: int = 1,
        filter_size: int | tuple[int, ...] = 2,
        stride: int | tuple[int, ...] = 2,
        depth: int = 6,
        width: int = 128,
        *,
        gain: Gain = "critical",
        seed: int = 0,
    ) -> None:
        super().__init__()
        one_of("gain", gain, ("critical", "paper"))
        self.pooling = Pooling.of(filter_size, stride, depth)
        self.dim = dim = integer("dim", dim, 1, 3, kind="1, 2 or 3")
        self.width, self.gain = at_least_one("width", width), gain
        self.sensitivity_layers = self.pooling.layers
        channels = 1
        with seeded(seed):
            for name, side, step in zip(
                self.pooling.layers, self.pooling.filter_size, self.pooling.stride, strict=True
            ):
                factor = math.sqrt(2) if gain == "critical" else math.sqrt(side**dim)
                self.add_module(name, PoolingLayer(dim, channels, self.width, side, step, factor))
                channels = self.width
            self.readout = nn.Linear(self.width, 1)
            with torch.no_grad():
                for parameter in self.parameters():
                    parameter.normal_()

    @property
    def layers(self) -> list[PoolingLayer]:
        """The K layers, in their order."""
        return [cast(PoolingLayer, self.get_submodule(name)) for name in self.sensitivity_layers]

    @property
    def options(self) -> dict[str, Any]:
        """The numbers the net was built with, without the seed."""
        return {
            "dim": self.dim,
            "filter_size": self.pooling.filter_size,
            "stride": self.pooling.stride,
            "depth": self.pooling.depth,
            "width": self.width,
            "gain": self.gain,
        }

    def forward(self, x: Tensor) -> Tensor:
        """One number an image, shape (n, 1), of images `x`, shape (n, 1, L) with L once per dimension."""
        axes = ", ".join(["L"] * self.dim)
        if x.ndim != self.dim + 2 or x.shape[1] != 1 or min(x.shape[2:]) < 1:
            raise bad_value("x", tuple(x.shape), f"dim={self.dim} takes images of shape (n, 1, {axes})")
        if not x.is_floating_point():
            raise bad_type("x", x.dtype, "must be a floating tensor", "convert it with x.float()")
        for layer in self.layers:
            x = layer(x)
        output: Tensor = self.readout(x.flatten(2).mean(2) / self.width)
        return output

    def extra_repr(self) -> str:
        """The numbers the net was built with."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if name != "depth")


class PoolingLayer(nn.Module):
    """One layer: gain ReLU(conv(w, h) / sqrt(fan_in) + b); `scale` is 1 / sqrt(fan_in)."""

    def __init__(self, dim: int, in_channels: int, width: int, filter_size: int, stride: int, gain: float) -> None:
        super().__init__()
        self.conv = circular_conv(dim, in_channels, width, filter_size=filter_size, stride=stride)
        self.relu = nn.ReLU()
        self.scale, self.gain = float(in_channels * filter_size**dim) ** -0.5, gain

    def forward(self, x: Tensor) -> Tensor:
        activation: Tensor = self.gain * self.relu(self.conv(x * self.scale))
        return activation
