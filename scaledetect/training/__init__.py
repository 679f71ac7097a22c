"""Training: many seeds at once, repeatable, and resumed where it was broken off."""

from scaledetect.sampling.seeds import factor_seed
from scaledetect.training.config import TrainConfig
from scaledetect.training.images import ImageTrainConfig, ImageTrainingRun
from scaledetect.training.loop import TrainProgress
from scaledetect.training.result import TrainedMember, TrainingRun
from scaledetect.training.run import train
from scaledetect.training.store import load_member, read_log

__all__ = [
    "ImageTrainConfig",
    "ImageTrainingRun",
    "TrainConfig",
    "TrainProgress",
    "TrainedMember",
    "TrainingRun",
    "factor_seed",
    "load_member",
    "read_log",
    "train",
]
