"""Response of each layer to noise on the empty image, with a delete-a-block jackknife: G to order 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import at_least_one
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.perturbations.noise import NoiseMode
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.activations.reader import ActivationReader

__all__ = ["BLOCKS", "block_means", "check_draws", "empty_responses"]


BLOCKS = 50


def check_draws(n: object) -> int:
    """`n` as a number of draws that makes equal blocks."""
    number = at_least_one("n", n)
    if number % BLOCKS:
        nearest = max(BLOCKS, BLOCKS * round(number / BLOCKS))
        raise bad_value("n", n, f"must be a multiple of {BLOCKS}", f"the nearest is {nearest}")
    return number


def empty_responses(
    reader: ActivationReader, task: Task, mode: NoiseMode, sigma: float, *, n: int, seed: int
) -> Mapping[str, FloatArray]:
    """E|f(eta) - f(0)|^2 of each layer by block, shape (BLOCKS,); draw j is that of a measurement of the same seed."""
    from scaledetect.perturbations.pixel_shift import noise_images

    empty: dict[str, Any] = {}
    reader.run(np.zeros((1, 1, *task.shape)), lambda name, f: empty.update({name: f.clone()}))
    sums = {name: np.zeros(BLOCKS) for name in reader.layers}
    for start in range(0, n, reader.rows):
        rows = min(reader.rows, n - start)
        images = noise_images(task, rows, seed=seed, start=start, dtype=reader.image_dtype)
        images *= sigma
        if mode != "signed":
            np.maximum(images, 0, out=images)
        blocks = np.arange(start, start + rows) % BLOCKS

        def receive(name: str, f: Any, blocks: NDArray[np.int64] = blocks) -> None:
            squares = (f - empty[name]).double().square().sum(1).cpu().numpy()
            sums[name] += np.bincount(blocks, squares, minlength=BLOCKS)

        reader.run(images, receive)
    return {name: total * (BLOCKS / n) for name, total in sums.items()}


def block_means(values: FloatArray) -> tuple[float, FloatArray]:
    """Mean of blocks, and that without each, shape (BLOCKS,)."""
    return float(values.mean()), (values.sum() - values) / (len(values) - 1)
