"""Training, validation and test rows of a member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scaledetect._base.errors import bad_value
from scaledetect.sampling.samplers import check_splits, sample_images
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.task import Task

__all__ = ["Rows", "Sizes", "draw_rows"]


@dataclass(frozen=True)
class Sizes:
    """Numbers of rows of each split; checked against the task by `check`."""

    train: int
    validation: int = 0
    test: int = 0

    def check(self, task: Task) -> Sizes:
        """The same as Python integers; raise unless each split holds that many, and the first two fit their half.

        Raises
        ------
        TypeError, ValueError
            Naming `n_train`, `n_validation` or `n_test`, and how many there are.
        """
        sizes = Sizes(*check_splits(task, self.train, self.validation, self.test))
        if sizes.train < 1:
            raise bad_value("n_train", sizes.train, "must be at least 1")
        return sizes


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one split of M members.

    `images` has shape (M, n, 1, L[, L[, L]]), `labels`, of the same dtype, shape (M, n): +1 near, -1 far.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return self.labels.shape[1]

    def keep(self, members: Sequence[int]) -> Rows:
        """Those of some members, by their places."""
        places = torch.as_tensor(members, device=self.labels.device)
        return Rows(self.images[places], self.labels[places])


def draw_rows(
    task: Task,
    n: int,
    split: Literal["train", "validation", "test"],
    seeds: Sequence[int],
    *,
    dtype: Literal["float32", "float64"],
    device: torch.device,
) -> Rows:
    """The first n rows of a split for each root seed."""
    images = np.empty((len(seeds), n, 1, *task.shape), dtype=dtype)
    labels = np.empty((len(seeds), n), dtype=dtype)
    for place, root in enumerate(seeds):
        _, labels[place] = sample_images(task, n, seed=factor_seed(root, "data"), split=split, out=images[place])
    return Rows(torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device))
