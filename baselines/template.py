"""A pooling net without stride whose filters are as long as half the image: a learnt template of two pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.entry import Limits, TrainedEntry, Tuning, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["Template"]

LONGEST_FILTER = 129
"""Sites of a filter at most: longer ones only cost time."""


class Template(TrainedEntry):
    """Filters of half the image, which see two pixels wherever they are, and a layer on their outputs.

    It is made for the distance task with periodic borders, which no shift of the image changes. Plain descent stays at
    chance for thousands of steps here, so Adam takes its place. The paper's net without stride is `pooling-s1`.
    """

    name = "template"
    title = "Template of half the image"
    version = 3
    budget = "full"
    kind = "convolutional"
    limits = Limits(sites=512)
    lr = 0.03
    tuning = Tuning({"lr": (0.1, 0.03, 0.3)}, card="distance-1d-L64", n_train=(8, 16, 32))

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """Two layers, 16 channels."""
        from scaledetect.nets import NetSpec

        side = min(shape[-1] // 2 + 1, LONGEST_FILTER)
        options = {"filter_size": (side, 1), "stride": 1, "depth": 2, "width": 16}
        return NetSpec("pooling", {"dim": len(shape) - 1, **options})

    def training(self, n_train: int) -> TrainConfig:
        """Adam for about 400 steps, or until the loss is small."""
        from scaledetect.training import TrainConfig

        epochs = epochs_for(400, n_train, 8, least=2)
        return TrainConfig(optimizer="adam", lr=self.lr, max_epochs=epochs, target_loss=0.02)
