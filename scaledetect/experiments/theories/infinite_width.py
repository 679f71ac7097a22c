"""Theory of nets at initialisation: averages over random weights, at infinite width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.experiments.theories._wide_net import wide_net
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["InfiniteWidth"]


class InfiniteWidth(Theory):
    """Averages over random weights at infinite width (`scaledetect.theory.at_initialisation`), before training."""

    name, title, version, told = "infinite-width", "Infinite width at initialisation", 1, "task"

    def applies(self, experiment: Experiment) -> bool:
        """At initialisation."""
        return experiment.regime == "initialisation"

    def predict(self, experiment: Experiment) -> Sensitivities:
        """From task and architecture; the widths of the nets are not used."""
        return wide_net(experiment)
