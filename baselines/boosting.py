"""Gradient boosting of trees on the pixels."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits, Tuning

__all__ = ["Boosting"]


class Boosting(EstimatorEntry):
    """50 trees of 15 leaves; leaves of few images, as a pixel is active in few."""

    name = "boosting"
    title = "Gradient boosting (histograms)"
    version = 2
    limits = Limits(sites=512, n_train=4096)
    least = 1
    tuning = Tuning({"least": (5, 1, 20)}, card="distance-2d-L16-xi8.5-open", n_train=(512,))

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=15, min_samples_leaf=self.least, early_stopping=False, random_state=random_state
        )
