"""Baseline: training changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.experiments.theories._wide_net import wide_net
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["InitialisationForEver"]


class InitialisationForEver(Theory):
    """The baseline that training changes nothing: infinite width at initialisation, held against trained nets."""

    name, title, version, told = "initialisation-for-ever", "Initialisation for ever", 1, "task"

    def applies(self, experiment: Experiment) -> bool:
        """To trained nets."""
        return experiment.regime in ("trained", "ridge")

    def predict(self, experiment: Experiment) -> Sensitivities:
        """As at initialisation."""
        return wide_net(experiment)
