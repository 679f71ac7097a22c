"""EfficientNet-B0 at CIFAR scale."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from scaledetect.nets.images.cifar import CifarNet, Initialisation, draw_weights, scaled, stage
from scaledetect.nets.initialisation import seeded

__all__ = ["EfficientNetB0"]


class _Group(NamedTuple):
    blocks: int
    expansion: int
    channels: int
    side: int
    stride: int


B0 = (
    _Group(1, 1, 16, 3, 1),
    _Group(2, 6, 24, 3, 2),
    _Group(2, 6, 40, 5, 2),
    _Group(3, 6, 80, 3, 2),
    _Group(3, 6, 112, 5, 1),
    _Group(4, 6, 192, 5, 2),
    _Group(1, 6, 320, 3, 1),
)


class EfficientNetB0(CifarNet):
    """A 3 x 3 convolution, 16 inverted bottlenecks with depthwise convolutions and channel attention, a linear layer.

    Parameters
    ----------
    in_channels : int, default 3
    n_classes : int, default 10
    width : float, default 1.0
        Factor on the number of channels of every layer, rounded, at least 1 each.
    initialisation : {"torch", "he", "he-convolutions"}, default "torch"
        First weights: torch's defaults, or normal of variance 2/fan_in with biases 0 (He et al., arXiv 1502.01852), of
        all layers or of convolutions alone: no rectifier follows the last layer, and a smaller one starts faster.
    seed : int, default 0
        Decides the weights; the global random state is not touched.

    Attributes
    ----------
    sensitivity_layers : tuple of str
        stem, after its nonlinearity; block1 ... block16, whose outputs have none; output.

    Notes
    -----
    Tan, Le, "EfficientNet: rethinking model scaling for convolutional neural networks", arXiv 1905.11946, in the form
    for 32 x 32 images used with arXiv 2210.01506: the stem has no stride, the 1280-channel layer before the last is
    left out, and so is stochastic depth, whose rate in that code is 0 in every block; dropout 0.2 before the linear
    layer stays. We depart from it in leaving out the 1 x 1 convolution of the first block (1,088 parameters), which it
    allocates and never runs. The nonlinearity is x sigmoid(x) (SiLU).

    Examples
    --------
    >>> len(EfficientNetB0().sensitivity_layers)
    18
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        n_classes: int = 10,
        width: float = 1.0,
        initialisation: Initialisation = "torch",
        seed: int = 0,
    ) -> None:
        super().__init__(in_channels, n_classes)
        channels, *widths = scaled((32, *(group.channels for group in B0)), width)
        count = 0
        with seeded(seed):
            self.stem = _activated(self.in_channels, channels, 3)
            for group, out_channels in zip(B0, widths, strict=True):
                for stride in (group.stride, *(1,) * (group.blocks - 1)):
                    count += 1
                    self.add_module(f"block{count}", _Inverted(channels, out_channels, group, stride))
                    channels = out_channels
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.flatten = nn.Flatten()
            self.dropout = nn.Dropout(0.2)
            self.linear = nn.Linear(channels, self.n_classes)
            draw_weights(self, initialisation)
        self.sensitivity_layers = ("stem", *(f"block{k}" for k in range(1, count + 1)), "output")


class _Inverted(nn.Module):
    """Widen by 1 x 1, filter each channel, weigh the channels, narrow by 1 x 1; the input is added where it fits."""

    def __init__(self, in_channels: int, out_channels: int, group: _Group, stride: int) -> None:
        super().__init__()
        width = group.expansion * in_channels
        self.expand = _activated(in_channels, width, 1) if group.expansion > 1 else nn.Identity()
        self.depthwise = _activated(width, width, group.side, stride=stride, groups=width)
        self.attention = _ChannelAttention(width, max(1, in_channels // 4))
        self.project = stage(conv=nn.Conv2d(width, out_channels, 1, bias=False), norm=nn.BatchNorm2d(out_channels))
        self.has_skip = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.attention(self.depthwise(self.expand(x))))
        return x + y if self.has_skip else y


class _ChannelAttention(nn.Module):
    """Squeeze and excitation: each channel times a factor in (0, 1) that depends on the means of all channels."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.factors = stage(
            pool=nn.AdaptiveAvgPool2d(1),
            squeeze=nn.Conv2d(channels, hidden, 1),
            act=nn.SiLU(),
            excite=nn.Conv2d(hidden, channels, 1),
            gate=nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x * self.factors(x)
        return y


def _activated(in_channels: int, out_channels: int, side: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, side, stride, side // 2, groups=groups, bias=False)
    return stage(conv=conv, norm=nn.BatchNorm2d(out_channels), act=nn.SiLU())
