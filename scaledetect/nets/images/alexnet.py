"""AlexNet at CIFAR scale."""

from __future__ import annotations

from torch import nn

from scaledetect.nets.images.cifar import CifarNet, Initialisation, draw_weights, scaled, stage
from scaledetect.nets.initialisation import seeded

__all__ = ["AlexNet"]


class AlexNet(CifarNet):
    """Five 3 x 3 convolutions, the first with stride 2, max-pooled by 2 after the first, second and fifth; dropout.

    Parameters
    ----------
    in_channels : int, default 3
    n_classes : int, default 10
    width : float, default 1.0
        Factor on the number of channels of every layer, hidden linear layers too, rounded, at least 1 each.
    initialisation : {"torch", "he", "he-convolutions"}, default "torch"
        First weights: torch's defaults, or normal of variance 2/fan_in with biases 0 (He et al., arXiv 1502.01852), of
        all layers or of convolutions alone: no rectifier follows the last layer, and a smaller one starts faster.
    seed : int, default 0
        Decides the weights; the global random state is not touched.

    Attributes
    ----------
    sensitivity_layers : tuple of str
        layer1 ... layer5, the convolutions after ReLU; layer6 and layer7, the linear layers after ReLU; output.

    Notes
    -----
    Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", NeurIPS 2012, in
    the form for 32 x 32 images used with arXiv 2210.01506: 64, 192, 384, 256, 256 channels, two hidden layers of 4096
    units, dropout 1/2 before each of them.

    Examples
    --------
    >>> AlexNet(n_classes=2).layer5.conv
    Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
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
        self.sensitivity_layers = (*(f"layer{k}" for k in range(1, 8)), "output")
        a, b, c, d, e, hidden = scaled((64, 192, 384, 256, 256, 4096), width)
        with seeded(seed):
            self.layer1 = _convolution(self.in_channels, a, stride=2)
            self.pool1 = nn.MaxPool2d(2)
            self.layer2 = _convolution(a, b)
            self.pool2 = nn.MaxPool2d(2)
            self.layer3 = _convolution(b, c)
            self.layer4 = _convolution(c, d)
            self.layer5 = _convolution(d, e)
            self.pool3 = nn.MaxPool2d(2)
            self.flatten = nn.Flatten()
            self.layer6 = stage(dropout=nn.Dropout(), linear=nn.Linear(e * 2 * 2, hidden), relu=nn.ReLU())
            self.layer7 = stage(dropout=nn.Dropout(), linear=nn.Linear(hidden, hidden), relu=nn.ReLU())
            self.linear = nn.Linear(hidden, self.n_classes)
            draw_weights(self, initialisation)


def _convolution(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return stage(conv=nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1), relu=nn.ReLU())
