"""Gaussian filters with the moments of the trained nets', measured."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.sampling.seeds import factor_seed
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["GaussianFilters"]

DRAWS = 1000


class GaussianFilters(Theory):
    """Filters drawn anew, with the mean and the standard deviation that each layer of the net has at each pixel."""

    name, title, version, told = "gaussian-filters", "Gaussian filters of the nets' moments", 1, "statistics"

    def applies(self, experiment: Experiment) -> bool:
        """To trained nets: before training the filters are Gaussian anyway."""
        return experiment.regime in ("trained", "ridge")

    def predict(self, experiment: Experiment) -> dict[int, Sensitivities]:
        """One for each net whose weights are there."""
        from scaledetect.probes import gaussian_filters
        from scaledetect.sensitivity import sensitivities

        seeds = experiment.published_seeds
        found: dict[int, Sensitivities] = {}
        with warnings.catch_warnings():
            # Its NaN says so: ridge may wipe out a layer.
            warnings.simplefilter("ignore", RuntimeWarning)
            for seed, net in zip(seeds, experiment.nets(seeds), strict=True):
                drawn, noise = gaussian_filters(net, factor_seed(seed, "fit")), Noise(mode="rectified_noise")
                draws = factor_seed(factor_seed(seed, "fit"), "measure")
                found[seed] = sensitivities(drawn, experiment.task, DRAWS, noise=noise, seed=draws)
        return found
