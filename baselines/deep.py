"""Image nets of the literature; for the full budget, as a fit takes minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.entry import Limits, TrainedEntry, Tuning, epochs_for
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["AlexNet", "LeNet", "ResNet18", "Vgg11Bn"]


class _ImageNet(TrainedEntry):
    """A net for images of up to 32 x 32 pixels, with two outputs."""

    budget = "full"
    kind = "image net"
    limits = Limits(sites=1024)
    device = None
    net_name: str
    width = 1.0
    lr = 1e-3

    def applies(self, task: Task) -> bool:
        """Images of two dimensions and at most 32 pixels a side."""
        return task.dim == 2 and task.size <= 32

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """The net of the literature, for one channel."""
        from scaledetect.nets import NetSpec

        width = {} if self.width == 1 else {"width": self.width}
        return NetSpec(self.net_name, {"in_channels": 1, "n_classes": 2, **width})

    def training(self, n_train: int) -> TrainConfig:
        """Adam with a cosine schedule on the cross-entropy, for about 400 steps of 32 images."""
        from scaledetect.training import TrainConfig

        return TrainConfig(
            optimizer="adam", lr=self.lr, schedule="cosine", loss="cross_entropy", batch_size=32,
            max_epochs=epochs_for(400, n_train, 32, least=5), target_loss=1e-3,
        )  # fmt: skip


class LeNet(_ImageNet):
    """LeNet."""

    name = "lenet"
    title = "LeNet"
    version = 3
    net_name = "lenet"
    lr = 3e-3
    tuning = Tuning({"lr": (3e-3, 1e-3, 1e-2)}, card="distance-2d-L28-xi14-gap2-open", n_train=(512,))


class AlexNet(_ImageNet):
    """AlexNet at CIFAR scale."""

    name = "alexnet"
    title = "AlexNet"
    version = 2
    net_name = "alexnet"
    lr = 3e-4


class Vgg11Bn(_ImageNet):
    """VGG11 with batch norm, a quarter of its channels."""

    name = "vgg11-bn"
    title = "VGG11, batch norm, width 1/4"
    version = 3
    net_name = "vgg11_bn"
    width = 0.25


class ResNet18(_ImageNet):
    """ResNet18 at CIFAR scale, a quarter of its channels."""

    name = "resnet18"
    title = "ResNet18, width 1/4"
    version = 3
    net_name = "resnet18"
    width = 0.25
