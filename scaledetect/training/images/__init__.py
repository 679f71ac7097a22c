"""Training on data sets of images, by the recipe of the published code."""

from scaledetect.training.images.config import ImageTrainConfig
from scaledetect.training.images.result import ImageTrainingRun
from scaledetect.training.images.run import train_on_images

__all__ = ["ImageTrainConfig", "ImageTrainingRun", "train_on_images"]
