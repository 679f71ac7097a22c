"""Convolutional nets with overlapping strided filters and global average pooling before the output."""

from __future__ import annotations

from torch import Tensor, nn

from scaledetect._base.arguments import at_least_one, integer
from scaledetect._base.errors import bad_value
from scaledetect.nets.circular import circular_conv
from scaledetect.nets.initialisation import seeded

__all__ = ["GlobalAverageNet"]


class GlobalAverageNet(nn.Module):
    """Convolutions of stride 2 with ReLU, circular padding, the mean over space, and one linear output.

    Filters of three sites overlap, so that no block of the image is cut off from its neighbours; strides halve the map
    layer by layer, and what is left is averaged. It is the plain convolutional net of practice, in torch's own
    parametrisation, where `PoolingNet` is the paper's.

    Parameters
    ----------
    dim : {1, 2, 3}, default 1
        Spatial dimensions.
    filter_size : int, default 3
        Side F of the filters, in sites.
    stride : int, default 2
        Stride s per axis, in sites.
    depth : int, default 5
        Number of convolutions.
    width : int, default 32
        Channels.
    seed : int, default 0
        Decides the weights, from 0 to 2^64 - 1; the global random state is not touched.

    Attributes
    ----------
    sensitivity_layers : tuple of str
        layer1 ... layer<depth>, the maps after ReLU, and output.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range; in `forward`, for images of another shape.

    Examples
    --------
    >>> import torch
    >>> net = GlobalAverageNet(dim=2, depth=3, width=8)
    >>> net(torch.zeros(5, 1, 16, 16)).shape, net.layer3(net.layer2(net.layer1(torch.zeros(5, 1, 16, 16)))).shape
    (torch.Size([5, 1]), torch.Size([5, 8, 2, 2]))
    """

    def __init__(
        self, dim: int = 1, *, filter_size: int = 3, stride: int = 2, depth: int = 5, width: int = 32, seed: int = 0
    ) -> None:
        super().__init__()
        self.dim = integer("dim", dim, 1, 3, kind="1, 2 or 3")
        side, step = at_least_one("filter_size", filter_size), at_least_one("stride", stride)
        depth, width = at_least_one("depth", depth), at_least_one("width", width)
        self.names = tuple(f"layer{k}" for k in range(1, depth + 1))
        channels = 1
        with seeded(seed):
            for name in self.names:
                conv = circular_conv(dim, channels, width, filter_size=side, stride=step)
                conv.reset_parameters()
                self.add_module(name, nn.Sequential(conv, nn.ReLU()))
                channels = width
            self.output = nn.Linear(width, 1)
        self.sensitivity_layers = (*self.names, "output")

    def forward(self, x: Tensor) -> Tensor:
        """One number an image, shape (n, 1), of images `x`, shape (n, 1, L) with L once per dimension."""
        if x.ndim != self.dim + 2 or x.shape[1] != 1:
            axes = ", ".join(["L"] * self.dim)
            raise bad_value("x", tuple(x.shape), f"the net takes images of shape (n, 1, {axes})")
        for name in self.names:
            x = self.get_submodule(name)(x)
        output: Tensor = self.output(x.flatten(2).mean(2))
        return output
