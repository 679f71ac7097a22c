"""A multi-layer perceptron on the pixels."""

from __future__ import annotations

from typing import Any

from scaledetect.entry import EstimatorEntry, Limits, Tuning

__all__ = ["Perceptron"]


class Perceptron(EstimatorEntry):
    """One hidden layer of 128 ReLU units, Adam."""

    name = "mlp"
    title = "MLP (scikit-learn)"
    version = 1
    limits = Limits(sites=512, n_train=4096)
    lr = 3e-3
    tuning = Tuning({"lr": (3e-3, 3e-4, 1e-3)}, card="distance-2d-L16-xi8.5-open", n_train=(512,))

    def estimator(self, n_train: int, random_state: int) -> Any:
        """The classifier of scikit-learn."""
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(
            hidden_layer_sizes=(128,), alpha=1e-4, learning_rate_init=self.lr, max_iter=60, random_state=random_state
        )
