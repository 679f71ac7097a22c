"""Image data sets in the files that their authors publish: CIFAR-10 binary and Python version, and IDX files."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.errors import bad_value
from scaledetect._base.files import checked_path, regular_file
from scaledetect.images.plain_pickle import read_plain_pickle

__all__ = ["CIFAR10", "FOLDER_VARIABLE", "Layout", "find_files", "idx_layout"]

FOLDER_VARIABLE = "SCALEDETECT_DATA"
"""Environment variable that names a folder of data sets."""

Bytes = NDArray[np.uint8]
Part = tuple[Bytes, Bytes]
"""Pixels, shape (n, C, h, h), and labels, shape (n,)."""

BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
ROWS = 10_000
"""Images in a file of CIFAR-10."""

PICKLE_BYTES = 64_000_000
"""Of the largest file of the Python version that is read; the published ones have half of that."""

WAY_OUT = "take the published file again"


@dataclass(frozen=True)
class Layout:
    """One form in which a data set is published.

    Attributes
    ----------
    subfolders : tuple of str
        Where its files may stand under the folder that a user names; "" is that folder itself.
    marker : tuple of str
        The files, any of which shows that the data set is there.
    read : callable
        From the folder of the files to the training and the test images.
    """

    subfolders: tuple[str, ...]
    marker: tuple[str, ...]
    read: Callable[[Path], tuple[Part, Part]]


def find_files(name: str, layouts: tuple[Layout, ...], root: str | Path | None) -> tuple[Part, Part, Path] | None:
    """Training and test images of a data set, and the folder that they were read from.

    None where no `root` is given and the folder that `SCALEDETECT_DATA` names, if any, lacks the data set.

    Raises
    ------
    ValueError
        For a `root` without the data set, a variable that names no folder, and files that are not the published ones.
    """
    source = os.environ.get(FOLDER_VARIABLE) if root is None else root
    if source is None or source == "":
        return None
    argument = FOLDER_VARIABLE if root is None else "root"
    folder = checked_path(argument, source)
    if not folder.is_dir():
        raise bad_value(argument, str(folder), "is no folder", "name the one that holds the data set")
    for layout in layouts:
        for subfolder in layout.subfolders:
            place = folder / subfolder
            if any((place / file).exists() for file in layout.marker):
                train, test = layout.read(place)
                return train, test, place
    if root is None:
        return None
    looked = ", ".join(dict.fromkeys(f"{one}/" if one else "itself" for layout in layouts for one in layout.subfolders))
    files = " or ".join(dict.fromkeys(layout.marker[0] for layout in layouts))
    raise bad_value("root", str(folder), f"holds no {name!r}: no {files} in it (looked in: {looked})")


# ---------------------------------------------------------------------- CIFAR-10


def _binary(folder: Path) -> tuple[Part, Part]:
    """cifar-10-batches-bin: a record is one byte of label and 3072 of pixels, by channel, then row by row."""
    return _joined([_records(folder / f"{name}.bin") for name in BATCHES]), _records(folder / "test_batch.bin")


def _records(path: Path) -> Part:
    size = ROWS * 3073
    with regular_file("root", path) as file:
        data = file.read(size + 1)
    _check_length(path, len(data), size)
    records = np.frombuffer(data, dtype=np.uint8).reshape(ROWS, 3073)
    return _checked(path, records[:, 1:].reshape(ROWS, 3, 32, 32), records[:, 0])


def _python(folder: Path) -> tuple[Part, Part]:
    """cifar-10-batches-py: pickled dictionaries, of which only plain data and arrays of bytes are read."""
    return _joined([_pickled(folder / name) for name in BATCHES]), _pickled(folder / "test_batch")


def _pickled(path: Path) -> Part:
    with regular_file("root", path) as file:
        data = file.read(PICKLE_BYTES + 1)
    if len(data) > PICKLE_BYTES:
        raise bad_value("root", str(path), f"has more than the {PICKLE_BYTES} bytes that are read", WAY_OUT)
    try:
        found = read_plain_pickle(data)
        pixels, labels = found["data"], np.asarray(found["labels"])
        whole = pixels.shape == (ROWS, 3072) and labels.shape == (ROWS,) and labels.dtype.kind == "i"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bad_value("root", str(path), f"is no batch of CIFAR-10 ({error})", WAY_OUT) from error
    if not whole or labels.min() < 0 or labels.max() > 9:
        raise bad_value("root", str(path), f"does not hold {ROWS} images of 3072 pixels and their labels", WAY_OUT)
    return _checked(path, pixels.reshape(ROWS, 3, 32, 32), labels.astype(np.uint8))


# ---------------------------------------------------------------------- IDX


def _idx_folder(folder: Path) -> tuple[Part, Part]:
    """The four files of MNIST and of its successors, plain or compressed."""
    train, test = (_idx_part(folder, part) for part in ("train", "t10k"))
    return train, test


def _idx_part(folder: Path, part: str) -> Part:
    pixels, path = _idx(folder, f"{part}-images-idx3-ubyte", axes=3)
    labels, _ = _idx(folder, f"{part}-labels-idx1-ubyte", axes=1)
    if len(pixels) != len(labels) or pixels.shape[1:] != (28, 28):
        text = f"holds {pixels.shape[0]} images of {pixels.shape[1:]} pixels beside {len(labels)} labels"
        raise bad_value("root", str(path), text, "take the four published files again")
    return _checked(path, pixels[:, None], labels)


def _idx(folder: Path, name: str, *, axes: int) -> tuple[Bytes, Path]:
    path = next((p for p in _spellings(folder, name) if p.exists()), folder / name)
    with regular_file("root", path) as file:
        # More than the largest published file, whatever its header and its compression promise.
        try:
            data = gzip.GzipFile(fileobj=file).read(2**27) if path.suffix == ".gz" else file.read(2**27)
        except (OSError, EOFError, zlib.error) as error:
            raise bad_value("root", str(path), f"cannot be read ({error})", WAY_OUT) from error
    start = 4 + 4 * axes
    if len(data) < start or data[:4] != bytes((0, 0, 8, axes)):
        raise bad_value("root", str(path), f"is no IDX file of bytes with {axes} axes", WAY_OUT)
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], dtype=">u4"))
    _check_length(path, len(data) - start, int(np.prod(shape, dtype=object)))
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape), path


def _spellings(folder: Path, name: str) -> Iterator[Path]:
    """Names in use: as published, and with the dot that some programs put before idx."""
    for stem in (name, name.replace("-idx", ".idx")):
        yield folder / stem
        yield folder / f"{stem}.gz"


# ---------------------------------------------------------------------- both


def _joined(parts: list[Part]) -> Part:
    return np.concatenate([pixels for pixels, _ in parts]), np.concatenate([labels for _, labels in parts])


def _checked(path: Path, pixels: Bytes, labels: Bytes) -> Part:
    if len(labels) == 0 or labels.max() > 9:
        raise bad_value("root", str(path), "has labels that are none of 0 to 9", WAY_OUT)
    return pixels, labels


def _check_length(path: Path, found: int, wanted: int) -> None:
    if found != wanted:
        size = f"more than {wanted}" if found > wanted else str(found)
        text = f"has {size} bytes of images or labels, where the published file has {wanted}"
        raise bad_value("root", str(path), text, WAY_OUT)


CIFAR10 = (
    Layout(
        ("", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"), ("data_batch_1.bin", "test_batch.bin"), _binary
    ),
    Layout(("", "cifar-10-batches-py", "cifar10/cifar-10-batches-py"), ("data_batch_1", "test_batch"), _python),
)


def idx_layout(*subfolders: str) -> tuple[Layout, ...]:
    """The IDX files of a data set, which may stand in folders of these names."""
    names = [f"train-images{sign}idx3-ubyte{end}" for sign in "-." for end in ("", ".gz")]
    names += [name.replace("train", "t10k") for name in names]
    return (Layout(("", *subfolders), tuple(names), _idx_folder),)
