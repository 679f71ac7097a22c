"""Images with a small dither, so that a net of ReLUs is not measured on its kinks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.arguments import at_least_one, not_negative
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.activations.net_input import DeviceAndType
from scaledetect.sampling.samplers import sample_images
from scaledetect.task.task import Task

__all__ = ["DitheredImages"]

TASK_IMAGES = 100
"""How many images stand for a task."""

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class DitheredImages:
    """Images, shape (n, channels, L, ...), and the strength of what is added to them."""

    images: Array
    dither: float
    seed: int

    @classmethod
    def of(cls, images: object, n: int | None, *, dither: float, seed: int) -> DitheredImages:
        """`n` images drawn from a task with replacement, by default 100; or the first `n` given ones, by default all.

        Raises
        ------
        TypeError, ValueError
            Naming the argument.
        """
        count = None if n is None else at_least_one("n", n)
        dither = not_negative("dither", dither)
        if isinstance(images, Task):
            drawn, _ = sample_images(images, count or TASK_IMAGES, seed=seed, replace=True)
            return cls(drawn, dither, seed)
        array = _as_array(images)
        if count is not None and count > len(array):
            raise bad_value("n", n, f"there are {len(array)} images")
        return cls(array[:count], dither, seed)

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, target: DeviceAndType, batch_size: int) -> Iterator[Tensor]:
        """The images as `target` has them, at most `batch_size` at a time.

        To each pixel a number uniform in (0, dither] times the image's root mean square is added (times 1 for an image
        of zeros): the same for every batch size.
        """
        size, rng = at_least_one("batch_size", batch_size), np.random.default_rng(self.seed)
        for start in range(0, len(self), size):
            batch = self.images[start : start + size].astype(np.float64)
            scale = np.sqrt(np.square(batch).mean(axis=tuple(range(1, batch.ndim)), keepdims=True))
            batch += self.dither * np.where(scale > 0, scale, 1.0) * (1 - rng.random(batch.shape))
            yield target(batch)


def _as_array(images: object) -> Array:
    array = images.detach().cpu().numpy() if isinstance(images, Tensor) else images
    if not isinstance(array, np.ndarray):
        raise bad_type("images", type(images).__name__, "must be a scaledetect.Task, a tensor or an ndarray")
    if array.ndim not in (3, 4, 5) or not array.size:
        raise bad_value("images", array.shape, "must have shape (n, channels, L[, L[, L]]), and images in it")
    if array.dtype.kind not in "fiu":
        raise bad_type("images", str(array.dtype), "must be real numbers")
    return array
