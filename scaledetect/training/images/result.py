"""Result of a training run on images: its members, and their nets before training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import nn

from scaledetect._base.errors import bad_value
from scaledetect.images import ImageData
from scaledetect.nets import NetFactory, NetSpec, calibrate_batch_norm
from scaledetect.sampling.seeds import factor_seed
from scaledetect.training.images.config import ImageTrainConfig
from scaledetect.training.result import TrainedMember, members_frame, members_html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImageTrainingRun", "training_places"]


@dataclass(frozen=True, eq=False)
class ImageTrainingRun:
    """All members of a run on images.

    Attributes
    ----------
    data : ImageData
    spec : NetSpec or NetFactory
    n_train, n_test : int
        Images for training, and for the test error.
    config : ImageTrainConfig
    members : tuple of TrainedMember
        In the order of the seeds asked for. `reached` is the epoch whose net was kept.
    """

    data: ImageData
    spec: NetSpec | NetFactory
    n_train: int
    n_test: int
    config: ImageTrainConfig
    members: tuple[TrainedMember, ...]

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        sizes = f"n_train={self.n_train}, n_test={self.n_test}"
        return f"<ImageTrainingRun of {self.spec.name} on {self.data.name}, {len(self)} seeds, {sizes}>"

    def _repr_html_(self) -> str:
        title = f"{self.spec.name} trained on {self.n_train} images of {self.data.name}, {len(self)} seeds"
        return members_html(title, self.members)

    def __iter__(self) -> Iterator[TrainedMember]:
        return iter(self.members)

    def member(self, seed: int) -> TrainedMember:
        """The member of a root seed."""
        for member in self.members:
            if member.seed == seed:
                return member
        raise bad_value("seed", seed, f"this run has the seeds {[member.seed for member in self.members]}")

    def train_images(self, seed: int) -> NDArray[np.float32]:
        """The training images of a root seed, without noise, shape (n_train, C, L, L)."""
        return self.data.train_images[training_places(self.member(seed).seed, self.n_train, self.data)]

    def initial_net(self, seed: int) -> nn.Module:
        """The net of a root seed before training, in eval mode and ready to be measured.

        Its batch norms, if any, have their statistics calibrated on its training images (`nets.calibrate_batch_norm`).
        """
        return calibrate_batch_norm(self.member(seed).initial_net(), self.train_images(seed))

    def to_frame(self) -> pd.DataFrame:
        """One row a member: seed, status, epochs, reached and the four scores."""
        return members_frame(self.members)


def training_places(seed: int, n: int, data: ImageData) -> NDArray[np.int64]:
    """Places of the training images of a root seed: n of them at random, in a random order."""
    rng = np.random.Generator(np.random.Philox(key=factor_seed(seed, "data")))
    places: NDArray[np.int64] = rng.permutation(len(data.train_labels))[:n]
    return places
