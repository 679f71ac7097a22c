"""Logistic regression on the pixels."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits

__all__ = ["Logistic"]


class Logistic(EstimatorEntry):
    """A linear function of the pixels: no better than chance where borders are periodic, as no pixel tells anything."""

    name = "logistic"
    title = "Logistic regression"
    version = 1
    limits = Limits(sites=512, n_train=4096)

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1.0, max_iter=200)
