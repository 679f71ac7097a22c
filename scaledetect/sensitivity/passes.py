"""Forward passes: draws in, block sums of every layer out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Protocol

import torch
from torch import Tensor, nn

from scaledetect.errors import bad_type, bad_value
from scaledetect.sensitivity.accumulate import BlockSums, LayerSums
from scaledetect.sensitivity.batching import Batches, Rows, rows_for
from scaledetect.sensitivity.capture import Capture
from scaledetect.sensitivity.draws import Versions

__all__ = ["Draws", "block_sums", "floating_type"]


Adder = Callable[[LayerSums, Tensor, Rows], None]


class Draws(Protocol):
    """A source of images: any run of its draws, clean, deformed and noisy; its rows go through the classes in turn."""

    @property
    def classes(self) -> int:
        """Number of classes C, of equal weight."""

    def __call__(self, start: int, n: int) -> Versions:
        """Draws `start` to `start` + `n`, both multiples of C."""


def block_sums(
    net: nn.Module,
    capture: Capture,
    draws: Draws,
    n: int,
    *,
    blocks: int,
    batch_size: int | None = None,
    channel_mean: bool = False,
) -> dict[str, BlockSums]:
    """Sums over `n` draws in `blocks` equal blocks, for each layer by name, in the order of execution.

    `net` is ready to run and `capture` entered; `batch_size` defaults to what fits a moderate memory.
    """
    place = _Place(net)
    sizes, image_bytes = _probe(capture, place(draws(0, draws.classes)))
    if batch_size is None:
        batch_size = rows_for(sum(sizes.values()) + image_bytes, place.device.type, draws.classes)
    layers = {
        name: LayerSums(blocks=blocks, classes=draws.classes, block_size=n // blocks, channel_mean=channel_mean)
        for name in sizes
    }
    for start, count, rows in Batches(n, blocks, draws.classes, batch_size):
        _add(capture, layers, place(draws(start, count)), rows)
    return {name: layer.finish() for name, layer in layers.items()}


def floating_type(net: nn.Module) -> torch.dtype:
    """Type of the images a net takes: that of its first floating parameter or buffer, float32 without any."""
    return next((t.dtype for t in chain(net.parameters(), net.buffers()) if t.is_floating_point()), torch.float32)


class _Place:
    """Brings images to where the net is, in its floating type."""

    def __init__(self, net: nn.Module) -> None:
        tensors = chain(net.parameters(), net.buffers())
        self.device = next((tensor.device for tensor in tensors), torch.device("cpu"))
        self.dtype = floating_type(net)

    def __call__(self, versions: Versions) -> list[Tensor]:
        return [torch.from_numpy(images).to(self.device, self.dtype) for images in versions]


def _probe(capture: Capture, versions: list[Tensor]) -> tuple[dict[str, int], int]:
    """Bytes in an image's activation, for each layer that runs, and in its three versions."""
    images = versions[0]
    sizes: dict[str, int] = {}

    def receive(name: str, activation: Tensor) -> None:
        sizes[name] = activation[0].numel() * activation.element_size()

    capture.run(images, receive)
    if not sizes:
        raise bad_type("net", "its output and leaf modules", "none returns a floating tensor", "name layers that do")
    return sizes, 3 * images[0].numel() * images.element_size()


def _add(capture: Capture, layers: dict[str, LayerSums], versions: list[Tensor], rows: Rows) -> None:
    """One batch: a forward pass for each version, every layer's sums taken while it runs."""
    for add, images in zip((LayerSums.clean, LayerSums.deformed, LayerSums.noisy), versions, strict=True):
        waiting = dict(layers)

        def receive(name: str, activation: Tensor, add: Adder = add, waiting: dict[str, LayerSums] = waiting) -> None:
            if name not in waiting:
                raise _unsteady(name)
            add(waiting.pop(name), activation, rows)

        capture.run(images, receive)
        if waiting:
            raise _unsteady(next(iter(waiting)))


def _unsteady(name: str) -> ValueError:
    return bad_value("layers", name, "runs for some batches only", "name the layers to measure, without this one")
