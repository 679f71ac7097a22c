"""Training images as they are shown: random crops, flips and noise, a batch at a time; test images with their noise."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect.sampling.gaussian_noise import normal_rows
from scaledetect.sampling.keys import seed_key
from scaledetect.training.images.config import ImageTrainConfig

__all__ = ["ShownImages", "with_noise"]


class ShownImages:
    """The training images of one seed, from which batches are cut.

    Parameters
    ----------
    images : ndarray of float32, shape (n, C, L, L)
    black : ndarray of float32, shape (C,)
        What comes in at the border.
    config : ImageTrainConfig
    seed : int
        Decides the noise that is fixed.
    device : torch.device
    """

    def __init__(
        self,
        images: NDArray[np.float32],
        black: NDArray[np.float32],
        config: ImageTrainConfig,
        seed: int,
        device: torch.device,
    ) -> None:
        self._config = config
        if config.noise == "fixed":
            images = with_noise(images, config.noise_norm, seed, "training-noise")
        n, channels, side = images.shape[:3]
        self._side, pad = side, config.crop
        # Channels last: a crop is then made of whole rows of pixels, and convolutions on a CPU are faster.
        padded = torch.empty(n, side + 2 * pad, side + 2 * pad, channels)
        padded[:] = torch.from_numpy(black)
        padded[:, pad : pad + side, pad : pad + side] = torch.from_numpy(images).permute(0, 2, 3, 1)
        self._padded = padded.to(device)
        # Every crop of every image, as a view: (n, rows, columns, L, L, C).
        self._crops = self._padded.unfold(1, side, 1).unfold(2, side, 1).permute(0, 1, 2, 4, 5, 3)

    def __len__(self) -> int:
        return len(self._padded)

    def batches(self, order: NDArray[np.int64], seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Places and images of each batch, shape (b, C, L, L) in channels-last memory, in the order given.

        `seed` decides crops, flips and noise, whatever the device.
        """
        config, device = self._config, self._padded.device
        rng = np.random.Generator(np.random.Philox(key=seed))
        shifts = torch.from_numpy(rng.integers(0, 2 * config.crop + 1, (2, len(order)))).to(device)
        mirrored = torch.from_numpy(rng.random(len(order)) < 0.5).to(device)
        key = seed_key(seed, "training-noise")
        start = 0
        for places in torch.split(torch.from_numpy(order).to(device), config.batch_size):
            part = slice(start, start + len(places))
            shown = self._crops[places, shifts[0, part], shifts[1, part]]
            if config.flip:
                shown[mirrored[part]] = shown[mirrored[part]].flip(2)
            if config.noise_norm and config.noise == "anew":
                shown += _noise(shown.shape, config.noise_norm, key, start).to(device)
            yield places, shown.permute(0, 3, 1, 2)
            start += len(places)

    def plain(self, seed: int, size: int = 512) -> Iterator[Tensor]:
        """The images in their order, neither cropped nor mirrored, with the noise that `seed` decides."""
        pad, side = self._config.crop, self._side
        key = seed_key(seed, "training-noise")
        for start in range(0, len(self), size):
            shown = self._padded[start : start + size, pad : pad + side, pad : pad + side]
            if self._config.noise_norm and self._config.noise == "anew":
                shown = shown + _noise(shown.shape, self._config.noise_norm, key, start).to(shown.device)
            yield shown.permute(0, 3, 1, 2)


def with_noise(images: NDArray[np.float32], norm: float, seed: int, purpose: str) -> NDArray[np.float32]:
    """The images with white noise of E|eta|^2 = norm^2 each, a draw for each image by its place."""
    if not norm:
        return images
    noisy: NDArray[np.float32] = images + _noise(images.shape, norm, seed_key(seed, purpose), 0).numpy()
    return noisy


def _noise(shape: tuple[int, ...] | torch.Size, norm: float, key: bytes, start: int) -> Tensor:
    width = math.prod(shape[1:])
    rows = normal_rows(key, shape[0], width, start=start, scale=norm / math.sqrt(width))
    return torch.from_numpy(rows).reshape(shape)
