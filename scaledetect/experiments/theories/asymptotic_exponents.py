"""Asymptotic exponents of constant filters, with prefactors fitted on the first layer: the paper's statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaledetect.results import Sensitivities
from scaledetect.theory import Theory, exponents

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = [
    "AsymptoticExponents",
    "power_law",
]


def power_law(experiment: Experiment, of_d: float, of_g: float) -> Sensitivities:
    """Powers of A through the geometric mean over nets of the first layer, which is all that is measured of them."""
    left_out = experiment.collapsed
    first = [s for seed, s in zip(experiment.seeds, experiment.measured, strict=True) if seed not in left_out]
    D, G = (np.exp(np.mean([np.log(getattr(s, name)[0]) for s in first])) for name in ("D", "G"))
    ratio = experiment.A / experiment.A[0]
    config = {"experiment": experiment.name, "noise": {"mode": "rectified_noise"}, "channel_mean": False}
    return Sensitivities.from_arrays(
        D=D * ratio**of_d, G=G * ratio**of_g, layers=experiment.layers, A=experiment.A, config=config
    )


class AsymptoticExponents(Theory):
    """D_k and G_k as powers of A_k, with prefactors fitted on layer 1: the paper's statement for 1 << A << xi."""

    name, title, version, told = "asymptotic-exponents", "Asymptotic exponents, fitted on layer 1", 1, "task"
    fitted_layers = 1

    def applies(self, experiment: Experiment) -> bool:
        """Where all layers have the same filter side and stride."""
        pooling = experiment.pooling
        return len(set(pooling.filter_size)) == len(set(pooling.stride)) == 1

    def predict(self, experiment: Experiment) -> Sensitivities:
        """Exponents of `scaledetect.theory.exponents`."""
        pooling = experiment.pooling
        powers = exponents(filter_size=pooling.filter_size[0], stride=pooling.stride[0], dim=experiment.task.dim)
        return power_law(experiment, powers.D, powers.G)
