"""Image nets at CIFAR scale, in the form of the literature."""

from scaledetect.nets.images.alexnet import AlexNet
from scaledetect.nets.images.efficientnet import EfficientNetB0
from scaledetect.nets.images.fully_connected import FullyConnected
from scaledetect.nets.images.lenet import LeNet
from scaledetect.nets.images.resnet import RESNET_CONFIGURATIONS, ResNet
from scaledetect.nets.images.vgg import VGG, VGG_CONFIGURATIONS

__all__ = [
    "RESNET_CONFIGURATIONS",
    "VGG",
    "VGG_CONFIGURATIONS",
    "AlexNet",
    "EfficientNetB0",
    "FullyConnected",
    "LeNet",
    "ResNet",
]
