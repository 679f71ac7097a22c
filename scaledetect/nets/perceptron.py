"""Fully connected nets on the pixels of images of any dimension, in torch's own parametrisation."""

from __future__ import annotations

import math

from torch import Tensor, nn

from scaledetect._base.arguments import at_least_one, integer
from scaledetect._base.errors import bad_value
from scaledetect.nets.initialisation import seeded

__all__ = ["MOST_WEIGHTS", "MultiLayerPerceptron"]

MOST_WEIGHTS = 2**28
"""Weights of one layer: a gigabyte in float32."""


class MultiLayerPerceptron(nn.Module):
    """Linear layers with ReLU in between on all pixels, and one output: no locality, no weight is shared.

    Parameters
    ----------
    size : int
        Side L of the images, in pixels.
    dim : {1, 2, 3}, default 1
        Spatial dimensions.
    depth : int, default 3
        Number of linear layers, at least 2.
    width : int, default 256
        Units of each hidden layer.
    seed : int, default 0
        Decides the weights, from 0 to 2^64 - 1; the global random state is not touched.

    Attributes
    ----------
    sensitivity_layers : tuple of str
        layer1 ... layer<depth - 1>, after ReLU, and output.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range; in `forward`, for images of another shape.

    Notes
    -----
    `scaledetect.nets.get("fc2")` and its like are other nets: those of the literature on images of 32 x 32 pixels, in
    the NTK parametrisation.

    Examples
    --------
    >>> import torch
    >>> net = MultiLayerPerceptron(size=64, depth=2, width=16)
    >>> net(torch.zeros(5, 1, 64)).shape, net.sensitivity_layers
    (torch.Size([5, 1]), ('layer1', 'output'))
    """

    def __init__(self, size: int, *, dim: int = 1, depth: int = 3, width: int = 256, seed: int = 0) -> None:
        super().__init__()
        self.dim, self.size = integer("dim", dim, 1, 3, kind="1, 2 or 3"), at_least_one("size", size)
        width = at_least_one("width", width)
        if at_least_one("depth", depth) < 2:
            raise bad_value("depth", depth, "must be at least 2")
        fan_in = self.size**self.dim
        if fan_in * width > MOST_WEIGHTS:
            raise bad_value("size", size, f"the first layer would have {fan_in * width} weights, above {MOST_WEIGHTS}")
        names = [f"layer{k}" for k in range(1, depth)]
        with seeded(seed):
            for name in names:
                self.add_module(name, nn.Sequential(nn.Linear(fan_in, width), nn.ReLU()))
                fan_in = width
            self.output = nn.Linear(fan_in, 1)
        self.sensitivity_layers = (*names, "output")

    def forward(self, x: Tensor) -> Tensor:
        """One number an image, shape (n, 1), of images `x`, shape (n, 1, L) with L once per dimension."""
        if x.ndim != self.dim + 2 or math.prod(x.shape[1:]) != self.size**self.dim:
            shape = ", ".join([str(self.size)] * self.dim)
            raise bad_value("x", tuple(x.shape), f"the net takes images of shape (n, 1, {shape})")
        x = x.flatten(1)
        for name in self.sensitivity_layers:
            x = self.get_submodule(name)(x)
        return x
