"""Residual networks at CIFAR scale."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor, nn

from scaledetect._base.arguments import at_least_one
from scaledetect._base.errors import bad_value, unknown_name
from scaledetect.nets.images.cifar import CifarNet, Initialisation, draw_weights, scaled, stage
from scaledetect.nets.initialisation import seeded

__all__ = ["RESNET_CONFIGURATIONS", "ResNet"]

WIDTHS = (64, 128, 256, 512)


class _Configuration(NamedTuple):
    blocks: tuple[int, ...]
    bottleneck: bool


RESNET_CONFIGURATIONS = MappingProxyType(
    {
        "resnet18": _Configuration((2, 2, 2, 2), bottleneck=False),
        "resnet34": _Configuration((3, 4, 6, 3), bottleneck=False),
        "resnet50": _Configuration((3, 4, 6, 3), bottleneck=True),
    }
)
"""Blocks of each of the four groups, and their kind."""


class ResNet(CifarNet):
    """A 3 x 3 convolution, four groups of residual blocks of 64, 128, 256, 512 channels, and a linear layer.

    The last three groups begin with stride 2. No convolution has a bias; each is followed by batch normalisation.

    Parameters
    ----------
    configuration : str or sequence of four int, default "resnet18"
        Blocks in each group; or the name of one of `RESNET_CONFIGURATIONS`: "resnet18", "resnet34", "resnet50".
    in_channels : int, default 3
    n_classes : int, default 10
    bottleneck : bool, optional
        Blocks of three convolutions, 1 x 1, 3 x 3 and 1 x 1 with four times the channels, in place of two of 3 x 3. A
        name decides it; otherwise False.
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
        stem; block1 ... blockK, each after its last ReLU; output.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: not four groups, an unknown name, a name together with `bottleneck`.

    Notes
    -----
    He, Zhang, Ren, Sun, "Deep residual learning for image recognition", arXiv 1512.03385, in the form for 32 x 32
    images used with arXiv 2210.01506: the stem is 3 x 3 without stride or pooling, and the bottleneck has its stride in
    the 3 x 3 convolution.

    Examples
    --------
    >>> len(ResNet("resnet18").sensitivity_layers)
    10
    """

    def __init__(
        self,
        configuration: str | Sequence[int] = "resnet18",
        *,
        in_channels: int = 3,
        n_classes: int = 10,
        bottleneck: bool | None = None,
        width: float = 1.0,
        initialisation: Initialisation = "torch",
        seed: int = 0,
    ) -> None:
        super().__init__(in_channels, n_classes)
        groups, bottleneck = _checked(configuration, bottleneck)
        widths = scaled(WIDTHS, width)
        channels, count = widths[0], 0
        with seeded(seed):
            self.stem = stage(**_normalised(self.in_channels, channels, 3), relu=nn.ReLU())
            for group, (own, blocks) in enumerate(zip(widths, groups, strict=True)):
                for stride in (1 if group == 0 else 2, *(1,) * (blocks - 1)):
                    count += 1
                    block = _Residual(channels, own, stride, bottleneck=bottleneck)
                    self.add_module(f"block{count}", block)
                    channels = block.out_channels
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.flatten = nn.Flatten()
            self.linear = nn.Linear(channels, self.n_classes)
            draw_weights(self, initialisation)
        self.sensitivity_layers = ("stem", *(f"block{k}" for k in range(1, count + 1)), "output")


class _Residual(nn.Module):
    """ReLU(branch(x) + shortcut(x)); the shortcut is a 1 x 1 convolution where the shape changes."""

    def __init__(self, in_channels: int, width: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        self.out_channels = 4 * width if bottleneck else width
        # Sides of the filters; the stride belongs to the first 3 x 3.
        sides = (1, 3, 1) if bottleneck else (3, 3)
        widths = (in_channels, *(width,) * (len(sides) - 1), self.out_channels)
        strided = sides.index(3)
        self.branch = nn.Sequential()
        for k, side in enumerate(sides):
            step = stride if k == strided else 1
            for name, module in _normalised(widths[k], widths[k + 1], side, step).items():
                self.branch.add_module(f"{name}{k + 1}", module)
            if k + 1 < len(sides):
                self.branch.add_module(f"relu{k + 1}", nn.ReLU())
        reshapes = stride != 1 or in_channels != self.out_channels
        self.shortcut = stage(**_normalised(in_channels, self.out_channels, 1, stride)) if reshapes else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.branch(x) + self.shortcut(x))
        return y


def _normalised(in_channels: int, out_channels: int, side: int, stride: int = 1) -> dict[str, nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, side, stride=stride, padding=side // 2, bias=False)
    return {"conv": conv, "norm": nn.BatchNorm2d(out_channels)}


def _checked(configuration: str | Sequence[int], bottleneck: bool | None) -> _Configuration:
    if isinstance(configuration, str):
        if configuration not in RESNET_CONFIGURATIONS:
            raise unknown_name("ResNet configuration", configuration, RESNET_CONFIGURATIONS)
        if bottleneck is not None:
            raise bad_value("bottleneck", bottleneck, f"{configuration!r} decides it", "give the blocks as numbers")
        return RESNET_CONFIGURATIONS[configuration]
    groups = tuple(at_least_one("configuration", entry) for entry in configuration)
    if len(groups) != len(WIDTHS):
        raise bad_value("configuration", groups, f"needs the number of blocks in each of {len(WIDTHS)} groups")
    return _Configuration(groups, bool(bottleneck))
