"""Test error against D, G and R of the output, for many kinds of nets and strengths of noise on the training images."""

from __future__ import annotations

from scaledetect.reproduce.images.grid import image_jobs
from scaledetect.reproduce.study import Study

__all__ = ["STUDY"]

STUDY = Study(
    "images-error",
    "Test error against D, G and R of the output on CIFAR-10",
    "1, 10",
    image_jobs,
    lambda t: {},
    sizes=("small", "laptop", "paper"),
    writes=("nets",),
)
