"""Cluster expansion: the trained net on one pixel at a time, to first order."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.sampling.seeds import factor_seed
from scaledetect.theory import Theory, cluster_sensitivities

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["ClusterExpansion"]

DRAWS = 1000
"""Draws of the noise on the empty image; D needs none."""


class ClusterExpansion(Theory):
    """`scaledetect.theory.cluster_sensitivities` at order 1: pixels do not interact, and noise falls on no pixel."""

    name, title, version, told = "cluster-1", "Cluster expansion, order 1", 1, "net"

    def applies(self, experiment: Experiment) -> bool:
        """To pooling nets on tasks without background noise."""
        return experiment.card.net.width is not None and experiment.task.background_noise == 0

    def predict(self, experiment: Experiment) -> dict[int, Sensitivities]:
        """One for each net whose weights are there."""
        seeds = experiment.published_seeds
        with warnings.catch_warnings():
            # Its NaN says so: ridge may wipe out a layer.
            warnings.simplefilter("ignore", RuntimeWarning)
            return {
                seed: cluster_sensitivities(
                    net,
                    experiment.task,
                    noise=Noise(mode="rectified_noise"),
                    n=DRAWS,
                    # Not the draws of the measurement, which the theory is not told.
                    seed=factor_seed(seed, "fit"),
                )
                for seed, net in zip(seeds, experiment.nets(seeds), strict=True)
            }
