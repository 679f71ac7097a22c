"""Entries that are nets, trained by `scaledetect.train`."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.errors import DivergedError
from scaledetect._base.files import plain
from scaledetect.leaderboard.entries.base import Entry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["TrainedEntry", "epochs_for"]

BATCH = 256
"""Images in a forward pass."""


class TrainedEntry(Entry):
    """A net, a function of the shape of an image, and how it is trained, by the number of training images.

    Attributes
    ----------
    device : str or None
        Where it is trained; None for a GPU where there is one.
    """

    exact = False
    device: str | None = "cpu"

    @abstractmethod
    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        """The net for images of shape (1, L), (1, L, L) or (1, L, L, L)."""

    @abstractmethod
    def training(self, n_train: int) -> TrainConfig:
        """How it is trained."""

    def training_on(self, shape: tuple[int, ...], n_train: int) -> TrainConfig:
        """How it is trained on images of `shape`, where that depends on it."""
        return self.training(n_train)

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """Name and options of the net, and every number of the training."""
        shape = (1, *task.shape)
        spec, training = self.spec(shape), self.training_on(shape, n_train)
        return {"net": spec.name, "options": plain(dict(spec.options)), "training": training.describe()}

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Train on all training rows; first weights and order follow from the root of the run, as `seed` does."""
        shape = sampler.shape
        self.net = sampler.train_net(self.spec(shape), self.training_on(shape, sampler.n_train), device=self.device)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """The sign of the output, or the larger of two; an output that is not finite makes the run diverge."""
        import torch

        with torch.no_grad():
            found = torch.cat([self.net(part) for part in torch.split(torch.from_numpy(X), BATCH)])
        if not found.isfinite().all():
            raise DivergedError("the output of the net is not finite for every image")
        near = found[:, 0] > 0 if found.shape[1] == 1 else found[:, 1] > found[:, 0]
        return np.where(near.numpy(), 1, -1).astype(np.int8)


def epochs_for(steps: int, n_train: int, batch_size: int, *, least: int) -> int:
    """Epochs that take about so many steps: few images are seen more often, many at least `least` times."""
    return max(least, math.ceil(steps * batch_size / n_train))
