"""Gradient boosting of trees on the pixels."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits

__all__ = ["Boosting"]


class Boosting(EstimatorEntry):
    """50 trees of 15 leaves; leaves of few images, as a pixel is active in few."""

    name = "boosting"
    title = "Gradient boosting (histograms)"
    version = 1
    limits = Limits(sites=512, n_train=4096)

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=15, min_samples_leaf=5, early_stopping=False, random_state=random_state
        )
