"""Fully connected nets in the parametrisation of the pooling nets, so that pooling is the only difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.entry import TrainedEntry, epochs_for

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["FullyConnected2", "FullyConnected4"]


class _FullyConnected(TrainedEntry):
    """A pooling net whose first filter is the image: nothing is left to pool over, and later layers are matrices."""

    version = 1
    budget = "quick"
    hidden: int

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """64 units in each hidden layer."""
        from scaledetect.nets import NetSpec

        side = (shape[-1], *(1,) * (self.hidden - 1))
        options = {"filter_size": side, "stride": side, "depth": self.hidden, "width": 64}
        return NetSpec("pooling", {"dim": len(shape) - 1, **options})

    def training(self, n_train: int) -> TrainConfig:
        """Adam for about 480 steps, or to zero loss, which it reaches on small training sets."""
        from scaledetect.training import TrainConfig

        return TrainConfig(optimizer="adam", lr=0.03, max_epochs=epochs_for(480, n_train, 8, least=5))


class FullyConnected2(_FullyConnected):
    """One hidden layer."""

    name = "fc2"
    title = "Fully connected, 2 layers"
    hidden = 1


class FullyConnected4(_FullyConnected):
    """Three hidden layers."""

    name = "fc4"
    title = "Fully connected, 4 layers"
    hidden = 3
