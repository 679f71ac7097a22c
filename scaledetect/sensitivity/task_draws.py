"""Draws from a task: images, each clean, deformed and noisy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect._base.arguments import check_seed
from scaledetect.perturbations.noise import Noise, add_noise, norms, rescale
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

    def of_pairs(
        self, pairs: NDArray[np.int64], y: NDArray[np.int8], start: int, *, perturbation: int | None = None
    ) -> Versions:
        """The versions of given pairs as draws `start` on; with the moves and the noise of draws `perturbation` on."""
        task, seed, dtype, n = self.task, self.seed, self.dtype, len(pairs)
        first = start if perturbation is None else perturbation
        clean = render_pairs(pairs, task, dtype=dtype)
        deformed = render_pairs(shift_pairs(pairs, y, task, seed=seed, start=first), task, dtype=dtype)
        noise = noise_images(task, n, seed=seed, start=first, dtype=dtype)
        if self.noise.match == "ensemble":
            noise *= self.sigma
        else:
            rescale(torch.from_numpy(noise), norms(torch.from_numpy(deformed - clean)))
        scene = background(task, n, seed=seed, replace=True, start=start, dtype=dtype)
        if scene is not None:
            clean += scene
            deformed += scene
        noisy = add_noise(torch.from_numpy(clean), torch.from_numpy(noise), self.noise.mode)
        return Versions(clean, deformed, noisy.numpy())

    def _sigma(self) -> float:
        if self.noise.sigma is not None:
            return self.noise.sigma
        return float("nan") if self.noise.match == "sample" else ensemble_sigma(self.task)
