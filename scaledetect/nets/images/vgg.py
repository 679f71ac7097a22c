"""VGG at CIFAR scale, of any configuration."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal

from torch import nn

from scaledetect._base.arguments import at_least_one
from scaledetect._base.errors import bad_value, unknown_name
from scaledetect.nets.images.cifar import SIDE, CifarNet, Initialisation, draw_weights, scaled, stage
from scaledetect.nets.initialisation import seeded

__all__ = ["VGG", "VGG_CONFIGURATIONS"]

Configuration = tuple[int | Literal["M"], ...]

VGG_CONFIGURATIONS = MappingProxyType[str, Configuration](
    {
        "vgg11": (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
        "vgg13": (64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
        "vgg16": (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"),
        "vgg19": (64, 64, "M", 128, 128, "M", *(256,) * 4, "M", *(512,) * 4, "M", *(512,) * 4, "M"),
    }
)
"""Output channels of each convolution; "M" is a max-pooling by 2."""


class VGG(CifarNet):
    """3 x 3 convolutions with ReLU, max-pooled by 2 in between, and one linear layer.

    Parameters
    ----------
    configuration : str or sequence of int and "M", default "vgg11"
        Output channels of each convolution, "M" where the map is max-pooled by 2, at most five times; or the name of
        one of `VGG_CONFIGURATIONS`: "vgg11", "vgg13", "vgg16", "vgg19".
    in_channels : int, default 3
    n_classes : int, default 10
    batch_norm : bool, default False
        Batch normalisation between each convolution and its ReLU.
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
        layer1 ... layerK, the convolutions after ReLU, and output. The modules of layer k are ``layer<k>.conv``,
        ``layer<k>.norm`` (if any) and ``layer<k>.relu``; those between are ``pool1`` and so on.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: no convolution, more than five poolings, an unknown name.

    Notes
    -----
    Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", arXiv 1409.1556, in the
    form for 32 x 32 images used with arXiv 2210.01506: one linear layer in place of three, no dropout.

    Examples
    --------
    >>> VGG((8, "M", 16), in_channels=1, batch_norm=True).sensitivity_layers
    ('layer1', 'layer2', 'output')
    """

    def __init__(
        self,
        configuration: str | Sequence[int | str] = "vgg11",
        *,
        in_channels: int = 3,
        n_classes: int = 10,
        batch_norm: bool = False,
        width: float = 1.0,
        initialisation: Initialisation = "torch",
        seed: int = 0,
    ) -> None:
        super().__init__(in_channels, n_classes)
        entries = _scaled(_checked(configuration), width)
        layers, pools, channels = 0, 0, self.in_channels
        with seeded(seed):
            for entry in entries:
                if entry == "M":
                    pools += 1
                    self.add_module(f"pool{pools}", nn.MaxPool2d(2))
                    continue
                layers += 1
                self.add_module(f"layer{layers}", _convolution(channels, entry, batch_norm))
                channels = entry
            self.flatten = nn.Flatten()
            self.linear = nn.Linear(channels * (SIDE // 2**pools) ** 2, self.n_classes)
            draw_weights(self, initialisation)
        self.sensitivity_layers = (*(f"layer{k}" for k in range(1, layers + 1)), "output")


def _convolution(in_channels: int, out_channels: int, batch_norm: bool) -> nn.Sequential:
    norm = nn.BatchNorm2d(out_channels) if batch_norm else None
    return stage(conv=nn.Conv2d(in_channels, out_channels, 3, padding=1), norm=norm, relu=nn.ReLU())


def _scaled(entries: Configuration, width: float) -> Configuration:
    channels = iter(scaled([entry for entry in entries if entry != "M"], width))
    return tuple("M" if entry == "M" else next(channels) for entry in entries)


def _checked(configuration: str | Sequence[int | str]) -> Configuration:
    if isinstance(configuration, str):
        if configuration not in VGG_CONFIGURATIONS:
            raise unknown_name("VGG configuration", configuration, VGG_CONFIGURATIONS)
        return VGG_CONFIGURATIONS[configuration]
    entries: Configuration = tuple(
        "M" if entry == "M" else at_least_one("configuration", entry) for entry in configuration
    )
    pools = entries.count("M")
    if pools > 5:
        raise bad_value("configuration", entries, f'has {pools} "M", but a side of 32 can be halved five times')
    if pools == len(entries):
        raise bad_value("configuration", entries, "has no convolution", "give the channels of one at least")
    return entries
