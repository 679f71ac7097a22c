"""Reference networks."""

from scaledetect.nets.circular import CircularConv1d, CircularConv2d, CircularConv3d, circular_conv, circular_pad
from scaledetect.nets.constant_filter import ConstantFilterNet

__all__ = [
    "CircularConv1d",
    "CircularConv2d",
    "CircularConv3d",
    "ConstantFilterNet",
    "circular_conv",
    "circular_pad",
]
