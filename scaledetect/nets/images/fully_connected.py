"""Fully connected nets on images, in the NTK parametrisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scaledetect._base.arguments import integer
from scaledetect.nets.images.cifar import MOST_CHANNELS, SIDE, CifarNet, stage
from scaledetect.nets.initialisation import seeded
from scaledetect.results.pooling import MOST_LAYERS

__all__ = ["FullyConnected"]


class FullyConnected(CifarNet):
    """Linear layers with ReLU in between on all pixels of the image: neither spatial nor channel pooling built in.

    Hidden layers are ReLU(w x / sqrt(fan_in) + b), the last one is w x / fan_in; w, b ~ N(0, 1).

    Parameters
    ----------
    depth : int, default 2
        Number of weight matrices, at least 2.
    in_channels : int, default 3
    n_classes : int, default 10
    width : int, default 64
        Units of each hidden layer.
    seed : int, default 0
        Decides the weights; the global random state is not touched.

    Attributes
    ----------
    sensitivity_layers : tuple of str
        layer1 ... layer<depth - 1>, after ReLU, and output.

    Notes
    -----
    The fully connected nets of depth 2, 4 and 6 of Petrini, Favero, Geiger, Wyart, arXiv 2105.02468, and of
    arXiv 2210.01506. We depart from their code for images of 28 pixels, which are padded to 32 here, so that the first
    fan-in is the same for all.

    Examples
    --------
    >>> FullyConnected(4, in_channels=1).sensitivity_layers
    ('layer1', 'layer2', 'layer3', 'output')
    """

    def __init__(
        self, depth: int = 2, *, in_channels: int = 3, n_classes: int = 10, width: int = 64, seed: int = 0
    ) -> None:
        super().__init__(in_channels, n_classes)
        depth, width = integer("depth", depth, 2, MOST_LAYERS), integer("width", width, 1, MOST_CHANNELS)
        fan_in = self.in_channels * SIDE**2
        self.flatten = nn.Flatten()
        with seeded(seed):
            for k in range(1, depth):
                linear = _ScaledLinear(fan_in, width, scale=fan_in**-0.5)
                self.add_module(f"layer{k}", stage(linear=linear, relu=nn.ReLU()))
                fan_in = width
            self.linear = _ScaledLinear(fan_in, self.n_classes, scale=1 / fan_in, bias=False)
        self.sensitivity_layers = (*(f"layer{k}" for k in range(1, depth)), "output")


class _ScaledLinear(nn.Linear):
    """`torch.nn.Linear` with standard normal parameters, the weights scaled in the forward pass."""

    def __init__(self, in_features: int, out_features: int, *, scale: float, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias)
        self.scale = scale

    def reset_parameters(self) -> None:
        """Draw every parameter from N(0, 1)."""
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_()

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input * self.scale, self.weight, self.bias)
