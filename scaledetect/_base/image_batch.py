"""Images as a user has them (NumPy or torch, with or without batch and channels) as one torch batch, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.errors import bad_type, bad_value

__all__ = ["SHAPES", "ImageBatch"]

SHAPES = "(L, L), (C, L, L) with at most 4 channels, or (..., C, L, L)"

MOST_CHANNELS = 4
"""Of one image given without a batch axis; more are taken for a batch of grey images whose channel axis is missing."""


@dataclass(frozen=True)
class ImageBatch:
    """Square images of finite floating values, as a tensor of shape (n, C, L, L).

    The last two axes are the image and the one before them its channels; all axes before that count images. An array
    of two axes is one grey image, of three axes one image (C, L, L), as in torchvision.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    is_torch: bool

    @classmethod
    def of(cls, images: NDArray[Any] | Tensor) -> ImageBatch:
        """Check `images` and bring them into shape; memory is shared where it can be."""
        tensor = images if isinstance(images, Tensor) else _from_numpy(images)
        shape = tuple(tensor.shape)
        _check_shape(shape)
        if not tensor.is_floating_point():
            raise bad_type("images", tensor.dtype, "must be floating", "convert them, as with images.float() / 255")
        _check_finite(tensor.detach())
        channels = shape[-3] if len(shape) > 2 else 1
        flat = tensor.reshape(math.prod(shape[:-3]), channels, *shape[-2:])
        return cls(flat, shape, isinstance(images, Tensor))

    @property
    def n(self) -> int:
        """Number of images."""
        return len(self.tensor)

    @property
    def size(self) -> int:
        """Side L, pixels."""
        return int(self.tensor.shape[-1])

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The axes that count images."""
        return self.shape[:-3]

    def restore(self, tensor: Tensor) -> Any:
        """`tensor`, of shape (n, C, L, L), in the shape and kind that the images came in."""
        result = tensor.reshape(self.shape)
        return result if self.is_torch else result.numpy()


def _from_numpy(images: object) -> Tensor:
    if not isinstance(images, np.ndarray):
        way_out = "a transform comes after the conversion to a tensor"
        raise bad_type("images", type(images).__name__, "must be a NumPy array or a torch tensor", way_out)
    if images.dtype not in (np.dtype("float16"), np.dtype("float32"), np.dtype("float64")):
        raise bad_type("images", images.dtype, "must be float16, float32 or float64", "convert them with astype")
    array = np.ascontiguousarray(images).reshape(images.shape)
    # torch warns of an array that it may not write to.
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise bad_value("images", f"array of shape {shape}", f"must have shape {SHAPES}")
    if shape[-1] != shape[-2]:
        raise bad_value("images", f"array of shape {shape}", "must be square", "pad or crop them")
    if len(shape) == 3 and shape[0] > MOST_CHANNELS:
        raise bad_value(
            "images",
            f"array of shape {shape}",
            f"three axes are one image of at most {MOST_CHANNELS} channels",
            "give images[:, None] for a batch of grey images, images[None] for one image of many channels",
        )


def _check_finite(tensor: Tensor) -> None:
    # One pass: a sum with NaN or inf in it is not finite. One of large values may not be either: the slow test decides.
    # NumPy's on the CPU: torch would wake its threads for it, which on a busy machine takes longer than the sum.
    if tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64):
        with np.errstate(over="ignore", invalid="ignore"):
            total = torch.tensor(tensor.numpy().sum())
    else:
        total = tensor.sum()
    if bool(torch.isfinite(total)):
        return
    bad = int((~torch.isfinite(tensor)).sum())
    if bad:
        raise bad_value("images", f"{bad} of {tensor.numel()} values are NaN or infinite", "all must be finite")
