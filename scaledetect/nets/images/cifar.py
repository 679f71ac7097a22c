"""Base class of the image nets: 32 x 32 inputs, and modules that run one after the other."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional

from scaledetect._base.arguments import integer, one_of, positive
from scaledetect._base.errors import bad_type, bad_value

__all__ = ["SIDE", "CifarNet", "Initialisation", "draw_weights", "scaled", "stage"]

Initialisation = Literal["torch", "he", "he-convolutions"]

SIDE = 32
"""Side of the images at CIFAR scale, in pixels."""

MOST_CHANNELS = 2**20
"""Of a layer: a larger net is a slip of the width."""


class CifarNet(nn.Module):
    """A chain of modules that takes images of up to 32 x 32 pixels and returns one number per class.

    Subclasses add their modules in the order in which they run.

    Attributes
    ----------
    in_channels, n_classes : int
    sensitivity_layers : tuple of str
        Maps after each nonlinearity (after each block of a residual net), and "output".
    """

    sensitivity_layers: tuple[str, ...]

    def __init__(self, in_channels: int, n_classes: int) -> None:
        super().__init__()
        self.in_channels = integer("in_channels", in_channels, 1, MOST_CHANNELS)
        self.n_classes = integer("n_classes", n_classes, 1, MOST_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, shape (n, n_classes), of images `x`, shape (n, in_channels, height, width), sides up to 32.

        Smaller images are padded with zeros to 32 x 32, centred; where the margin is odd, right and bottom get the
        larger half.

        Raises
        ------
        TypeError, ValueError
            For integers, other numbers of channels, larger images.
        """
        x = self._framed(x)
        for module in self.children():
            x = module(x)
        return x

    def extra_repr(self) -> str:
        """The numbers the net was built with."""
        return f"in_channels={self.in_channels}, n_classes={self.n_classes}"

    def _framed(self, x: Tensor) -> Tensor:
        expected = f"takes images of shape (n, {self.in_channels}, height, width), sides from 1 to {SIDE} pixels"
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise bad_value("x", tuple(x.shape), f"this net {expected}", "build it with another in_channels")
        height, width = x.shape[2:]
        if not (1 <= height <= SIDE and 1 <= width <= SIDE):
            raise bad_value("x", tuple(x.shape), f"this net {expected}", "resize the images or cut them")
        if not x.is_floating_point():
            raise bad_type("x", x.dtype, "must be a floating tensor", "convert it with x.float()")
        if height == width == SIDE:
            return x
        left, top = (SIDE - width) // 2, (SIDE - height) // 2
        return functional.pad(x, (left, SIDE - width - left, top, SIDE - height - top))


def draw_weights(net: nn.Module, initialisation: Initialisation) -> None:
    """Draw the weights again as `initialisation` says, from torch's random state; "torch" leaves them."""
    one_of("initialisation", initialisation, get_args(Initialisation))
    if initialisation == "torch":
        return
    kinds = (nn.Conv2d, nn.Linear) if initialisation == "he" else (nn.Conv2d,)
    for module in net.modules():
        if isinstance(module, kinds):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def scaled(channels: Iterable[int], width: float) -> list[int]:
    """Numbers of channels times `width`, rounded (a half up), at least 1 each."""
    factor = positive("width", width)
    wanted = [factor * number for number in channels]
    if max(wanted) > MOST_CHANNELS:
        text = f"makes a layer of {max(wanted):.6g} channels"
        raise bad_value("width", width, text, f"at most {MOST_CHANNELS}: lower it")
    return [max(1, math.floor(number + 0.5)) for number in wanted]


def stage(**modules: nn.Module | None) -> nn.Sequential:
    """Modules that run one after the other under their names; None is left out."""
    return nn.Sequential(OrderedDict((name, module) for name, module in modules.items() if module is not None))
