"""Baselines: nothing changes with depth, and training changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.experiments.theories.asymptotic_exponents import power_law
from scaledetect.experiments.theories.infinite_width import wide_net
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = [
    "InitialisationForEver",
    "NothingChanges",
]


class NothingChanges(Theory):
    """The baseline that every layer responds as the first, whose D and G are measured."""

    name, title, version, told = "nothing-changes", "Nothing changes with depth", 1, "task"
    fitted_layers = 1

    def applies(self, experiment: Experiment) -> bool:
        """To all."""
        return True

    def predict(self, experiment: Experiment) -> Sensitivities:
        """Layer 1 throughout."""
        return power_law(experiment, 0.0, 0.0)


class InitialisationForEver(Theory):
    """The baseline that training changes nothing: infinite width at initialisation, held against trained nets."""

    name, title, version, told = "initialisation-for-ever", "Initialisation for ever", 1, "task"

    def applies(self, experiment: Experiment) -> bool:
        """To trained nets."""
        return experiment.regime in ("trained", "ridge")

    def predict(self, experiment: Experiment) -> Sensitivities:
        """As at initialisation."""
        return wide_net(experiment)
