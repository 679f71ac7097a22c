"""Baseline: nothing changes with depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.experiments.theories._power_law import power_law
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["NothingChanges"]


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
