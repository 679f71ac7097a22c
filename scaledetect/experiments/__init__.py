"""Experiments: frozen measurements of nets, at initialisation and trained, that theories are held against.

The format of the data is told in `scaledetect.experiments.lines`; `making` makes them anew and `verifying` compares.
"""

from scaledetect.experiments.cards import ExperimentCard, list_experiments, load_experiment_card
from scaledetect.experiments.experiment import Experiment, load_experiment

__all__ = [
    "Experiment",
    "ExperimentCard",
    "list_experiments",
    "load_experiment",
    "load_experiment_card",
]
