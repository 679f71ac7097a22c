"""Fully connected nets on the pixels, in torch's own parametrisation."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from scaledetect.entry import Budget, TrainedEntry, Tuning, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["FullyConnected2", "FullyConnected3"]

TUNED_SITES = 256
"""Pixels of the images that steps were tuned on."""


class _FullyConnected(TrainedEntry):
    """Linear layers and ReLU: it has to learn site by site which pixels are near.

    `lr` is the step on images of 256 pixels; it falls as one over their number, as the weights of a unit are as many.
    """

    budget: ClassVar[Budget] = "quick"
    kind = "fully connected"
    depth: ClassVar[int]
    width: ClassVar[int]
    lr: ClassVar[float]

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """`width` units in each hidden layer."""
        from scaledetect.nets import NetSpec

        options = {"size": shape[-1], "dim": len(shape) - 1, "depth": self.depth, "width": self.width}
        return NetSpec("mlp", options)

    def training_on(self, shape: tuple[int, ...], n_train: int) -> TrainConfig:
        """The step that suits the number of pixels."""
        return replace(self.training(n_train), lr=self.lr * TUNED_SITES / math.prod(shape))

    def training(self, n_train: int) -> TrainConfig:
        """Adam with a cosine schedule for about 3,000 steps of 64 images, or until the loss is small."""
        from scaledetect.training import TrainConfig

        return TrainConfig(
            batch_size=64, optimizer="adam", lr=self.lr, schedule="cosine",
            max_epochs=epochs_for(3000, n_train, 64, least=1), target_loss=0.01,
        )  # fmt: skip


class FullyConnected2(_FullyConnected):
    """One hidden layer of 512 units."""

    name = "fc2"
    title = "Fully connected, 2 layers"
    version = 5
    budget = "full"
    depth = 2
    width = 512
    lr = 1e-2
    tuning = Tuning({"lr": (1e-2, 1e-3, 3e-3, 3e-2)}, card="distance-1d-L256", n_train=(2048, 4096))


class FullyConnected3(_FullyConnected):
    """Two hidden layers of 256 units."""

    name = "fc3"
    title = "Fully connected, 3 layers"
    version = 4
    depth = 3
    width = 256
    lr = 1e-2
    tuning = Tuning({"lr": (1e-2, 1e-3, 3e-3, 3e-2)}, card="distance-1d-L256", n_train=(2048, 4096))
