"""Activations of a list of images as matrices, one layer at a time, in slices that fit the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import check_seed
from scaledetect._base.array_types import FloatArray, IntArray
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.activations.reader import ActivationReader

__all__ = ["Draw", "activation_slices", "no_or_one_pixel", "reader_on", "site_images"]

Draw = Callable[[int, int], NDArray[Any]]
"""Images `low` to `high` - 1 of a list."""

PROBE = 7
"""Images of the first pass. A layer of the wrong orientation is unlikely to have this many rows by accident."""

SLICE_BYTES = 2**28
"""Bytes of activations held at a time; a net with more of them runs on the images once for each such part."""


def site_images(sites: IntArray, shape: tuple[int, ...], value: float) -> FloatArray:
    """Images of active pixels of the given value, shape (n, 1, L, ...), from flat sites of shape (n, m): they add."""
    images = np.zeros((len(sites), int(np.prod(shape))))
    rows = np.arange(len(sites))
    for column in sites.T:
        images[rows, column] += value
    return images.reshape(len(sites), 1, *shape)


def no_or_one_pixel(task: Task) -> Draw:
    """The empty image, and then the N images of one active pixel."""

    def draw(low: int, high: int) -> FloatArray:
        images = site_images(np.maximum(np.arange(low, high) - 1, 0)[:, None], task.shape, task.pixel_value)
        if low == 0:
            images[0] = 0
        return images

    return draw


@contextmanager
def reader_on(net: Any, task: Task, *, seed: int, **options: Any) -> Iterator[ActivationReader]:
    """The net, ready to run on the images of a task, with its layers known."""
    # Torch is loaded by the theories that run a net, and by them alone.
    from scaledetect.activations.reader import ActivationReader

    with ActivationReader(net, seed=check_seed(seed), **options) as reader:
        reader.probe(no_or_one_pixel(task)(1, min(PROBE, task.n_sites) + 1))
        yield reader


def activation_slices(reader: ActivationReader, draw: Draw, n: int) -> Iterator[tuple[str, FloatArray]]:
    """(layer, f) of `n` images, f of shape (n, numbers), layers in their order; a large layer in several slices.

    Whatever is a sum over the numbers of a layer may be summed over its slices.
    """
    most = max(1, SLICE_BYTES // (8 * n))
    ends = np.cumsum([layer.numbers for layer in reader.layers.values()])
    for low in range(0, int(ends[-1]), most):
        yield from _sweep(reader, draw, n, _parts(reader, ends, low, low + most)).items()


def _parts(reader: ActivationReader, ends: IntArray, low: int, high: int) -> dict[str, slice]:
    """Which numbers of which layers are number `low` to `high` - 1 of all."""
    parts = {}
    for (name, layer), end in zip(reader.layers.items(), ends.tolist(), strict=True):
        start = end - layer.numbers
        if start < high and end > low:
            parts[name] = slice(max(low - start, 0), min(high - start, layer.numbers))
    return parts


def _sweep(reader: ActivationReader, draw: Draw, n: int, parts: dict[str, slice]) -> dict[str, FloatArray]:
    from scaledetect.activations.reader import as_float64

    found = {name: np.empty((n, part.stop - part.start)) for name, part in parts.items()}
    for low in range(0, n, reader.rows):
        high = min(low + reader.rows, n)

        def receive(name: str, f: Any, low: int = low, high: int = high) -> None:
            if name in parts:
                found[name][low:high] = as_float64(f[:, parts[name]])

        reader.run(draw(low, high), receive)
    return found
