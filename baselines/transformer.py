"""A small transformer with learnt positions: attention between pixels, or between patches of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.entry import Limits, TrainedEntry, Tuning, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["SmallTransformer"]


class SmallTransformer(TrainedEntry):
    """Two blocks of 64 numbers a token and four heads; a token is a pixel in 1-D, four pixels of a square in 2-D.

    The position of a square is the sum of a vector of its row and one of its column, each seen in many more images.
    The hinge loss, whose gradient ends where a margin is reached, leaves it far from zero loss in as many steps.
    """

    name = "transformer"
    title = "Transformer, learnt positions"
    version = 3
    budget = "full"
    kind = "attention"
    limits = Limits(sites=4096)
    lr = 1e-3
    tuning = Tuning({"lr": (1e-3, 3e-4, 3e-3)}, card="block-1d-L128", n_train=(512, 1024))

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """Tokens of one pixel, or of two a side where there are more dimensions and the size is even."""
        from scaledetect.nets import NetSpec

        size, dim = shape[-1], len(shape) - 1
        patch = 2 if dim > 1 and size % 2 == 0 else 1
        options = {"size": size, "dim": dim, "patch": patch, "axial": dim > 1, "n_classes": 2}
        return NetSpec("transformer", options)

    def training(self, n_train: int) -> TrainConfig:
        """Adam with a cosine schedule on the cross-entropy, until the loss is small or for about 3,000 steps of 64.

        At least 24 epochs: after 12, on 16,384 images of the distance task, it still gets training images wrong.
        """
        from scaledetect.training import TrainConfig

        return TrainConfig(
            batch_size=64, optimizer="adam", lr=self.lr, schedule="cosine", loss="cross_entropy",
            max_epochs=epochs_for(3000, n_train, 64, least=24), target_loss=0.01,
        )  # fmt: skip
