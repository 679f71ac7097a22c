"""The general path: any task and any boundary, by pooling dense second-moment matrices."""

from __future__ import annotations

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.task.task import Task
from scaledetect.theory._ensemble import covariance, degrees, pair_weights, shift_second_moment, transition
from scaledetect.theory._moments import Moments, without_rounding
from scaledetect.theory._pooling import Layer, pooled_gains, pooled_traces, pooled_vectors, row_sums
from scaledetect.theory._windows import FirstLayer, local_corrections

__all__ = ["DENSE_SITES", "general_moments"]


DENSE_SITES = 6144
"""Sites N beyond which dense matrices are refused: one takes 8 N^2 bytes, 0.3 GB, and four are held at a time."""


def general_moments(task: Task, layers: list[Layer], first: FirstLayer | None) -> Moments:
    """Moments of all layers; with `first` those of signed noise instead of `white` and `active`.

    Raises
    ------
    ValueError
        If the task has more than `DENSE_SITES` sites.
    """
    if task.n_sites > DENSE_SITES:
        raise bad_value(
            "size",
            task.size,
            f"the general path holds dense matrices and takes at most {DENSE_SITES} sites, not {task.n_sites}",
            "lower size, or use a periodic distance task with strides whose product divides size",
        )
    dim = task.dim
    weights = pair_weights(task)
    deg = degrees(weights)
    means = pooled_vectors(deg, dim, layers)
    shift = pooled_traces(shift_second_moment(weights, transition(task)), dim, layers)
    scatter = pooled_traces(covariance(weights), dim, layers)
    mean_square = np.array([mean @ mean for mean in means])
    ones = row_sums(layers)
    extra = _white_noise(task, deg, layers) if first is None else _signed_noise(task, weights, first, layers[1:])
    return Moments(
        sites=np.array([float(mean.size) for mean in means]) * ones**2,
        mean_sum=np.array([mean.sum() for mean in means]) * ones,
        mean_square=mean_square,
        covariance=scatter,
        shift=without_rounding(shift, scatter + mean_square),
        **extra,
    )


def _white_noise(task: Task, deg: FloatArray, layers: list[Layer]) -> dict[str, FloatArray]:
    gains = pooled_gains(task.size, task.dim, layers)
    return {"white": np.array([gain.sum() for gain in gains]), "active": np.array([gain @ deg for gain in gains])}


def _signed_noise(task: Task, weights: FloatArray, first: FirstLayer, later: list[Layer]) -> dict[str, FloatArray]:
    local, both = local_corrections(first, weights)
    return {
        "local": np.concatenate([[np.trace(local)], pooled_traces(local, task.dim, later)]),
        "both": np.array([both.sum()] + [vector.sum() for vector in pooled_vectors(both, task.dim, later)]),
    }
