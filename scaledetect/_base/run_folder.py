"""Folder of a run: the description it was made with, checked on going on, and a lock while it is written to."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any

from scaledetect._base.errors import bad_value
from scaledetect._base.files import make_folder, plain, read_text, write_json

__all__ = ["Description", "lock_folder"]

LOCK = ".lock"

SHOWN = 120
"""Characters of a value that an error shows."""

WAY_OUT = "choose another folder, or remove this one"


@dataclass(frozen=True)
class Description:
    """Plain data that say what a folder holds, kept in a JSON file of it: the same data, the same run.

    Attributes
    ----------
    file : str
        Name of the JSON file.
    form : str
        Name of its format.
    key : str
        Key of the data in the file.
    data : mapping
    title : str, optional
        Name of what the folder holds, in errors; by default `key`.
    """

    file: str
    form: str
    key: str
    data: Mapping[str, Any]
    title: str = ""
    _plain: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_plain", json.loads(json.dumps(plain(dict(self.data)), allow_nan=False)))

    def claim(self, path: Path, made_with: Mapping[str, Any]) -> bool:
        """Make a folder for this run, or find that it holds the same one.

        Parameters
        ----------
        path : Path
        made_with : mapping
            Written beside the data of a new folder, and not compared.

        Returns
        -------
        bool
            Whether it was there already.

        Raises
        ------
        ValueError
            For a folder that cannot be written, or holds another run: the message names what differs.
        """
        found = self.check(path)
        make_folder(path)
        if not found:
            write_json(path / self.file, {"format": self.form, self.key: self._plain, "made_with": dict(made_with)})
        return found

    @contextmanager
    def hold(self, path: Path, made_with: Mapping[str, Any]) -> Iterator[None]:
        """`claim` a folder while it is held for this process alone; half a description of a killed process is removed.

        Raises
        ------
        ValueError
            As `claim` and `lock_folder`.
        """
        # Before a lock is left in the folder of something else.
        self.check(path)
        with lock_folder(make_folder(path)):
            name = Path(self.file)
            for left in path.glob(f".{name.stem}-????????{name.suffix}"):
                left.unlink()
            self.claim(path, made_with)
            yield

    def check(self, path: Path) -> bool:
        """Whether a folder holds this run already; nothing is written, and errors are those of `claim`."""
        if not (path / self.file).exists():
            return False
        there = self._read(path)
        different = sorted(key for key in {*self._plain, *there} if self._plain.get(key) != there.get(key))
        if different:
            here = self._plain
            pairs = [f"{key} is {_shown(there.get(key))} there and {_shown(here.get(key))} here" for key in different]
            raise bad_value("output", str(path), f"holds another {self.title or self.key}: {', '.join(pairs)}", WAY_OUT)
        return True

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(read_text("output", path / self.file))
            known, there = found["format"] == self.form, dict(found.get(self.key, {}))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            text = f"holds a {self.file} that cannot be read ({error})"
            raise bad_value("output", str(path), text, WAY_OUT) from error
        if not known:
            raise bad_value("output", str(path), f"holds a {self.file} that is not {self.form!r}", WAY_OUT)
        return there


@contextmanager
def lock_folder(folder: Path, name: str = LOCK) -> Iterator[None]:
    """Hold a folder for this process alone; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    ValueError
        Where another process, or another call in this one, holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / name, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        text = "is in use by another run"
        raise bad_value("output", str(folder), text, "wait until it has ended, or choose another folder") from error
    except NotImplementedError:
        warnings.warn(f"the file system of {folder} has no locks: do not start two runs in it", stacklevel=4)
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _shown(value: object) -> str:
    return shorten(repr(value), SHOWN, placeholder=" ...")
