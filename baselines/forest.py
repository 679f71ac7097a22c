"""A random forest on the pixels."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits

__all__ = ["Forest"]


class Forest(EstimatorEntry):
    """100 trees, grown to the end, on the square root of the number of pixels at each split."""

    name = "forest"
    title = "Random forest"
    version = 1
    limits = Limits(sites=512, n_train=4096)

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=100, random_state=random_state, n_jobs=1)
