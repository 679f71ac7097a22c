"""Record files, one a run or one a line: written whole or not at all, read as data, bad ones named and passed over."""

from __future__ import annotations

import json
import marshal
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json

from scaledetect._base.canonical_json import canonical_json, content_hash
from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect._base.files import checked_path, replacing
from scaledetect.leaderboard.records.environment import Environment
from scaledetect.leaderboard.records.schema import NAME_PATTERN, Record

__all__ = [
    "SIZE_LIMIT",
    "BadRecord",
    "ChangedRecordError",
    "RecordError",
    "find_records",
    "keyed_path",
    "numbered_records",
    "place_of",
    "read_record",
    "read_records",
    "record_path",
    "write_lines",
    "write_record",
]

SIZE_LIMIT = 1_000_000
"""Bytes of the largest file that is read; a record has about 2000."""

MOST_SHARED = 1000
"""Environments that are kept to be shared by the records that are read."""

_environments: dict[bytes, Environment] = {}

_NESTED = (dict, list)

_NAME = re.compile(NAME_PATTERN.strip("^$"))


class RecordError(InvalidValueError):
    """A file that is not a sound record.

    Attributes
    ----------
    path : Path
    reason : str
        What is wrong with it; the message is both.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type[RecordError], tuple[Path, str]]:
        return type(self), (self.path, self.reason)


class ChangedRecordError(RecordError):
    """A record whose content is not what its SHA-256 was taken of."""


@dataclass(frozen=True)
class BadRecord:
    """A file, or a line of one, that could not be read as a record, and why.

    Attributes
    ----------
    path : Path
    reason : str
    changed : bool
        Whether it is a record that is not what its SHA-256 was taken of.
    """

    path: Path
    reason: str
    changed: bool = False


def record_path(folder: str | Path, record: Record) -> Path:
    """Where `record` stands under `folder`: by card and entry, then size, seed and key."""
    return keyed_path(folder, record.card, record.entry, record.n_train, record.seed, record.key)


def keyed_path(folder: str | Path, card: str, entry: str, n_train: int, seed: int, key: str) -> Path:
    """The path of the record of a run, known before it is run."""
    for what, name in (("card", card), ("entry", entry)):
        if not _NAME.fullmatch(name):
            raise bad_value(what, name, "is no name of a folder", "use letters, digits, '-', '_' and '.'")
    return Path(folder, card, entry, f"P{n_train}-seed{seed}-{key[:16]}.json")


def write_record(folder: str | Path, record: Record) -> Path:
    """Write `record` where `record_path` says, whole or not at all; an older file of the same run is replaced."""
    path = record_path(folder, record)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(_line(record))
    return path


def write_lines(folder: str | Path, records: Iterable[Record]) -> list[Path]:
    """Write records as JSON Lines, one file a card and entry: ``<card>/<entry>.jsonl``, in the order of size and seed.

    Files that are there already are replaced.
    """
    by_file: dict[Path, list[Record]] = defaultdict(list)
    for record in records:
        by_file[record_path(folder, record).parent.with_suffix(".jsonl")].append(record)
    for path, group in by_file.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        group.sort(key=lambda record: (record.n_train, record.seed, record.key))
        with replacing(path) as temporary:
            temporary.write_bytes(b"".join(map(_line, group)))
    return sorted(by_file)


def _line(record: Record) -> bytes:
    """The bytes that its hash was taken of, with the hash among them: read again without being encoded again."""
    return canonical_json(record.model_dump()) + b"\n"


def find_records(folders: Iterable[str | Path]) -> list[Path]:
    """The record files of folders, sorted; a path of a file stands for itself, a hidden file is none.

    Raises
    ------
    ValueError
        For a path that is not there.
    """
    return [Path(one) for one in _find(folders)]


def _find(folders: Iterable[str | Path]) -> list[str]:
    """As text: ten thousand objects of paths take as long as the files."""
    found: list[str] = []
    for folder in (checked_path("records", one) for one in folders):
        if not folder.exists():
            raise bad_value("records", str(folder), "there is no such file or folder")
        found += _walk(folder) if folder.is_dir() else [str(folder)]
    return found


def _walk(folder: Path) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (
            os.path.join(place, name)  # noqa: PTH118
            for name in sorted(names)
            if name.endswith((".json", ".jsonl")) and name[0] != "."
        )


def read_records(folders: Iterable[str | Path]) -> Iterator[tuple[Path, Record | BadRecord]]:
    """Each record of `folders`, or what is wrong with it, and where it stands: its file, or ``<file>:<line>``."""
    for path, line, found in numbered_records(folders):
        yield place_of(path, line), found


def numbered_records(folders: Iterable[str | Path]) -> Iterator[tuple[str, int, Record | BadRecord]]:
    """As `read_records`, with file and line apart; line 0 is a file of one record."""
    for path in _find(folders):
        if path.endswith(".jsonl"):
            yield from _read_lines(path)
        else:
            yield path, 0, _found(path, 0, None)


def place_of(path: str, line: int) -> Path:
    """How messages call a record: by its file, and its line where it is one of several."""
    return Path(f"{path}:{line}" if line else path)


def _read_lines(path: str) -> Iterator[tuple[str, int, Record | BadRecord]]:
    with Path(path).open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(SIZE_LIMIT + 1), b""), 1):
            yield path, number, _found(path, number, line)
            if len(line) > SIZE_LIMIT:  # where the next record begins is not known
                return


def _found(path: str, line: int, content: bytes | None) -> Record | BadRecord:
    try:
        return _sound(_bytes(path) if content is None else content)
    except _UnsoundError as error:
        return BadRecord(place_of(path, line), error.reason, error.changed)


def read_record(path: str | Path) -> Record:
    """The record in a file, after every check that needs no rerun.

    Raises
    ------
    RecordError
        A refusal: for a file that cannot be read, is larger than `SIZE_LIMIT`, is not JSON, has a key too many or
        too few, contradicts itself, or is not what its SHA-256 was taken of.
    """
    path = Path(path)
    try:
        return _sound(_bytes(path))
    except _UnsoundError as error:
        kind = ChangedRecordError if error.changed else RecordError
        raise kind(path, error.reason) from error.__cause__


class _UnsoundError(Exception):
    """Why some bytes are no record."""

    def __init__(self, reason: str, *, changed: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.changed = reason, changed


def _sound(content: bytes) -> Record:
    try:
        return _checked(content)
    except RecursionError as error:
        raise _UnsoundError("is nested too deeply") from error


def _checked(content: bytes) -> Record:
    if len(content) > SIZE_LIMIT:
        raise _UnsoundError(f"has more than the {SIZE_LIMIT} bytes that a record may have")
    data = _parse(content)
    if not isinstance(data, dict):
        raise _UnsoundError("is not a JSON object")
    problem = ""
    try:
        record = Record.model_validate(_with_shared_environment(data))
    except ValidationError as error:
        problem = "; ".join(_explain(error))
    if _is_changed(data, content):
        text = "was changed: its content is not what its SHA-256 was taken of"
        raise _UnsoundError(text + (f" ({problem})" if problem else ""), changed=True)
    if problem:
        raise _UnsoundError(problem)
    return record


def _with_shared_environment(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with the environment checked, the one object of all records that were made in it.

    A folder of 100,000 records has a handful of them; one object each is most of the memory, and a third of the checks.
    What is no sound environment is left for the check of the record, which says where it is wrong.
    """
    raw = data.get("environment")
    if not isinstance(raw, dict):
        return data
    try:
        written = marshal.dumps(raw, 0)  # tells 1 from true and 1.0, which are equal
    except ValueError:  # nested too deeply
        return data
    known = _environments.get(written)
    if known is None:
        try:
            known = Environment.model_validate(raw)
        except ValidationError:
            return data
        if len(_environments) < MOST_SHARED:
            _environments[written] = known
    return {**data, "environment": known}


