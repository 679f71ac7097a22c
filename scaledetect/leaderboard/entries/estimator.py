"""Entries that are estimators of scikit-learn."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.files import plain
from scaledetect.leaderboard.entries.base import Entry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.task.task import Task

__all__ = ["EstimatorEntry"]

_NO_CHOICE = {"random_state", "verbose", "n_jobs"}


class EstimatorEntry(Entry):
    """A classifier of scikit-learn on flattened images, scaled so that an active pixel is 1.

    A subclass says which in `estimator`. The scale is the largest number of the training images. The entry is no
    estimator itself: it has neither parameters nor a fit on arrays.
    """

    exact = False
    budget = "full"
    kind = "scikit-learn"

    @abstractmethod
    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier, not fitted; those that draw no random numbers leave `random_state` alone."""

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """Class and parameters of the estimator, those that move no result left out."""
        estimator = self.estimator(n_train, 0)
        settings = {name: value for name, value in estimator.get_params().items() if name not in _NO_CHOICE}
        return {"estimator": type(estimator).__name__, "scale": "largest", **plain(settings)}

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Fit on all training rows; validation rows are not used."""
        from sklearn.exceptions import ConvergenceWarning

        X, y = sampler.train()
        self._scale = float(np.abs(X).max())
        # Scikit-learn takes seeds of 32 bits.
        self._fitted = self.estimator(sampler.n_train, seed >> 32)
        with warnings.catch_warnings():
            # The number of iterations is the budget of the fit, and part of the configuration.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._fitted.fit(self._rows(X), y)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """Labels of the fitted estimator."""
        return np.asarray(self._fitted.predict(self._rows(X)), dtype=np.int8)

    def _rows(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        return X.reshape(len(X), -1) / np.float32(self._scale)
