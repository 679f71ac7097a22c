"""Files written whole or not at all: checks before any work, and writes that replace at the end."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from scaledetect._base.errors import MissingFileError, RefusalError, bad_type, bad_value

__all__ = [
    "NO_ROOM",
    "check_writable",
    "checked_path",
    "make_folder",
    "plain",
    "read_text",
    "regular_file",
    "replacing",
    "tidy",
    "write_json",
]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO, errno.EACCES, errno.EPERM)
"""Errors of a disk that is full, broken, or takes no files."""

ABANDONED = 3600.0
"""Seconds after which a file that takes the place of none is of no process that still runs."""

SIZE_LIMIT = 64_000_000
"""Bytes of the largest text that is read whole."""


def checked_path(name: str, path: object) -> Path:
    """`path`, which the system must be able to name; it need not exist. Errors call it `name`."""
    if not isinstance(path, str | os.PathLike):
        raise bad_type(name, path, "must be a path")
    try:
        found = Path(path)
        os.lstat(found)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return found
    except OSError as error:
        raise bad_value(name, path, f"is no path of this system ({error.strerror})", "choose another") from error
    except (ValueError, TypeError) as error:  # a NUL, half a character, or bytes
        raise bad_value(name, path, f"is no path of this system ({error})", "choose another") from error
    return found


@contextmanager
def regular_file(name: str, path: str | Path) -> Iterator[BinaryIO]:
    """A file opened for reading; what is none, such as a folder or a pipe, which would block, is refused."""
    path = checked_path(name, path)
    try:
        # Without waiting for the other end of a pipe.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        refusal = bad_value(name, str(path), f"cannot be read ({error.strerror})")
        raise (MissingFileError(str(refusal)) if isinstance(error, FileNotFoundError) else refusal) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise bad_value(name, str(path), "cannot be read (it is no regular file)")
    with os.fdopen(handle, "rb") as file:
        yield file


def read_text(name: str, path: str | Path, limit: int = SIZE_LIMIT) -> str:
    """The text in a file, in UTF-8, of at most `limit` bytes; errors call the path `name`."""
    try:
        with regular_file(name, path) as file:
            # Not read(limit + 1), which takes that much memory for the smallest file.
            if os.fstat(file.fileno()).st_size > limit:
                raise bad_value(name, str(path), f"has more than the {limit} bytes that are read")
            return file.read().decode("utf-8")
    except RefusalError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise bad_value(name, str(path), f"cannot be read ({error})") from error


def check_writable(path: str | Path) -> Path:
    """`path`, after a trial that a file can be made there; nothing is left behind.

    Raises
    ------
    ValueError
        When its folder does not exist or takes no file, or `path` is a folder.
    """
    path = checked_path("output", path)
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
    path = checked_path("output", path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise bad_value("output", str(path), f"cannot be made ({error.strerror})", "choose another place") from error
    check_writable(path / "probe")
    return path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder that takes the place of `path` when the block ends without an error.

    Raises
    ------
    OSError
        One that names `path`, where the disk is full or takes no files; what was there before is left as it was.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        temporary = Path(name)
        os.close(handle)
        yield temporary
        # mkstemp makes private files; the result gets the rights any new file would have.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise OSError(error.errno, f"cannot be written ({os.strerror(error.errno)})", str(path)) from error
        raise


def tidy(folder: Path, prefix: str) -> None:
    """Remove what processes left that were killed in `replacing` files of this prefix, an hour ago and earlier."""
    for path in folder.glob(f".{prefix}*-????????.*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()


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
