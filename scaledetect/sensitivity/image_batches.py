"""Images from a tensor or a loader, checked and cut into batches of another size."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.errors import bad_type, bad_value

__all__ = ["ImageSource", "ImageStream", "rebatched"]

ImageSource = Tensor | NDArray[Any] | Iterable[Any]


class ImageStream:
    """Batches of square images of one shape, float32 or float64 on a device, in the order of their source.

    Parameters
    ----------
    images : tensor or ndarray of shape (n, C, L, L), or iterable of such, or of tuples that begin with one
    device, dtype : torch.device, torch.dtype
        Where to, and as which type.

    Attributes
    ----------
    one_shot : bool
        The source is an iterator: it can be read once.
    """

    def __init__(self, images: ImageSource, device: torch.device, dtype: torch.dtype) -> None:
        if isinstance(images, str | bytes | dict) or not isinstance(images, Iterable):
            way_out = "a tensor of shape (n, C, L, L), or an iterable of batches as a DataLoader"
            raise bad_type("images", type(images).__name__, "is no source of images", f"give {way_out}")
        self._images, self._device, self._dtype = images, device, dtype
        self.one_shot = isinstance(images, Iterator)

    def __iter__(self) -> Iterator[Tensor]:
        source = [self._images] if isinstance(self._images, Tensor | np.ndarray) else self._images
        shape: tuple[int, ...] | None = None
        empty = True
        for batch in source:
            images = _checked(batch)
            if shape is not None and images.shape[1:] != shape:
                raise bad_value("images", tuple(images.shape[1:]), f"follow images of shape {tuple(shape)}")
            shape = images.shape[1:]
            if len(images):
                empty = False
                yield images
        if empty:
            raise bad_value(
                "images", "an empty source", "holds no image", "see that the loader's data set is not empty"
            )

    def moved(self, images: Tensor) -> Tensor:
        """A batch on the device and in the type asked for; raise unless all values are finite."""
        moved = images.to(self._device, self._dtype)
        if not bool(torch.isfinite(moved).all()):
            raise bad_value("images", "NaN or infinity", "is in an image", "images must be finite")
        return moved


def rebatched(batches: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """The same rows in batches of `size`, the last one perhaps smaller."""
    waiting: list[Tensor] = []
    for rows in itertools.chain.from_iterable(torch.split(batch, size) for batch in batches):
        waiting.append(rows)
        if sum(map(len, waiting)) >= size:
            joined = torch.cat(waiting) if len(waiting) > 1 else waiting[0]
            yield joined[:size]
            waiting = [joined[size:]] if len(joined) > size else []
    if waiting:
        yield torch.cat(waiting)


def _checked(batch: Any) -> Tensor:
    if isinstance(batch, tuple | list) and len(batch):
        # As a DataLoader of (x, y) gives them.
        batch = batch[0]
    if isinstance(batch, np.ndarray):
        if batch.dtype.kind != "f":
            raise bad_type("images", batch.dtype.name, "must be floating", "convert them, as with x.astype('float32')")
        batch = torch.as_tensor(batch)
    if not isinstance(batch, Tensor):
        raise bad_type("images", type(batch).__name__, "batches must be tensors, or tuples that begin with one")
    if not batch.is_floating_point():
        raise bad_type("images", batch.dtype, "must be floating", "convert them, as with x.float() / 255")
    if batch.ndim != 4:
        way_out = "give images[:, None] where the channel axis is missing" if batch.ndim == 3 else ""
        raise bad_value("images", tuple(batch.shape), "must have shape (n, C, L, L)", way_out)
    if batch.shape[2] != batch.shape[3]:
        raise bad_value("images", tuple(batch.shape), "must be square: (n, C, L, L)", "pad or crop them")
    return batch
