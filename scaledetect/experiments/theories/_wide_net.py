"""The infinitely wide random net of an experiment's architecture, on its task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.theory import at_initialisation

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["wide_net"]


DRAWS = 2000
"""Draws of the Monte Carlo for G; D is enumerated wherever that is feasible."""


def wide_net(experiment: Experiment) -> Sensitivities:
    """Averages over random weights (`scaledetect.theory.at_initialisation`)."""
    pooling, spec = experiment.pooling, experiment.spec
    assert spec is not None
    return at_initialisation(
        experiment.task,
        filter_size=pooling.filter_size,
        stride=pooling.stride,
        depth=pooling.depth,
        gain=experiment.card.net.gain or "critical",
        noise=Noise(mode="rectified_noise"),
        n=DRAWS,
    )
