"""The scale-detection task: sample it exactly, measure any network on it, and put the exact theory beside.

The definitions are those of Tomasini, Petrini, Cagnetta and Wyart, "How deep convolutional neural networks lose spatial
information with training", arXiv 2210.01506. Names load on first use: importing the package loads no heavy library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scaledetect import images, nets, probes, theory
    from scaledetect.bootstrap import bootstrap_mean, bootstrap_ratio
    from scaledetect.cards import list_tasks, load_card, load_task
    from scaledetect.datasets import ScaleDetectionDataset
    from scaledetect.deformation import (
        Diffeo,
        TypicalDisplacement,
        deform,
        diffeo,
        diffeo_coefficients,
        diffeo_temperature_range,
        displacement_field,
        typical_displacement,
    )
    from scaledetect.exponent_fit import fit_exponent
    from scaledetect.noise import Noise
    from scaledetect.perturb import noise_images, shift_pairs
    from scaledetect.rendering import render_pairs
    from scaledetect.results import Comparison, ExponentFit, Exponents, Interval, Pooling, Sensitivities
    from scaledetect.sampling import make_scale_detection, sample_images, sample_pairs
    from scaledetect.sensitivity import compare, image_sensitivities, merge, sensitivities
    from scaledetect.task import Task
    from scaledetect.training import TrainConfig, TrainedMember, TrainingRun, TrainProgress, load_member, train
    from scaledetect.versions import __version__, show_versions

_SUBMODULES = ("images", "nets", "probes", "theory")

_HOME = {
    # the task and its cards
    "Task": "task",
    "load_task": "cards",
    "load_card": "cards",
    "list_tasks": "cards",
    # samples
    "sample_pairs": "sampling",
    "sample_images": "sampling",
    "make_scale_detection": "sampling",
    "render_pairs": "rendering",
    "ScaleDetectionDataset": "datasets",
    # perturbations
    "Noise": "noise",
    "shift_pairs": "perturb",
    "noise_images": "perturb",
    # deformations of images
    "diffeo": "deformation",
    "Diffeo": "deformation",
    "deform": "deformation",
    "diffeo_coefficients": "deformation",
    "diffeo_temperature_range": "deformation",
    "displacement_field": "deformation",
    "typical_displacement": "deformation",
    "TypicalDisplacement": "deformation",
    # measurement
    "sensitivities": "sensitivity",
    "image_sensitivities": "sensitivity",
    "compare": "sensitivity",
    "merge": "sensitivity",
    "Comparison": "results",
    "Sensitivities": "results",
    "Pooling": "results",
    "Exponents": "results",
    # statistics over seeds
    "bootstrap_mean": "bootstrap",
    "bootstrap_ratio": "bootstrap",
    "fit_exponent": "exponent_fit",
    "ExponentFit": "results",
    "Interval": "results",
    # training
    "train": "training",
    "TrainConfig": "training",
    "TrainProgress": "training",
    "TrainedMember": "training",
    "TrainingRun": "training",
    "load_member": "training",
    # the installation
    "show_versions": "versions",
    "__version__": "versions",
}

__all__ = [
    "Comparison",
    "Diffeo",
    "ExponentFit",
    "Exponents",
    "Interval",
    "Noise",
    "Pooling",
    "ScaleDetectionDataset",
    "Sensitivities",
    "Task",
    "TrainConfig",
    "TrainProgress",
    "TrainedMember",
    "TrainingRun",
    "TypicalDisplacement",
    "__version__",
    "bootstrap_mean",
    "bootstrap_ratio",
    "compare",
    "deform",
    "diffeo",
    "diffeo_coefficients",
    "diffeo_temperature_range",
    "displacement_field",
    "fit_exponent",
    "image_sensitivities",
    "images",
    "list_tasks",
    "load_card",
    "load_member",
    "load_task",
    "make_scale_detection",
    "merge",
    "nets",
    "noise_images",
    "probes",
    "render_pairs",
    "sample_images",
    "sample_pairs",
    "sensitivities",
    "shift_pairs",
    "show_versions",
    "theory",
    "train",
    "typical_displacement",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
