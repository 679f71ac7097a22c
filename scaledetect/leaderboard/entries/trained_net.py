"""Entries that are nets, trained by `scaledetect.train`."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import integer
from scaledetect._base.errors import DivergedError
from scaledetect._base.files import plain
from scaledetect.leaderboard.entries.base import Entry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from torch import nn

    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

__all__ = ["TrainedEntry", "epochs_for"]

BATCH = 256
"""Images in a forward pass."""

NOT_LEARNT = 0.25
"""Share of its own training images that a net which has not learnt gets wrong: more than this."""


class TrainedEntry(Entry):
    """A net, a function of the shape of an image, and how it is trained, by the number of training images.

    Some first weights lead descent nowhere: the net gives all images one label. A net that gets more than a quarter of
    its own training images wrong is trained again from other first weights, `restarts` times at most; if none of them
    learns, the one with the fewest wrong training images stays. Neither validation nor test rows take part.

    Attributes
    ----------
    device : str or None
        Where it is trained; None for a GPU where there is one.
    restarts : int, default 3
        How often at most; 0 for never.
    """

    exact = False
    device: str | None = "cpu"
    restarts: int = 3

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
        """Name and options of the net, every number of the training, and when it begins again."""
        shape = (1, *task.shape)
        spec, training = self.spec(shape), self.training_on(shape, n_train)
        found = {"net": spec.name, "options": plain(dict(spec.options)), "training": training.describe()}
        if restarts := self._restarts():
            found["restarts"] = {"most": restarts, "train_error_above": NOT_LEARNT}
        return found

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Train on all training rows; first weights and order follow from the root of the run, as `seed` does."""
        spec, config = self.spec(sampler.shape), self.training_on(sampler.shape, sampler.n_train)
        restarts, fewest = self._restarts(), math.inf
        for attempt in range(1 + restarts):
            net = sampler.train_net(spec, config, device=self.device, attempt=attempt)
            wrong = _n_wrong(net, sampler) if restarts else 0
            if wrong < fewest:
                self.net, fewest = net, wrong
            if fewest <= NOT_LEARNT * sampler.n_train:
                break

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """The sign of the output, or the larger of two; an output that is not finite makes the run diverge."""
        return _labels(self.net, X)

    def _restarts(self) -> int:
        return integer("restarts", self.restarts, 0)


def _labels(net: nn.Module, X: NDArray[np.float32]) -> NDArray[np.int8]:
    import torch

    with torch.no_grad():
        found = torch.cat([net(part) for part in torch.split(torch.from_numpy(X), BATCH)])
    if not found.isfinite().all():
        raise DivergedError("the output of the net is not finite for every image")
    near = found[:, 0] > 0 if found.shape[1] == 1 else found[:, 1] > found[:, 0]
    return np.where(near.numpy(), 1, -1).astype(np.int8)


def _n_wrong(net: nn.Module, sampler: Sampler) -> int:
    X, y = sampler.train()
    return int(np.count_nonzero(_labels(net, X) != y))


def epochs_for(steps: int, n_train: int, batch_size: int, *, least: int) -> int:
    """Epochs that take about so many steps: few images are seen more often, many at least `least` times."""
    return max(least, math.ceil(steps * batch_size / n_train))
