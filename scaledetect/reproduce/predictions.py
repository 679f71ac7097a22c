"""The theories that primary hypotheses name, evaluated for a frozen experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import Noise, NoiseMode

if TYPE_CHECKING:
    from scaledetect.experiments import Experiment

__all__ = ["TheoryName", "predicted"]

MOST_DRAWS, FEWEST_DRAWS = 10_000, 50
"""Draws of the noise for G and R; D is exact whatever they are."""

TheoryName = Literal["constant-filters", "infinite-width", "cluster"]


def predicted(theory: TheoryName, experiment: Experiment, quantity: str, noise: NoiseMode) -> FloatArray:
    """What a theory says of D, G or R: shape (K,), or (seeds, K) for one that is told the net.

    Rows of nets whose weights are not published are NaN: a net trained again is another one than was measured.
    """
    task, pooling = experiment.task, experiment.pooling
    shape: dict[str, Any] = {"filter_size": pooling.filter_size, "stride": pooling.stride, "depth": pooling.depth}
    match theory:
        case "constant-filters":
            from scaledetect.theory import sensitivities

            return np.asarray(getattr(sensitivities(task, **shape, noise=Noise(noise)), quantity))
        case "infinite-width":
            from scaledetect.theory import at_initialisation

            gain = experiment.card.net.gain or "critical"
            return np.asarray(getattr(at_initialisation(task, **shape, gain=gain, noise=Noise(noise)), quantity))
        case "cluster":
            return _cluster(experiment, quantity, noise)


def _cluster(experiment: Experiment, quantity: str, noise: NoiseMode) -> FloatArray:
    from scaledetect.theory import cluster_sensitivities

    rows = np.full((len(experiment.seeds), experiment.pooling.depth), np.nan)
    published = experiment.published_seeds
    draws = MOST_DRAWS if quantity != "D" else FEWEST_DRAWS
    for seed, net in zip(published, experiment.nets(published), strict=True):
        found = cluster_sensitivities(net, experiment.task, n=draws, noise=Noise(noise))
        rows[experiment.seeds.index(seed)] = getattr(found, quantity)
    return rows
