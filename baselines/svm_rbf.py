"""Support vectors with a Gaussian kernel."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits, Tuning

__all__ = ["SupportVectors"]


class SupportVectors(EstimatorEntry):
    """A Gaussian kernel of the width that the variance of the pixels suggests; C = 10 fits nearly all images."""

    name = "svm-rbf"
    title = "SVM, Gaussian kernel"
    version = 1
    limits = Limits(sites=512, n_train=4096)
    C = 10.0
    tuning = Tuning({"C": (10.0, 1.0, 100.0)}, card="distance-2d-L16-xi8.5-open", n_train=(512,))

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.svm import SVC

        return SVC(C=self.C, kernel="rbf", gamma="scale", random_state=random_state)
