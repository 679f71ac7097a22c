"""A convolutional net with global average pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.entry import TrainedEntry, Tuning, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["GlobalAverage"]


class GlobalAverage(TrainedEntry):
    """Overlapping filters of three sites, stride 2, and the mean over the two sites per axis that are left."""

    name = "gap-cnn"
    title = "CNN, global average pooling"
    version = 4
    budget = "quick"
    kind = "convolutional"
    lr = 1e-2
    tuning = Tuning({"lr": (3e-3, 1e-3, 1e-2, 3e-2)}, card="block-1d-L64", n_train=(64, 128, 256))

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """As many layers as halve the image to two sites per axis, 32 channels."""
        from scaledetect.nets import NetSpec

        return NetSpec("global_average", {"dim": len(shape) - 1, "depth": max(1, shape[-1].bit_length() - 2)})

    def training(self, n_train: int) -> TrainConfig:
        """Adam with a cosine schedule for about 1,000 steps of 16, at least 8 epochs, or until the loss is small."""
        from scaledetect.training import TrainConfig

        return TrainConfig(
            batch_size=16, optimizer="adam", lr=self.lr, schedule="cosine",
            max_epochs=epochs_for(1000, n_train, 16, least=8), target_loss=0.01,
        )  # fmt: skip
