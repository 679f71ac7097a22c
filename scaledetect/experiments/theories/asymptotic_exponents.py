"""Asymptotic exponents of constant filters, with prefactors fitted on the first layer: the paper's statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.experiments.theories._power_law import power_law
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory, exponents

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["AsymptoticExponents"]


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
