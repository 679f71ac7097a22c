"""Versions of given images: clean, deformed by a smooth field of their own, noisy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scaledetect.perturbations.diffeo import diffeo
from scaledetect.perturbations.noise import Noise, add_noise, norms, rescale
from scaledetect.sampling.gaussian_noise import normal_rows
from scaledetect.sampling.keys import seed_key
from scaledetect.sensitivity.task_draws import Versions

__all__ = ["ImageDraws"]


@dataclass(frozen=True)
class ImageDraws:
    """Image j gets the field and the noise of number j: a function of (seed, j, its size) alone.

    `sigma` is the noise per pixel and channel; None where each image has its own.
    """

    delta: float
    cutoff: int
    noise: Noise
    seed: int
    sigma: float | None

    def __call__(self, images: Tensor, start: int) -> Versions:
        """The versions of images `start` on."""
        deformed = self.deformed(images, start)
        width = math.prod(images.shape[1:])
        dtype = "float64" if images.dtype == torch.float64 else "float32"
        rows = normal_rows(seed_key(self.seed, "image-noise"), len(images), width, start=start, dtype=dtype)
        noise = torch.from_numpy(rows).to(images.device).view_as(images)
        if self.sigma is None:
            rescale(noise, norms(deformed - images))
        else:
            noise *= self.sigma
        return Versions(images, deformed, add_noise(images, noise, self.noise.mode))

    def deformed(self, images: Tensor, start: int) -> Tensor:
        """Images `start` on, deformed."""
        moved: Tensor = diffeo(images, delta=self.delta, cutoff=self.cutoff, seed=self.seed, start=start)
        return moved

    def matched_sigma(self, batches: Iterable[Tensor]) -> float:
        """Square root of the mean over images, channels and pixels of (tau x - x)^2."""
        total, count, values = 0.0, 0, 0
        for images in batches:
            difference = self.deformed(images, count) - images
            total += float(np.square(torch.linalg.vector_norm(difference, dtype=torch.float64).item()))
            count, values = count + len(images), values + images.numel()
        return math.sqrt(total / values)
