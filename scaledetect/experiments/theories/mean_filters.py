"""Mean-filter theory: the linear net of one channel that has the mean filters of the trained net."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaledetect.results import Sensitivities
from scaledetect.theory import Theory

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["MeanFilters"]


class MeanFilters(Theory):
    """`scaledetect.theory.mean_filter_sensitivities` of each net; frozen with the data, as it is exact."""

    name, title, version, told = "mean-filters", "Mean filters", 1, "statistics"

    def applies(self, experiment: Experiment) -> bool:
        """To pooling nets on tasks without background noise."""
        return experiment.card.net.width is not None and experiment.task.background_noise == 0

    def predict(self, experiment: Experiment) -> dict[int, Sensitivities]:
        """One a net. One channel is its own mean: the prediction is of single channels and of their mean alike."""
        curves = experiment.measurements(curve="mean-filters", channels="mean")
        return {
            seed: Sensitivities.from_arrays(
                D=t.D, G=t.G, layers=t.layers, A=t.A, sigma=t.sigma, config={"experiment": experiment.name}
            )
            for seed, t in zip(experiment.seeds, curves, strict=True)
        }
