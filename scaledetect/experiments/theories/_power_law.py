"""Powers of the receptive field through what was measured of the first layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaledetect.results import Sensitivities

if TYPE_CHECKING:
    from scaledetect.experiments.experiment import Experiment

__all__ = ["power_law"]


def power_law(experiment: Experiment, of_d: float, of_g: float) -> Sensitivities:
    """Powers of A through the geometric mean over nets of the first layer, which is all that is measured of them."""
    left_out = experiment.collapsed
    first = [s for seed, s in zip(experiment.seeds, experiment.measured, strict=True) if seed not in left_out]
    D, G = (np.exp(np.mean([np.log(getattr(s, name)[0]) for s in first])) for name in ("D", "G"))
    ratio = experiment.A / experiment.A[0]
    config = {"experiment": experiment.name, "noise": {"mode": "rectified_noise"}, "channel_mean": False}
    return Sensitivities.from_arrays(
        D=D * ratio**of_d, G=G * ratio**of_g, layers=experiment.layers, A=experiment.A, config=config
    )
