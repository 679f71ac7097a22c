"""Measured sensitivities: how every layer of a network responds to deformation and to noise, with standard errors."""

from scaledetect.sensitivity.estimate import sensitivities

__all__ = ["sensitivities"]
