"""The paper's trained net, without stride and with stride equal to the filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.entry import TrainedEntry, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["PoolingStride1", "PoolingStride2"]

LONGEST_FILTER = 129
"""Sites of a filter at most: longer ones only cost time."""


class PoolingStride1(TrainedEntry):
    """No stride: filters of half the image, which see two pixels wherever they are, and a layer on their outputs.

    It is made for the distance task with periodic borders, which no shift of the image changes. Plain descent stays at
    chance for thousands of steps here, so Adam takes its place.
    """

    name = "pooling-s1"
    title = "Pooling net, s = 1"
    version = 1
    budget = "quick"

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """Two layers, 16 channels."""
        from scaledetect.nets import NetSpec

        side = min(shape[-1] // 2 + 1, LONGEST_FILTER)
        options = {"filter_size": (side, 1), "stride": 1, "depth": 2, "width": 16}
        return NetSpec("pooling", {"dim": len(shape) - 1, **options})

    def training(self, n_train: int) -> TrainConfig:
        """Adam for about 400 steps, or until the loss is small."""
        from scaledetect.training import TrainConfig

        epochs = epochs_for(400, n_train, 8, least=4)
        return TrainConfig(optimizer="adam", lr=0.1, max_epochs=epochs, target_loss=0.02)


class PoolingStride2(TrainedEntry):
    """Filters of two sites that do not overlap, s = F = 2, until two sites are left per axis.

    It is made for the block task: its maps see blocks of 2, 4, 8, ... sites apart from one another.
    """

    name = "pooling-s2"
    title = "Pooling net, s = F = 2"
    version = 1
    budget = "quick"

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """As many layers as halve the image to two sites per axis, 32 channels."""
        from scaledetect.nets import NetSpec

        depth = max(1, shape[-1].bit_length() - 2)
        return NetSpec("pooling", {"dim": len(shape) - 1, "filter_size": 2, "stride": 2, "depth": depth, "width": 32})

    def training(self, n_train: int) -> TrainConfig:
        """Plain descent, ten times as fast as the paper's, for about 960 steps, or to zero loss."""
        from scaledetect.training import TrainConfig

        return TrainConfig(lr=0.1, max_epochs=epochs_for(960, n_train, 8, least=5))
