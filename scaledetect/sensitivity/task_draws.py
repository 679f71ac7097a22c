"""The images a measurement is made on: each clean, deformed and noisy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.arguments import check_seed
from scaledetect.perturbations.noise import Noise
from scaledetect.perturbations.pixel_shift import noise_images, shift_pairs
from scaledetect.sampling.gaussian_noise import background
from scaledetect.sampling.rendering import render_pairs
from scaledetect.sampling.samplers import sample_pairs
from scaledetect.task.task import Task
from scaledetect.theory import ensemble_sigma

__all__ = ["Images", "TaskDraws", "Versions"]

Array = NDArray[np.floating[Any]]
Images = Array | Tensor


class Versions(NamedTuple):
    """The same images three times, each of shape (n, 1, L, ...)."""

    clean: Images
    deformed: Images
    noisy: Images


@dataclass(frozen=True)
class TaskDraws:
    """Images of a task drawn with replacement, row by row near and far in turn; deformed by the shift.

    Draw j is a function of (task, noise, seed, j) alone: the same for every net, layer and batch size.
    """

    task: Task
    noise: Noise
    seed: int
    dtype: Literal["float32", "float64"]
    sigma: float = field(init=False)

    classes = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", replace(self.task, balance="equal"))
        object.__setattr__(self, "seed", check_seed(self.seed))
        object.__setattr__(self, "sigma", self._sigma())

    def __call__(self, start: int, n: int) -> Versions:
        """Draws `start` to `start` + `n`, near where the number is even."""
        pairs, y = sample_pairs(self.task, n, seed=self.seed, replace=True, start=start)
        return self.of_pairs(pairs, y, start)

    def of_pairs(self, pairs: NDArray[np.int64], y: NDArray[np.int8], start: int) -> Versions:
        """The versions of given pairs, with the moves and the noise of draws `start` on."""
        task, seed, dtype, n = self.task, self.seed, self.dtype, len(pairs)
        clean = render_pairs(pairs, task, dtype=dtype)
        deformed = render_pairs(shift_pairs(pairs, y, task, seed=seed, start=start), task, dtype=dtype)
        noise = noise_images(task, n, seed=seed, start=start, dtype=dtype)
        noise *= self._strength(clean, deformed, noise)
        scene = background(task, n, seed=seed, replace=True, start=start, dtype=dtype)
        if scene is not None:
            clean += scene
            deformed += scene
        return Versions(clean, deformed, _add_noise[self.noise.mode](clean, noise))

    def _sigma(self) -> float:
        if self.noise.sigma is not None:
            return self.noise.sigma
        return float("nan") if self.noise.match == "sample" else ensemble_sigma(self.task)

    def _strength(self, clean: Array, deformed: Array, noise: Array) -> Array | float:
        if self.noise.match == "ensemble":
            return self.sigma
        return (_norms(deformed - clean) / _norms(noise)).astype(self.dtype)


def _norms(images: Array) -> NDArray[np.float64]:
    axes = tuple(range(1, images.ndim))
    norms: NDArray[np.float64] = np.sqrt(np.square(images, dtype=np.float64).sum(axis=axes, keepdims=True))
    return norms


def _signed(clean: Array, noise: Array) -> Array:
    noise += clean
    return noise


def _rectified_noise(clean: Array, noise: Array) -> Array:
    np.maximum(noise, 0, out=noise)
    noise += clean
    return noise


def _rectified_input(clean: Array, noise: Array) -> Array:
    noise += clean
    np.maximum(noise, 0, out=noise)
    return noise


_add_noise: dict[str, Callable[[Array, Array], Array]] = {
    "signed": _signed,
    "rectified_noise": _rectified_noise,
    "rectified_input": _rectified_input,
}
"""How noise of final strength is added, in the memory of the noise."""
