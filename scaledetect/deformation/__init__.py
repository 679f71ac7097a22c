"""Random smooth deformations of images: diffeomorphisms of maximal entropy at a given strength."""

from __future__ import annotations

from scaledetect.deformation.fields import diffeo_coefficients, displacement_field
from scaledetect.deformation.temperature import TypicalDisplacement, diffeo_temperature_range, typical_displacement
from scaledetect.deformation.transform import Diffeo
from scaledetect.deformation.warp import deform, diffeo

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
