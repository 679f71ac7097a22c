"""First order: f(x) = f(0) + phi(p) + phi(q), from images with no and with one active pixel."""

from __future__ import annotations

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.task.task import Task
from scaledetect.theory._ensemble import covariance, degrees, pair_weights, shift_second_moment, transition
from scaledetect.theory._general import DENSE_SITES
from scaledetect.theory.cluster.responses import no_or_one_pixel

__all__ = ["FirstOrder"]


class FirstOrder:
    """The moments tr(C K), with K the Gram matrix <phi(p), phi(p')> and C a matrix of the task alone.

    Attributes
    ----------
    n_images : int
    images : callable
        Images `low` to `high` - 1: the empty one, and then those with one active pixel.
    """

    def __init__(self, task: Task) -> None:
        if task.n_sites > DENSE_SITES:
            limit = f"holds matrices between pixels and takes at most {DENSE_SITES} sites, not {task.n_sites}"
            raise bad_value("size", task.size, limit, "lower size, or measure the net")
        self.n_images, self.images = 1 + task.n_sites, no_or_one_pixel(task)
        weights = pair_weights(task)
        self._degree = degrees(weights)
        self._covariance = covariance(weights)
        self._shift = shift_second_moment(weights, transition(task))

    def moments(self, f: FloatArray) -> tuple[float, float, float]:
        """Shift, covariance and mean square of numbers whose values on the images are `f`, shape (1 + N, a)."""
        phi = f[1:] - f[0]
        mean = f[0] + self._degree @ phi
        # Rows of both matrices add up to 0: what all pixels share drops out, and is best left out.
        phi -= phi.mean(axis=0)
        gram = phi @ phi.T
        return float(np.vdot(self._shift, gram)), float(np.vdot(self._covariance, gram)), float(mean @ mean)
