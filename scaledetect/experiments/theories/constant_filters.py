"""Theory of constant filters: every layer averages over its window, exact for such nets."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.theory import Theory, sensitivities

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["ConstantFilters"]


class ConstantFilters(Theory):
    """Exact D, G and R of a net whose filters are all 1 / F^d (arXiv 2210.01506, section 4, without its limits)."""

    name, title, version, told = "constant-filters", "Constant filters, exact", 1, "task"

    def applies(self, experiment: Experiment) -> bool:
        """To every task without background noise."""
        return experiment.task.background_noise == 0

    def exact(self, experiment: Experiment) -> bool:
        """On constant filters."""
        return experiment.regime == "constant-filters"

    def predict(self, experiment: Experiment) -> Sensitivities:
        """From task and architecture alone."""
        pooling = experiment.pooling
        with warnings.catch_warnings():
            # A layer that is constant over the images has no number, which NaN says.
            warnings.simplefilter("ignore", RuntimeWarning)
            return sensitivities(
                experiment.task,
                filter_size=pooling.filter_size,
                stride=pooling.stride,
                depth=pooling.depth,
                noise=Noise(mode="rectified_noise"),
            )
