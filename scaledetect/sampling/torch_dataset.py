"""The task as a map-style data set for `torch.utils.data.DataLoader`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from scaledetect._base.arguments import check_seed, one_of
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.sampling.gaussian_noise import background
from scaledetect.sampling.rendering import render_pairs
from scaledetect.sampling.samplers import check_request, pairs_at
from scaledetect.sampling.splits import Split
from scaledetect.task.task import Task

__all__ = ["ScaleDetectionDataset"]


class ScaleDetectionDataset(Dataset[tuple[Any, Any]]):
    """Samples of a task, made when asked for: nothing is stored but the numbers that define them.

    Parameters
    ----------
    task : Task
    n : int
        Number of samples.
    seed : int, default 0
        From 0 to 2^64 - 1.
    split : {"train", "validation", "test"}, optional
        As in `sample_pairs`, without replacement.
    target : {"sign", "index"}, default "sign"
        Labels as float32 -1 (far) and +1 (near), for a hinge loss, or int64 0 (far) and 1 (near), for a cross-entropy.
    transform : callable, optional
        Applied to each image tensor.

    Notes
    -----
    Item i is ``(image, target)``, the image a float32 tensor of shape (1, L[, L[, L]]). A `DataLoader` asks for whole
    batches through ``__getitems__``. The items are the same for any number of workers, forked or spawned, and in
    threads.

    Examples
    --------
    >>> import scaledetect as sd
    >>> data = sd.ScaleDetectionDataset(sd.Task(dim=1, size=64, xi=16), 100, split="train", target="index")
    >>> image, target = data[3]
    >>> tuple(image.shape), int(target)
    ((1, 64), 0)
    """

    def __init__(
        self,
        task: Task,
        n: int,
        *,
        seed: int = 0,
        split: Split | None = None,
        target: Literal["sign", "index"] = "sign",
        transform: Callable[[torch.Tensor], Any] | None = None,
    ) -> None:
        one_of("target", target, ("sign", "index"))
        self.n, _ = check_request(task, n, 0, split, replace=False)
        self.task = task
        self.seed = check_seed(seed)
        self.split = split
        self.target = target
        self.transform = transform

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        where = f", split={self.split!r}" if self.split else ""
        return (
            f"<ScaleDetectionDataset of {self.n} samples{where}, seed={self.seed}, target={self.target!r}: {self.task}>"
        )

    def __getitem__(self, index: int) -> tuple[Any, torch.Tensor]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, torch.Tensor]]:
        """The items of `indices`, negative ones counted from the end."""
        numbers = self._numbers(indices)
        pairs, labels = pairs_at(self.task, numbers, seed=self.seed, split=self.split)
        images = torch.from_numpy(render_pairs(pairs, self.task))
        if self.task.background_noise and len(numbers):
            self._add_background(numbers, images.numpy())
        targets = torch.from_numpy(labels)
        targets = targets.to(torch.float32) if self.target == "sign" else (targets > 0).to(torch.int64)
        pictures = images if self.transform is None else [self.transform(image) for image in images]
        return list(zip(pictures, targets, strict=True))

    def _add_background(self, numbers: NDArray[np.int64], images: NDArray[np.float32]) -> None:
        # Noise comes in runs of consecutive samples: a batch in order is one run, a shuffled one many.
        for rows in np.split(np.arange(len(numbers)), np.flatnonzero(np.diff(numbers) != 1) + 1):
            noise = background(self.task, len(rows), seed=self.seed, split=self.split, start=int(numbers[rows[0]]))
            if noise is not None:
                images[rows] += noise

    def _numbers(self, indices: Sequence[int]) -> NDArray[np.int64]:
        numbers = np.asarray(indices)
        if numbers.size and numbers.dtype.kind not in "iu":
            raise bad_type("index", indices, "must be integers")
        numbers = numbers.astype(np.int64)
        for number in numbers[(numbers < -self.n) | (numbers >= self.n)]:
            # The type that ends the old iteration protocol of a sequence.
            raise IndexError(str(bad_value("index", int(number), f"this data set holds {self.n} samples")))
        result: NDArray[np.int64] = np.where(numbers < 0, numbers + self.n, numbers)
        return result
