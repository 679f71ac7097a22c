"""Moments of two rectified Gaussians: arc-cosine kernels, written so that close pairs lose no digits.

For a centred Gaussian pair (z, z') with E z^2 = K_x, E z'^2 = K_y, E z z' = K_xy and cos t = K_xy / sqrt(K_x K_y):

    E ReLU(z) ReLU(z') = sqrt(K_x K_y) / (2 pi) [sin t + (pi - t) cos t]
    E ReLU(z)^2 ReLU(z')^2 = K_x K_y / (2 pi) [3 sin t cos t + (pi - t) (1 + 2 cos^2 t)]

(Cho and Saul, NeurIPS 2009).
"""

from __future__ import annotations

import math

import numpy as np

from scaledetect._base.array_types import FloatArray

__all__ = ["mean_gap", "rectified_gap", "rectified_product", "square_covariance"]


def rectified_gap(root_x: FloatArray, root_y: FloatArray, gap: FloatArray) -> FloatArray:
    """E (ReLU(z) - ReLU(z'))^2 / 2 from sqrt(K_x), sqrt(K_y) and `gap` = E (z - z')^2 / 2, which broadcast.

    With P = sqrt(K_x K_y) it is gap / 2 - P (sin t - t cos t) / (2 pi), and sin^2(t / 2) = (gap - e) / (2 P) with
    e = (sqrt(K_x) - sqrt(K_y))^2 / 2: where the pair is close, nothing is subtracted from K_xy.
    """
    product = root_x * root_y
    sine = gap - 0.5 * np.square(root_x - root_y)
    sine /= 2 * product
    # sin^2(t / 2); the rounding of a pair in proportion may leave the interval.
    np.clip(sine, 0.0, 1.0, out=sine)
    cosine = 1 - 2 * sine
    half = np.sqrt(sine)
    arc = 2 * np.arcsin(half)
    half *= 2 * np.sqrt(1 - sine)
    arc *= cosine
    half -= arc
    half *= product
    half *= -1 / (2 * math.pi)
    half += 0.5 * gap
    return half


def mean_gap(root_x: FloatArray, root_y: FloatArray) -> FloatArray:
    """(E ReLU(z) - E ReLU(z'))^2 from sqrt(K_x) and sqrt(K_y)."""
    return np.asarray(np.square(root_x - root_y) / (2 * math.pi))


def rectified_product(second_x: FloatArray, second_y: FloatArray, product: FloatArray) -> FloatArray:
    """E ReLU(z) ReLU(z') from K_x, K_y and K_xy, which broadcast."""
    scale, cosine, sine, rest = _angle(second_x, second_y, product)
    return np.asarray(scale * (sine + rest * cosine) / (2 * math.pi))


def square_covariance(second_x: FloatArray, second_y: FloatArray, product: FloatArray) -> FloatArray:
    """Covariance of ReLU(z)^2 and ReLU(z')^2 from K_x, K_y and K_xy, which broadcast."""
    scale, cosine, sine, rest = _angle(second_x, second_y, product)
    moment = (3 * sine * cosine + rest * (1 + 2 * np.square(cosine))) / (2 * math.pi)
    return np.asarray(np.square(scale) * (moment - 0.25))


def _angle(
    second_x: FloatArray, second_y: FloatArray, product: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """sqrt(K_x K_y), cos t, sin t and pi - t."""
    scale = np.sqrt(second_x * second_y)
    cosine = np.clip(product / scale, -1.0, 1.0)
    return scale, cosine, np.sqrt(1 - np.square(cosine)), math.pi - np.arccos(cosine)
