"""A random forest on the pixels."""

from __future__ import annotations

from typing import Any, ClassVar

from scaledetect.entry import EstimatorEntry, Limits, Tuning

__all__ = ["Forest"]


class Forest(EstimatorEntry):
    """100 trees, grown to the end, on the square root of the number of pixels at each split."""

    name = "forest"
    title = "Random forest"
    version = 1
    limits = Limits(sites=512, n_train=4096)
    features: ClassVar[str | None] = "sqrt"
    tuning = Tuning({"features": ("sqrt", "log2", None)}, card="distance-2d-L16-xi8.5-open", n_train=(512,))

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=100, max_features=self.features, random_state=random_state, n_jobs=1)
