"""Random smooth deformations of images: diffeomorphisms of maximal entropy at a given strength."""

from __future__ import annotations

from scaledetect.perturbations.diffeo.fields import diffeo_coefficients, displacement_field
from scaledetect.perturbations.diffeo.temperature import (
    TypicalDisplacement,
    diffeo_temperature_range,
    typical_displacement,
)
from scaledetect.perturbations.diffeo.transform import Diffeo
from scaledetect.perturbations.diffeo.warp import deform, diffeo

__all__ = [
    "Diffeo",
    "TypicalDisplacement",
    "deform",
    "diffeo",
    "diffeo_coefficients",
    "diffeo_temperature_range",
    "displacement_field",
    "typical_displacement",
]
