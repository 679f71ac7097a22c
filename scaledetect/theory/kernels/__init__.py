"""Kernels on the images of a small task, and their learning curves."""

from scaledetect.theory.kernels.learning_curve import kernel_learning_curve
from scaledetect.theory.kernels.result import KernelLearningCurve

__all__ = ["KernelLearningCurve", "kernel_learning_curve"]
