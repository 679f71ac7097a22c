"""Published files of image data sets: read as they are, refused when altered; and images of one's own."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scaledetect.images import ImageData, load, published_files, sources
from scaledetect.images.plain_pickle import read_plain_pickle

Array = NDArray[Any]
ROWS = 20
BATCHES = [f"data_batch_{i}" for i in range(1, 6)]


@pytest.fixture
def cifar(monkeypatch: pytest.MonkeyPatch) -> tuple[Array, Array]:
    """Pixels (120, 3072) and labels of a CIFAR-10 of twenty images a file, which is made to be the published one."""
    monkeypatch.delenv("SCALEDETECT_DATA", raising=False)
    monkeypatch.setattr(published_files, "ROWS", ROWS)
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (6 * ROWS, 3072), dtype=np.uint8), np.arange(6 * ROWS, dtype=np.uint8) % 10
    _publish(monkeypatch, "cifar10", pixels, labels, 5 * ROWS)
    return pixels, labels


def _publish(monkeypatch: pytest.MonkeyPatch, name: str, pixels: Array, labels: Array, n_train: int) -> None:
    counts = {"train_counts": np.bincount(labels[:n_train]), "test_counts": np.bincount(labels[n_train:])}
    plain = {key: tuple(value.tolist()) for key, value in counts.items()}
    source: Any = replace(sources.SOURCES[name], **plain, digest=sources._sha256(pixels, labels))  # type: ignore[type-var]
    monkeypatch.setitem(sources.SOURCES, name, source)


def _write_binary(folder: Path, pixels: Array, labels: Array) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate([*BATCHES, "test_batch"]):
        rows = slice(i * ROWS, (i + 1) * ROWS)
        (folder / f"{name}.bin").write_bytes(np.column_stack([labels[rows], pixels[rows]]).tobytes())


def _write_python(folder: Path, pixels: Array, labels: Array) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate([*BATCHES, "test_batch"]):
        rows = slice(i * ROWS, (i + 1) * ROWS)
        batch = {"data": pixels[rows], "labels": labels[rows].tolist(), "batch_label": f"batch {i}", "filenames": ["a"]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))


@pytest.mark.parametrize(
    ("write", "subfolder"),
    [(_write_binary, "cifar-10-batches-bin"), (_write_binary, ""), (_write_python, "cifar-10-batches-py")],
)
def test_cifar10_from_its_files(
    write: Callable[[Path, Array, Array], None], subfolder: str, cifar: tuple[Array, Array], tmp_path: Path
) -> None:
    pixels, labels = cifar
    write(tmp_path / "data" / subfolder, pixels, labels)
    data = load("cifar10", root=tmp_path / "data", normalise=False)
    found = np.concatenate([data.train_images, data.test_images])
    np.testing.assert_array_equal(found, (pixels.reshape(-1, 3, 32, 32) / np.float32(255)).astype(np.float32))
    assert [*data.train_labels, *data.test_labels] == labels.tolist()
    assert data.train_images.shape == (100, 3, 32, 32)


def test_the_python_version_of_python_2_is_read(cifar: tuple[Array, Array]) -> None:
    """Its texts are bytes, and NumPy of that time pickled arrays in the same way."""
    pixels, labels = cifar
    data = pickle.dumps({b"data": pixels, b"labels": labels.tolist()}, protocol=2).replace(
        b"numpy._core", b"numpy.core"
    )
    found = read_plain_pickle(data)
    np.testing.assert_array_equal(found["data"], pixels)
    assert found["labels"] == labels.tolist()


class _Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made-by-a-pickle",)


@pytest.mark.parametrize("where", ["data", "labels", "extra"])
def test_a_pickle_that_names_code_is_refused_and_not_run(
    where: str, cifar: tuple[Array, Array], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_python(tmp_path / "cifar-10-batches-py", *cifar)
    batch = {"data": cifar[0][:ROWS], "labels": cifar[1][:ROWS].tolist()} | {where: _Harmful()}
    (tmp_path / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps(batch))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"data_batch_2.*mkdir, which is not run"):
        load("cifar10", root=tmp_path)
    assert not (tmp_path / "made-by-a-pickle").exists()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def _relabel(path: Path) -> None:
    path.write_bytes(b"\x0b" + path.read_bytes()[1:])


def _swap_a_label(path: Path) -> None:
    path.write_bytes(b"\x05" + path.read_bytes()[1:])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_cut, "data_batch_3.bin.*has 61459 bytes.*61460"),
        (_lengthen, "data_batch_3.bin.*has more than 61460 bytes"),
        (_alter, "not the published ones of 'cifar10' \\(SHA-256\\)"),
        (_relabel, "data_batch_3.bin.*none of 0 to 9"),
        (_swap_a_label, "classes are not those of 'cifar10', 100 \\+ 20 images"),
        (Path.unlink, "data_batch_3.bin.*cannot be read"),
    ],
)
def test_an_altered_file_is_refused(
    damage: Callable[[Path], None], says: str, cifar: tuple[Array, Array], tmp_path: Path
) -> None:
    _write_binary(tmp_path / "cifar-10-batches-bin", *cifar)
    damage(tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin")
    with pytest.raises(ValueError, match=says):
        load("cifar10", root=tmp_path)


def test_a_truncated_pickle_is_refused(cifar: tuple[Array, Array], tmp_path: Path) -> None:
    _write_python(tmp_path / "cifar-10-batches-py", *cifar)
    _cut(tmp_path / "cifar-10-batches-py" / "test_batch")
    with pytest.raises(ValueError, match=r"test_batch.*no batch of CIFAR-10 \(damaged"):
        load("cifar10", root=tmp_path)


# ---------------------------------------------------------------------- IDX files


def _idx(array: Array) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def fashion(monkeypatch: pytest.MonkeyPatch) -> tuple[Array, Array]:
    monkeypatch.delenv("SCALEDETECT_DATA", raising=False)
    rng = np.random.default_rng(1)
    pixels, labels = rng.integers(0, 256, (60, 28, 28), dtype=np.uint8), np.arange(60, dtype=np.uint8) % 10
    for name in ("fashion-mnist", "mnist"):
        _publish(monkeypatch, name, pixels[:, None], labels, 40)
    return pixels, labels


def _write_idx(folder: Path, pixels: Array, labels: Array, sign: str = "-", *, packed: bool = True) -> None:
    folder.mkdir(parents=True)
    for part, rows in (("train", slice(40)), ("t10k", slice(40, None))):
        for kind, array in ((f"images{sign}idx3", pixels[rows]), (f"labels{sign}idx1", labels[rows])):
            path, data = folder / f"{part}-{kind}-ubyte", _idx(array)
            (path.with_name(path.name + ".gz") if packed else path).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize(("sign", "packed"), [("-", True), ("-", False), (".", True)])
def test_idx_files(name: str, sign: str, packed: bool, fashion: tuple[Array, Array], tmp_path: Path) -> None:
    pixels, labels = fashion
    _write_idx(tmp_path / name, pixels, labels, sign, packed=packed)
    data = load(name, 28, root=tmp_path, normalise=False)
    np.testing.assert_array_equal(data.test_images[:, 0], (pixels[40:] / np.float32(255)).astype(np.float32))
    assert data.train_labels.tolist() == labels[:40].tolist()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\0\0\x09\x03" + bytes(20), "no IDX file of bytes with 3 axes"),
        (b"\0\0", "no IDX file"),
        (_idx(np.zeros((40, 28, 27), np.uint8)), r"40 images of \(28, 27\) pixels beside 40 labels"),
        (_idx(np.zeros((39, 28, 28), np.uint8)), "39 images"),
        (_idx(np.zeros((40, 28, 28), np.uint8))[:-1], "has 31359 bytes"),
        (_idx(np.zeros((40, 28, 28), np.uint8)), "SHA-256"),
    ],
)
def test_an_altered_idx_file_is_refused(
    content: bytes, says: str, fashion: tuple[Array, Array], tmp_path: Path
) -> None:
    _write_idx(tmp_path / "mnist", *fashion, packed=False)
    (tmp_path / "mnist" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        load("mnist", root=tmp_path)


def test_a_damaged_archive_is_refused(fashion: tuple[Array, Array], tmp_path: Path) -> None:
    _write_idx(tmp_path / "mnist", *fashion)
    _cut(tmp_path / "mnist" / "train-images-idx3-ubyte.gz")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz.*cannot be read"):
        load("mnist", root=tmp_path)


# ---------------------------------------------------------------------- where they are looked for


def test_the_folder_of_the_environment_is_looked_into_before_a_download(
    fashion: tuple[Array, Array], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: Any, **__: Any) -> Any:
        raise OSError("Name or service not known")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", no_network)
    _write_idx(tmp_path / "fashion-mnist", *fashion)
    monkeypatch.setenv("SCALEDETECT_DATA", str(tmp_path))
    assert len(load("fashion-mnist").train_labels) == 40
    with pytest.raises(ConnectionError, match=r"could not be downloaded.*SCALEDETECT_DATA"):
        load("cifar10")
    monkeypatch.setenv("SCALEDETECT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"SCALEDETECT_DATA=.*nowhere.*is no folder"):
        load("fashion-mnist")


def test_a_root_without_the_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"root=.*holds no 'cifar10': no data_batch_1\.bin or data_batch_1 in it"):
        load("cifar10", root=tmp_path)
    with pytest.raises(ValueError, match=r"root=.*is no folder"):
        load("mnist", root=tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"root=.*'digits' comes with an installed package"):
        load("digits", root=tmp_path)


# ---------------------------------------------------------------------- images of one's own


def test_own_images_are_normalised_by_the_training_images() -> None:
    rng = np.random.default_rng(2)
    pixels, labels = rng.integers(0, 256, (30, 3, 8, 8), dtype=np.uint8), np.arange(30) % 3
    data = ImageData.from_arrays(pixels[:24], labels[:24], pixels[24:], labels[24:], classes=("a", "b", "c"))
    np.testing.assert_allclose(data.train_images.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(data.train_images.std(axis=(0, 2, 3)), 1, atol=1e-5)
    floats = ImageData.from_arrays(pixels[:24] / 255, labels[:24], pixels[24:] / 255, labels[24:], normalise=False)
    np.testing.assert_allclose(floats.test_images, pixels[24:] / 255, rtol=1e-6)
    np.testing.assert_allclose(data.mean, floats.mean, rtol=1e-6)
    black = (data.train_images.min(axis=(0, 2, 3)), pixels[:24].min(axis=(0, 2, 3)) / 255 / data.std)
    np.testing.assert_allclose(data.black, black[0] - black[1], atol=1e-5)
    assert floats.black.tolist() == [0, 0, 0]
    assert data.digest != floats.digest


PIXELS, LABELS = np.zeros((6, 1, 4, 4)), np.arange(6) % 2
PIXELS[::2] = 0.5


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"train_images": PIXELS * 510}, "train_images=.*0 to 255.*must lie between 0, black, and 1"),
        ({"train_images": PIXELS - 0.1}, "must lie between 0, black, and 1"),
        ({"train_images": PIXELS * np.nan}, "must lie between"),
        ({"train_images": PIXELS.astype(int)}, "train_images='int64'.*uint8"),
        ({"train_images": PIXELS[:, 0]}, r"must have shape \(n, C, L, L\)"),
        ({"train_images": PIXELS[:, :, :3]}, r"must have shape \(n, C, L, L\)"),
        ({"train_images": PIXELS[:0]}, "none of them 0"),
        ({"train_images": np.zeros_like(PIXELS)}, "a channel is constant"),
        ({"test_images": PIXELS[:, :, :3, :3]}, r"test_images=.*\(1, 4, 4\)"),
        ({"train_labels": LABELS[:5]}, r"train_labels=.*\(6,\)"),
        ({"train_labels": LABELS / 2}, "train_labels='float64'"),
        ({"train_labels": LABELS - 1}, "must be from 0"),
        ({"train_labels": 2 * LABELS}, "every class needs"),
        ({"test_labels": LABELS + 1}, "test_labels=2: there are training images of 2 classes"),
        ({"classes": ("a",)}, "every class needs a name"),
        ({"normalise": 1}, "normalise=1"),
    ],
)
def test_own_images_out_of_range_are_refused(changed: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {
        "train_images": PIXELS, "train_labels": LABELS, "test_images": PIXELS, "test_labels": LABELS,
    }  # fmt: skip
    with pytest.raises((TypeError, ValueError), match=says):
        ImageData.from_arrays(**given | changed)
