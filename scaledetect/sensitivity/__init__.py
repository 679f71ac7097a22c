"""Measured sensitivities: how every layer of a network responds to deformation and to noise, with standard errors."""

from scaledetect.results.merge import merge
from scaledetect.sensitivity.compare import compare, compare_results
from scaledetect.sensitivity.estimate import sensitivities
from scaledetect.sensitivity.images import image_sensitivities

__all__ = ["compare", "compare_results", "image_sensitivities", "merge", "sensitivities"]
