"""Logistic regression on the pixels."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits, Tuning

__all__ = ["Logistic"]


class Logistic(EstimatorEntry):
    """A linear function of the pixels: no better than chance where borders are periodic, as no pixel tells anything."""

    name = "logistic"
    title = "Logistic regression"
    version = 1
    limits = Limits(sites=512, n_train=4096)
    C = 1.0
    tuning = Tuning({"C": (1.0, 0.01, 0.1)}, card="distance-2d-L16-xi8.5-open", n_train=(512,))

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=self.C, max_iter=200)
