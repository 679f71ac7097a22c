"""Files written whole or not at all: checks before any work, and writes that replace at the end."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from scaledetect._base.errors import bad_value

__all__ = ["check_writable", "make_folder", "plain", "replacing", "write_json"]


def check_writable(path: str | Path) -> Path:
    """`path`, after a trial that a file can be made there; nothing is left behind.

    Raises
    ------
    ValueError
        When its folder does not exist or takes no file, or `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise bad_value("output", str(path), "is a folder", "name a file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise bad_value("output", str(path), f"cannot be written ({error.strerror})", "choose another place") from error
    return path


def make_folder(path: str | Path) -> Path:
    """The folder `path`, made with its parents where it is missing; a `ValueError` where it takes no file."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise bad_value("output", str(path), f"cannot be made ({error.strerror})", "choose another place") from error
    check_writable(path / "probe")
    return path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder that takes the place of `path` when the block ends without an error."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; the result gets the rights any new file would have.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: str | Path, data: Any) -> None:
    """Write `data` as JSON, whole or not at all; what is not finite becomes null."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(plain(data), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """`value` with arrays and tuples as lists, NumPy numbers as Python's, and what is not finite as None."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
