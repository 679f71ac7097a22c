"""Nearest neighbours among the training images."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits, Tuning

__all__ = ["NearestNeighbours"]


class NearestNeighbours(EstimatorEntry):
    """Euclidean distance between images: two images are close only where they share a pixel."""

    name = "knn"
    title = "25 nearest neighbours"
    version = 2
    limits = Limits(sites=512, n_train=4096)
    neighbours = 25
    tuning = Tuning({"neighbours": (5, 1, 25)}, card="distance-2d-L16-xi8.5-open", n_train=(512,))

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=min(self.neighbours, n_train), weights="distance", algorithm="brute")
