"""The device, floating type, form and number in which a net takes images."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scaledetect._base.errors import bad_type, bad_value

__all__ = ["DeviceAndType", "Prepare", "prepared", "rows_for", "shape_error"]

Prepare = Callable[[Tensor], Tensor]

MEMORY = 2**29
"""Bytes that the images and activations of one batch may take on a CPU; four times that on an accelerator."""

CACHE = 2**23
"""Bytes of a layer in a batch beyond which nothing is gained on a CPU: larger ones leave its caches."""

EFFICIENT_ROWS = 64
"""Rows that large nets need to make up for reading their weights, ..."""

LARGE = 2**24
"""... unless a layer then takes more bytes than this, and input and output leave the last of the caches, ..."""

FEWEST_ROWS = 24
"""... but these at least, to make up for what is done once a layer."""

_ABOUT_SHAPES = re.compile(r"shape|size|dimension|channel|expected|mat1|batch|input|index", re.IGNORECASE)


class DeviceAndType(NamedTuple):
    """Where, and in which floating type, a net takes its images."""

    device: torch.device
    dtype: torch.dtype

    @classmethod
    def of(cls, net: nn.Module, device: torch.device | None = None, dtype: torch.dtype | None = None) -> DeviceAndType:
        """That of the first parameter or buffer (the CPU and float32 without any), unless given."""
        tensors = [*net.parameters(), *net.buffers()]
        devices = (tensor.device for tensor in tensors)
        types = (tensor.dtype for tensor in tensors if tensor.is_floating_point())
        return cls(device or next(devices, torch.device("cpu")), dtype or next(types, torch.float32))

    def __call__(self, images: NDArray[Any] | Tensor) -> Tensor:
        """The images there."""
        return torch.as_tensor(images).to(self.device, self.dtype)


def prepared(images: Tensor, prepare: Prepare | None) -> Tensor:
    """`images` in the form the net takes; a new tensor, or `images` itself."""
    if prepare is None:
        return images
    result = prepare(images)
    if not isinstance(result, Tensor):
        raise bad_type("prepare", type(result).__name__, "must return a tensor")
    if result.ndim < 1 or len(result) != len(images):
        raise bad_value("prepare", tuple(result.shape), f"must return a row for each of the {len(images)} images")
    return result


def shape_error(
    net: Callable[[Tensor], object], images: Tensor, prepare: Prepare | None, error: Exception
) -> Exception:
    """The error to raise when `net` has failed on its first images: `error` itself unless it is about their shape.

    Where a common change of form makes the net run, it is suggested; `net` is tried on each.
    """
    shape = tuple(images.shape)
    about = isinstance(error, RuntimeError | ValueError | IndexError | TypeError | AssertionError)
    if not about or not _ABOUT_SHAPES.search(str(error)):
        return error
    reason = str(error).strip().splitlines()[0]
    if prepare is not None:
        return bad_value("prepare", shape, f"the net does not take what it makes of images of this shape: {reason}")
    suited = next((code for code, x in _forms(net, images) if _runs(net, x)), None)
    way_out = (
        f"give prepare={suited}" if suited else "give a prepare that suits it, such as prepare=lambda x: x.flatten(1)"
    )
    return bad_value("net", type(net).__name__, f"does not take images of shape {shape}: {reason}", way_out)


def _forms(net: object, images: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "lambda x: x.flatten(1)", images.flatten(1)
    yield "lambda x: x.squeeze(1)", images[:, 0]
    yield "lambda x: x.flatten(2).transpose(1, 2)", images.flatten(2).transpose(1, 2)
    if images.ndim == 3:
        yield "lambda x: x[:, :, None]", images[:, :, None]
    wide = [m.in_channels for m in net.modules() if hasattr(m, "in_channels")] if isinstance(net, nn.Module) else []
    if wide and isinstance(channels := wide[0], int) and images.shape[1] == 1:
        others = ", -1" * (images.ndim - 2)
        yield f"lambda x: x.expand(-1, {channels}{others})", images.expand(-1, channels, *images.shape[2:])
    for side in (32, 64, 224):
        if images.ndim == 4 and (margin := side - images.shape[-1]) > 0:
            padded = torch.nn.functional.pad(images, (0, margin, 0, margin))
            yield f"lambda x: torch.nn.functional.pad(x, (0, {margin}, 0, {margin}))", padded


def _runs(net: Callable[[Tensor], object], images: Tensor) -> bool:
    try:
        net(images)
    except Exception:
        return False
    return True


def rows_for(image_bytes: int, layer_bytes: Sequence[int], device: torch.device) -> int:
    """Rows of a batch that run fast and fit the memory; even. Bytes are those of one row.

    Memory is counted as if a net kept every layer; what gains from the caches, by the layer that works on most.
    """
    rows = MEMORY // (image_bytes + sum(layer_bytes))
    if device.type == "cpu":
        largest = max(image_bytes, *layer_bytes)
        rows = min(rows, max(CACHE // largest, min(EFFICIENT_ROWS, LARGE // largest), FEWEST_ROWS))
    else:
        rows *= 4
    return max(2, rows // 2 * 2)
