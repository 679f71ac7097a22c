"""Theory of nets at initialisation: averages over random weights, at infinite width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory, at_initialisation

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = [
    "InfiniteWidth",
    "wide_net",
]


DRAWS = 2000
"""Draws of the Monte Carlo for G; D is enumerated wherever that is feasible."""


def wide_net(experiment: Experiment) -> Sensitivities:
    """Averages over random weights (`scaledetect.theory.at_initialisation`)."""
    pooling = experiment.pooling
    return at_initialisation(
        experiment.task,
        filter_size=pooling.filter_size,
        stride=pooling.stride,
        depth=pooling.depth,
        gain=experiment.card.net.gain or "critical",
        noise=Noise(mode="rectified_noise"),
        n=DRAWS,
    )


class InfiniteWidth(Theory):
    """Averages over random weights at infinite width (`scaledetect.theory.at_initialisation`), before training."""

    name, title, version, told = "infinite-width", "Infinite width at initialisation", 1, "task"

    def applies(self, experiment: Experiment) -> bool:
        """At initialisation."""
        return experiment.regime == "initialisation"

    def predict(self, experiment: Experiment) -> Sensitivities:
        """From task and architecture; the widths of the nets are not used."""
        return wide_net(experiment)
