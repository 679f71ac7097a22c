"""Support vectors with a Gaussian kernel."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits

__all__ = ["SupportVectors"]


class SupportVectors(EstimatorEntry):
    """A Gaussian kernel of the width that the variance of the pixels suggests; C = 10 fits nearly all images."""

    name = "svm-rbf"
    title = "SVM, Gaussian kernel"
    version = 1
    limits = Limits(sites=512, n_train=4096)

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.svm import SVC

        return SVC(C=10.0, kernel="rbf", gamma="scale", random_state=random_state)
