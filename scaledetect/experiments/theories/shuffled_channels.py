"""Trained nets with the input channels of their layers shuffled, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.results import Sensitivities
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["ShuffledChannels"]


class ShuffledChannels(Theory):
    """Each net with the input channels of its layers in a random order: what channel pooling does is undone."""

    name, title, version, told = "shuffled-channels", "The net with shuffled channels", 1, "net"

    def applies(self, experiment: Experiment) -> bool:
        """To trained nets: before training no channel knows another."""
        return experiment.regime in ("trained", "ridge")

    def predict(self, experiment: Experiment) -> tuple[Sensitivities, ...]:
        """One a net; they are frozen with the data, `scaledetect.probes.shuffle_channels` of each net measured."""
        return experiment.measurements(curve="shuffled")
