"""Reference networks, and image nets of the literature by name."""

from scaledetect.nets.batch_norm import calibrate_batch_norm
from scaledetect.nets.circular import CircularConv1d, CircularConv2d, CircularConv3d, circular_conv, circular_pad
from scaledetect.nets.constant_filter import ConstantFilterNet
from scaledetect.nets.images import VGG, AlexNet, EfficientNetB0, FullyConnected, LeNet, ResNet
from scaledetect.nets.pooling import PoolingNet
from scaledetect.nets.registry import get, names
from scaledetect.nets.spec import NetFactory, NetSpec

__all__ = [
    "VGG",
    "AlexNet",
    "CircularConv1d",
    "CircularConv2d",
    "CircularConv3d",
    "ConstantFilterNet",
    "EfficientNetB0",
    "FullyConnected",
    "LeNet",
    "NetFactory",
    "NetSpec",
    "PoolingNet",
    "ResNet",
    "calibrate_batch_norm",
    "circular_conv",
    "circular_pad",
    "get",
    "names",
]
