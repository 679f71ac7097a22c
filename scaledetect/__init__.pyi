"""The public names of the package, and the modules they come from; `__init__.py` loads them on first use."""

from . import images, nets, probes, theory
from ._base.versions import __version__, show_versions
from .experiments import Experiment, list_experiments, load_experiment
from .perturbations.diffeo import (
    Diffeo,
    TypicalDisplacement,
    deform,
    diffeo,
    diffeo_coefficients,
    diffeo_temperature_range,
    displacement_field,
    typical_displacement,
)
from .perturbations.noise import Noise
from .perturbations.pixel_shift import noise_images, shift_pairs
from .reproduce.net_report import NetReport, net_report
from .results import ExponentFit, Exponents, Interval, NetComparison, Pooling, Sensitivities, TheoryComparison
from .sampling.rendering import render_pairs
from .sampling.samplers import sample_images, sample_pairs
from .sampling.sklearn_style import make_scale_detection
from .sampling.torch_dataset import ScaleDetectionDataset
from .sensitivity import compare, image_sensitivities, merge, sensitivities
from .statistics.bootstrap import bootstrap_mean, bootstrap_ratio
from .statistics.exponent_fit import fit_exponent
from .task.cards import list_tasks, load_card, load_task
from .task.task import Task
from .training import (
    ImageTrainConfig,
    ImageTrainingRun,
    TrainConfig,
    TrainedMember,
    TrainingRun,
    TrainProgress,
    load_member,
    train,
)
from .training.classifier import PoolingNetClassifier as PoolingNetClassifier

__all__ = [
    "Diffeo",
    "Experiment",
    "ExponentFit",
    "Exponents",
    "ImageTrainConfig",
    "ImageTrainingRun",
    "Interval",
    "NetComparison",
    "NetReport",
    "Noise",
    "Pooling",
    "PoolingNetClassifier",
    "ScaleDetectionDataset",
    "Sensitivities",
    "Task",
    "TheoryComparison",
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
    "list_experiments",
    "list_tasks",
    "load_card",
    "load_experiment",
    "load_member",
    "load_task",
    "make_scale_detection",
    "merge",
    "net_report",
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
