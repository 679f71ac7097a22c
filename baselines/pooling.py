"""The paper's trained nets: filters without stride, filters that do not overlap, and filters that overlap by half."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scaledetect.entry import Budget, Limits, TrainedEntry, Tuning, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["PoolingOverlap", "PoolingStride1", "PoolingStride2"]


class PoolingStride1(TrainedEntry):
    """No stride, F = 3, as in the paper's distance task: as many layers as see pixels that are xi = L/4 apart.

    No shift of the image changes its output. Plain descent stays at chance for thousands of steps at this depth, so
    Adam takes its place.
    """

    name = "pooling-s1"
    title = "Pooling net, s = 1, F = 3"
    version = 3
    budget = "full"
    kind = "pooling"
    limits = Limits(sites=256)

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """L/8 layers of 32 channels, at least two: each lets a site see one more on either side."""
        from scaledetect.nets import NetSpec

        depth = max(2, shape[-1] // 8)
        return NetSpec("pooling", {"dim": len(shape) - 1, "filter_size": 3, "stride": 1, "depth": depth, "width": 32})

    def training(self, n_train: int) -> TrainConfig:
        """Adam with a cosine schedule for about 600 steps of 16 images, or until the loss is small."""
        from scaledetect.training import TrainConfig

        return TrainConfig(
            batch_size=16, optimizer="adam", lr=0.03, schedule="cosine",
            max_epochs=epochs_for(600, n_train, 16, least=1), target_loss=0.02,
        )  # fmt: skip


class PoolingStride2(TrainedEntry):
    """Filters of two sites that do not overlap, s = F = 2, until two sites are left per axis.

    It is made for the block task: its maps see blocks of 2, 4, 8, ... sites apart from one another.
    """

    name = "pooling-s2"
    title = "Pooling net, s = F = 2"
    version = 3
    budget: ClassVar[Budget] = "quick"
    kind = "pooling"
    lr = 0.1
    filter_size = 2
    tuning = Tuning({"lr": (0.1, 0.03, 0.3)}, card="block-1d-L64", n_train=(64, 128, 256))

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """As many layers as halve the image to two sites per axis, 32 channels."""
        from scaledetect.nets import NetSpec

        depth = max(1, shape[-1].bit_length() - 2)
        return NetSpec(
            "pooling",
            {"dim": len(shape) - 1, "filter_size": self.filter_size, "stride": 2, "depth": depth, "width": 32},
        )

    def training(self, n_train: int) -> TrainConfig:
        """Plain descent, ten times as fast as the paper's, to zero loss or for about 2,000 steps, at least 8 epochs."""
        from scaledetect.training import TrainConfig

        return TrainConfig(lr=self.lr, max_epochs=epochs_for(2000, n_train, 8, least=8))


class PoolingOverlap(PoolingStride2):
    """Stride 2 and filters of four sites, which overlap by half, until two sites are left per axis.

    Where filters do not overlap two pixels on either side of a block's border meet in the last layers or not at all;
    here each layer sees every pair of neighbours. As the stride divides the filter it pools: its D falls as A^-2.
    """

    name = "pooling-f4"
    title = "Pooling net, s = 2, F = 4"
    version = 2
    filter_size = 4
    budget = "full"
    tuning = Tuning({"lr": (0.1, 0.03, 0.3)}, card="distance-1d-L64", n_train=(64, 128, 256))
