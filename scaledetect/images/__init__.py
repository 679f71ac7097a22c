"""Data sets of natural images for the measurements, and their corruption by white noise."""

from scaledetect.images.datasets import ImageData, load
from scaledetect.images.white_noise import white_noise

__all__ = ["ImageData", "load", "white_noise"]
