"""Arc-cosine kernel: second moment of two rectified Gaussian variables."""

from __future__ import annotations

import numpy as np

from scaledetect._base.array_types import FloatArray

__all__ = ["rectified_moment"]


def rectified_moment(variance: FloatArray, other_variance: FloatArray, covariance: FloatArray) -> FloatArray:
    """Q = E ReLU(z) ReLU(z') of centred Gaussian z, z'; the arguments broadcast, variances are positive.

    With cos t = covariance / sqrt(variance other_variance), Q = sqrt(variance other_variance) (sin t + (pi - t) cos t)
    / (2 pi): Cho and Saul, 2009. Q = variance / 2 where z = z'.
    """
    scale = np.sqrt(variance * other_variance)
    cosine = np.clip(covariance / scale, -1.0, 1.0)
    angle = np.arccos(cosine)
    return np.asarray(scale * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine) / (2 * np.pi))