def _is_changed(data: dict[str, Any], content: bytes) -> bool:
    """Whether the hash is there, and is another one than that of the content."""
    stored = data.get("sha256")
    if not isinstance(stored, str):
        return False
    # A line that is canonical already holds the very bytes that were hashed: no need to encode them again.
    sealed = content.rstrip(b"\n").replace(f',"sha256":"{stored}"'.encode("ascii", "replace"), b"", 1)
    if sha256(sealed).hexdigest() == stored:
        return False
    try:
        return stored != content_hash({name: value for name, value in data.items() if name != "sha256"})
    except ValueError:  # a number too large to be one
        return True


def _bytes(path: str | Path) -> bytes:
    # By the system's own calls: ten thousand records feel what `open` adds. A pipe is opened without waiting for it.
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise _UnsoundError("is not a plain file")
            if status.st_size > SIZE_LIMIT:
                raise _UnsoundError(f"has {status.st_size} bytes, more than the {SIZE_LIMIT} a record may have")
            return os.read(file, status.st_size)
        finally:
            os.close(file)
    except OSError as error:
        raise _UnsoundError(f"cannot be read ({error.strerror})") from error


def _parse(content: bytes) -> Any:
    """The JSON in `content`, refused where it is none, or holds a key twice or a number that is none."""
    try:
        found = from_json(content, allow_inf_nan=False)
        # Every key is followed by a colon: with no more colons than keys that are left, none stood twice.
        if content.count(b":") == _count_keys(found):
            return found
    except ValueError:
        pass  # the careful reader says why
    try:
        return _decode(content.decode("utf-8"))
    except ValueError as error:
        raise _UnsoundError(f"is not JSON ({error})") from error


def _count_keys(data: Any) -> int:
    if not isinstance(data, _NESTED):
        return 0
    own, inside = (len(data), data.values()) if isinstance(data, dict) else (0, data)
    return own + sum([_count_keys(one) for one in inside if isinstance(one, _NESTED)])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False)[:5]:
        where = ".".join(map(str, problem["loc"]))
        text = "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"].removeprefix("Value error, ")
        yield f"{where}: {text}" if where else text


_decode = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique).decode
