"""Monte Carlo images of a task: clean, deformed, noisy, and clean ones that are independent of them.

They are drawn with replacement, both classes in equal number, from a stream that no measurement reads: the error of
this Monte Carlo and that of a measurement with the same seed are independent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import Noise
from scaledetect.task.task import Task

__all__ = ["CLEAN", "DEFORMED", "NOISY", "OTHER", "draw_images"]

CLEAN, DEFORMED, NOISY, OTHER = range(4)

MOST_PIXELS = 1 << 14
"""Pixels of each version in memory at a time: the fields of a layer stay in the cache of a processor."""


def draw_images(
    task: Task, noise: Noise, sigma: float, seed: int, start: int, n: int
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Draws `start` to `start` + `n`, both multiples of 4, in parts: four arrays of shape (L, ..., L, part).

    Of four neighbouring draws two are near and two far, and so are the other images of each.
    """
    step = max(4, MOST_PIXELS // task.n_sites // 4 * 4)
    for first in range(start, start + n, step):
        yield _versions(task, noise, sigma, seed, first, min(step, start + n - first))


def _versions(
    task: Task, noise: Noise, sigma: float, seed: int, start: int, n: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    from scaledetect.perturbations.pixel_shift import noise_images, shift_pairs
    from scaledetect.sampling.rendering import render_pairs
    from scaledetect.sampling.samplers import sample_pairs

    task = replace(task, balance="equal")
    own, others = _seed(seed, "images"), _seed(seed, "other images")
    pairs, y = sample_pairs(task, n, seed=own, replace=True, start=start)
    clean = render_pairs(pairs, task, dtype="float64")
    deformed = render_pairs(shift_pairs(pairs, y, task, seed=own, start=start), task, dtype="float64")
    white = noise_images(task, n, seed=own, start=start, dtype="float64")
    white *= _norms(deformed - clean) / _norms(white) if noise.match == "sample" else sigma
    # Two near and two far in turn, against one and one of the clean images: all four combinations come up.
    second, _ = sample_pairs(task, n, seed=others, replace=True, start=start)
    second = second.reshape(-1, 2, 2, 2, task.dim).swapaxes(1, 2).reshape(second.shape)
    other = render_pairs(second, task, dtype="float64")
    if task.background_noise > 0:
        scene = _background(task, own, start, n)
        clean, deformed, other = clean + scene, deformed + scene, other + _background(task, others, start, n)
    return _last(clean), _last(deformed), _last(_with_noise(noise, clean, white)), _last(other)


def _with_noise(noise: Noise, clean: FloatArray, white: FloatArray) -> FloatArray:
    if noise.mode == "rectified_noise":
        return clean + np.maximum(white, 0)
    noisy = clean + white
    return np.maximum(noisy, 0) if noise.mode == "rectified_input" else noisy


def _background(task: Task, seed: int, start: int, n: int) -> FloatArray:
    from scaledetect.sampling.gaussian_noise import background

    scene = background(task, n, seed=seed, replace=True, start=start, dtype="float64")
    assert scene is not None
    return scene


def _norms(images: FloatArray) -> FloatArray:
    axes = tuple(range(1, images.ndim))
    return np.asarray(np.sqrt(np.square(images).sum(axis=axes, keepdims=True)))


def _last(images: FloatArray) -> FloatArray:
    """From shape (n, 1, L, ...) to (L, ..., n), contiguous."""
    return np.ascontiguousarray(np.moveaxis(images[:, 0], 0, -1))


def _seed(seed: int, purpose: str) -> int:
    from scaledetect.sampling.keys import seed_key

    return int.from_bytes(seed_key(seed, f"theory at initialisation/{purpose}")[:8], "little")
