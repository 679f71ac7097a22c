"""Kernel ridge regression with kernels of infinitely wide nets at initialisation, which learn no features."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect.entry import Entry, Limits, Sampler
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.theory.kernels.overlap_kernels import Kernel

__all__ = ["FullyConnectedNngp", "PoolingNngp"]

RIDGES = (1e-4, 1e-2, 1.0)
"""Ridges to choose from on validation rows."""

BLOCK = 1024
"""Images that are labelled at a time."""


class _Nngp(Entry):
    """Ridge regression of the labels; of three ridges the one of fewest wrong validation rows, the smallest of several.

    Images are scaled to |x|^2 = N, as the kernels of `scaledetect.theory.kernel_learning_curve` take them.
    """

    version = 1
    exact = False
    budget = "full"
    kind = "kernel"

    @abstractmethod
    def kernel(self, size: int) -> Kernel:
        """The kernel on images of side `size`."""

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """Kernel with its numbers, and the ridges."""
        return {"kernel": repr(self.kernel(task.size)), "ridges": list(RIDGES), "chosen_by": "validation error"}

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Solve for the dual coefficients at each ridge."""
        X, y = sampler.train()
        self._scale = float(np.sqrt(X[0].size / 2) / np.abs(X).max())
        self._kernel, self._train = self.kernel(X.shape[-1]), self._scaled(X)
        values, vectors = np.linalg.eigh(self._kernel.gram(self._train))
        target = vectors.T @ y.astype(np.float64)
        coefficients = np.stack([vectors @ (target / (np.maximum(values, 0) + ridge)) for ridge in RIDGES], axis=1)
        X, y = sampler.validation()
        wrong = (self._outputs(X, coefficients) > 0) != (y > 0)[:, None]
        self._coefficients = coefficients[:, [int(wrong.sum(axis=0).argmin())]]

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """The sign of the regression."""
        return np.where(self._outputs(X, self._coefficients)[:, 0] > 0, 1, -1).astype(np.int8)

    def _outputs(self, X: NDArray[np.float32], coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        parts = [X[start : start + BLOCK] for start in range(0, len(X), BLOCK)]
        return np.concatenate([self._cross(self._scaled(part)) @ coefficients for part in parts])

    def _cross(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Kernel of images and training rows, shape (images, rows)."""
        n = len(images)
        return np.asarray(self._kernel.gram(np.concatenate([images, self._train]))[:n, n:])

    def _scaled(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        return X[:, 0].astype(np.float64) * self._scale


class FullyConnectedNngp(_Nngp):
    """The kernel of a fully connected net of three hidden layers: a function of the overlap of two images."""

    name = "nngp-fc"
    title = "Kernel ridge, NNGP of a fully connected net"
    limits = Limits(n_train=4096)

    def kernel(self, size: int) -> Kernel:
        """Three hidden layers."""
        from scaledetect.theory.kernels.overlap_kernels import FullyConnectedKernel

        return FullyConnectedKernel(depth=3)


class PoolingNngp(_Nngp):
    """The kernel of the pooling net s = F = 2, read out with one weight a site and channel."""

    name = "nngp-pooling"
    title = "Kernel ridge, NNGP of the pooling net"
    limits = Limits(sites=256, n_train=1024)

    def kernel(self, size: int) -> Kernel:
        """As many layers as the trained pooling net has."""
        from scaledetect.theory.kernels.pooling_kernels import PoolingKernel

        return PoolingKernel(filter_size=2, stride=2, depth=max(1, size.bit_length() - 2))
