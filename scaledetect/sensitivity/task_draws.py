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
    """The same images three times, each of shape (n, 1, L, ...); and with noise of further forms."""

    clean: Images
    deformed: Images
    noisy: Images
    further: tuple[Images, ...] = ()


@dataclass(frozen=True)
class TaskDraws:
    """Images of a task drawn with replacement, row by row near and far in turn; deformed by the shift.

    Draw j is a function of (task, noise, seed, j) alone: the same for every net, layer and batch size. Noise of all
    forms comes from the same normal numbers.
    """

    task: Task
    noise: Noise
    seed: int
    dtype: Literal["float32", "float64"]
    further: tuple[Noise, ...] = ()
    sigmas: tuple[float, ...] = field(init=False)

    classes = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", replace(self.task, balance="equal"))
        object.__setattr__(self, "seed", check_seed(self.seed))
        object.__setattr__(self, "sigmas", tuple(self._sigma(noise) for noise in self.noises))

    @property
    def noises(self) -> tuple[Noise, ...]:
        """All forms of noise."""
        return self.noise, *self.further

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
        normals = noise_images(task, n, seed=seed, start=first, dtype=dtype)
        moved = deformed - clean if any(noise.match == "sample" for noise in self.noises) else None
        scene = background(task, n, seed=seed, replace=True, start=start, dtype=dtype)
        if scene is not None:
            clean += scene
            deformed += scene
        noisy, *further = (
            self._noisy(clean, moved, normals.copy() if self.further else normals, number)
            for number in range(len(self.noises))
        )
        return Versions(clean, deformed, noisy, tuple(further))

    def _noisy(self, clean: Array, moved: Array | None, noise: Array, number: int) -> Array:
        """Images with the noise of one form; `noise` holds normal numbers, and is changed."""
        if moved is None or self.noises[number].match == "ensemble":
            noise *= self.sigmas[number]
        else:
            rescale(torch.from_numpy(noise), norms(torch.from_numpy(moved)))
        noisy: Array = add_noise(torch.from_numpy(clean), torch.from_numpy(noise), self.noises[number].mode).numpy()
        return noisy

    def _sigma(self, noise: Noise) -> float:
        if noise.sigma is not None:
            return noise.sigma
        return float("nan") if noise.match == "sample" else ensemble_sigma(self.task)
