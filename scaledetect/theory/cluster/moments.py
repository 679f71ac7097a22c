"""Second moments of a layer over a task, of which D and Delta are made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["EPS", "LayerMoments"]

EPS = float(np.finfo(np.float64).eps)


@dataclass
class LayerMoments:
    """Sums over the numbers of a layer.

    `shift` is E|f(tau x) - f(x)|^2, `covariance` E|f|^2 - |E f|^2, that is Delta / 2, and `mean_square` |E f|^2.
    """

    shift: float = 0.0
    covariance: float = 0.0
    mean_square: float = 0.0

    @property
    def second(self) -> float:
        """E|f|^2."""
        return self.covariance + self.mean_square

    def add(self, shift: float, covariance: float, mean_square: float) -> None:
        """Add those of some more numbers."""
        self.shift += shift
        self.covariance += covariance
        self.mean_square += mean_square

    def settled(self, eps: float) -> LayerMoments:
        """The same, with 0 where a moment is below the rounding of a layer whose type has the spacing `eps`."""
        least = max(256 * EPS, (16 * eps) ** 2) * self.second
        return LayerMoments(0.0 if self.shift <= least else self.shift, max(self.covariance, 0.0), self.mean_square)
