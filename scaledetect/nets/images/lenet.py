"""LeNet at CIFAR scale."""

from __future__ import annotations

from torch import nn

from scaledetect.nets.images.cifar import CifarNet, Initialisation, draw_weights, scaled, stage
from scaledetect.nets.initialisation import seeded

__all__ = ["LeNet"]


class LeNet(CifarNet):
    """Two 5 x 5 convolutions without padding, each max-pooled by 2, and three linear layers; ReLU.

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
        layer1 and layer2, the convolutions after ReLU; layer3 and layer4, the linear layers after ReLU; output.

    Notes
    -----
    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998), in
    the form in common use for CIFAR-10: 6 and 16 channels, 120 and 84 hidden units, ReLU and max-pooling. We depart
    from the code used with arXiv 2210.01506 for images of 28 pixels: it leaves them and shrinks the first linear layer;
    here they are padded to 32.

    Examples
    --------
    >>> import torch
    >>> LeNet(in_channels=1)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
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
        self.sensitivity_layers = ("layer1", "layer2", "layer3", "layer4", "output")
        a, b, c, d = scaled((6, 16, 120, 84), width)
        with seeded(seed):
            self.layer1 = stage(conv=nn.Conv2d(self.in_channels, a, 5), relu=nn.ReLU())
            self.pool1 = nn.MaxPool2d(2)
            self.layer2 = stage(conv=nn.Conv2d(a, b, 5), relu=nn.ReLU())
            self.pool2 = nn.MaxPool2d(2)
            self.flatten = nn.Flatten()
            self.layer3 = stage(linear=nn.Linear(b * 5 * 5, c), relu=nn.ReLU())
            self.layer4 = stage(linear=nn.Linear(c, d), relu=nn.ReLU())
            self.linear = nn.Linear(d, self.n_classes)
            draw_weights(self, initialisation)
