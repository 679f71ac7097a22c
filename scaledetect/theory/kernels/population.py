"""All images of a small task, with their labels and their weights in the class-balanced measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.task import Task
from scaledetect.task.population import class_sizes
from scaledetect.theory._ensemble import class_weights, pair_classes

__all__ = ["MAX_PAIRS", "Population", "population_of"]


MAX_PAIRS = 5000
"""Pairs beyond which a population is refused: the kernel is a dense matrix, and its spectrum takes their cube."""


@dataclass(frozen=True, eq=False)
class Population:
    """M images, in row-major order of their pairs.

    Attributes
    ----------
    images : ndarray of float64, shape (M, L[, L[, L]])
    y : ndarray of float64, shape (M,)
        +1 near, -1 far.
    weights : ndarray of float64, shape (M,)
        Probability of each image: each class has 1/2, spread evenly over its pairs.
    """

    images: FloatArray
    y: FloatArray
    weights: FloatArray


def population_of(task: Task) -> Population:
    """The population of a task without background noise, of at most `MAX_PAIRS` pairs.

    Raises
    ------
    ValueError
        For a larger one, and for background noise.
    """
    if task.background_noise > 0:
        limit = "with background noise the population is infinite, and the kernel no matrix"
        raise bad_value("task.background_noise", task.background_noise, limit, "take a task without it")
    n_near, n_far = class_sizes(task.population)
    if n_near + n_far > MAX_PAIRS:
        limit = f"the task has {n_near + n_far} pairs, and the kernel of at most {MAX_PAIRS} is diagonalised"
        raise bad_value("task.size", task.size, limit, "lower size")
    near_weight, far_weight = class_weights(task)
    near, far = pair_classes(task)
    p, q = np.nonzero(np.triu(near | far))
    y = np.where(near[p, q], 1.0, -1.0)
    images = np.zeros((len(p), task.n_sites))
    images[np.arange(len(p)), p] = images[np.arange(len(p)), q] = task.pixel_value
    return Population(images.reshape(-1, *task.shape), y, np.where(y > 0, near_weight, far_weight))
