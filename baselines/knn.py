"""Nearest neighbours among the training images."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits

__all__ = ["NearestNeighbours"]


class NearestNeighbours(EstimatorEntry):
    """Euclidean distance between images: two images are close only where they share a pixel."""

    name = "knn"
    title = "5 nearest neighbours"
    version = 1
    limits = Limits(sites=512, n_train=4096)

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=min(5, n_train), weights="distance", algorithm="brute")
