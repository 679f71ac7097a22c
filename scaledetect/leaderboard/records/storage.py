"""Record files, one a run or one a line: written whole or not at all, read as data, bad ones named and passed over."""

from __future__ import annotations

import json
import os
import re
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

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

_environments: dict[str, Environment] = {}

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
    text = json.dumps(record.model_dump(), indent=1, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
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
            temporary.write_bytes(b"".join(canonical_json(one.model_dump()) + b"\n" for one in group))
    return sorted(by_file)


def find_records(folders: Iterable[str | Path]) -> list[Path]:
    """The record files of folders, sorted; a path of a file stands for itself, a hidden file is none.

    Raises
    ------
    ValueError
        For a path that is not there.
    """
    found: list[Path] = []
    for folder in (checked_path("records", one) for one in folders):
        if not folder.exists():
            raise bad_value("records", str(folder), "there is no such file or folder")
        if folder.is_dir():
            found += _walk(folder)
        else:
            found.append(folder)
    return found


def _walk(folder: Path) -> Iterator[Path]:
    # Sorting names is ten times faster than sorting paths.
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (
            Path(place, name) for name in sorted(names) if name.endswith((".json", ".jsonl")) and name[0] != "."
        )


def read_records(folders: Iterable[str | Path]) -> Iterator[tuple[Path, Record | BadRecord]]:
    """Each record of `folders`, or what is wrong with it, and where it stands: its file, or ``<file>:<line>``."""
    for path in find_records(folders):
        if path.suffix == ".jsonl":
            yield from _read_lines(path)
        else:
            yield path, _found(lambda path=path: read_record(path))  # type: ignore[misc]


def _read_lines(path: Path) -> Iterator[tuple[Path, Record | BadRecord]]:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(SIZE_LIMIT + 1), b""), 1):
            place = Path(f"{path}:{number}")
            yield place, _found(lambda place=place, line=line: _checked(place, line))  # type: ignore[misc]
            if len(line) > SIZE_LIMIT:  # where the next record begins is not known
                return


def _found(read: Callable[[], Record]) -> Record | BadRecord:
    try:
        return read()
    except RecordError as error:
        return BadRecord(error.path, error.reason, isinstance(error, ChangedRecordError))


def read_record(path: str | Path) -> Record:
    """The record in a file, after every check that needs no rerun.

    Raises
    ------
    RecordError
        A refusal: for a file that cannot be read, is larger than `SIZE_LIMIT`, is not JSON, has a key too many or
        too few, contradicts itself, or is not what its SHA-256 was taken of.
    """
    path = Path(path)
    return _checked(path, _bytes(path))


def _checked(path: Path, content: bytes) -> Record:
    try:
        return _sound(path, content)
    except RecursionError as error:
        _refuse(path, "is nested too deeply", error)


def _sound(path: Path, content: bytes) -> Record:
    if len(content) > SIZE_LIMIT:
        _refuse(path, f"has more than the {SIZE_LIMIT} bytes that a record may have")
    data = _parse(path, content)
    if not isinstance(data, dict):
        _refuse(path, "is not a JSON object")
    problem = ""
    try:
        record = Record.model_validate(_with_shared_environment(data))
    except ValidationError as error:
        problem = "; ".join(_explain(error))
    if _is_changed(data, content):
        text = "was changed: its content is not what its SHA-256 was taken of"
        raise ChangedRecordError(path, text + (f" ({problem})" if problem else ""))
    if problem:
        _refuse(path, problem)
    return record


def _with_shared_environment(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with the environment checked, the one object of all records that were made in it.

    A folder of 100,000 records has a handful of them; one object each is most of the memory, and a third of the checks.
    What is no sound environment is left for the check of the record, which says where it is wrong.
    """
    raw = data.get("environment")
    if not isinstance(raw, dict):
        return data
    written = repr(raw)  # tells 1 from true and 1.0, which are equal
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


def _bytes(path: Path) -> bytes:
    try:
        status = os.stat(path)  # noqa: PTH116 - a third faster, which ten thousand records feel
        if not stat.S_ISREG(status.st_mode):
            _refuse(path, "is not a plain file")
        if status.st_size > SIZE_LIMIT:
            _refuse(path, f"has {status.st_size} bytes, more than the {SIZE_LIMIT} a record may have")
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - likewise
            return file.read(status.st_size)
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror})", error)


def _parse(path: Path, content: bytes) -> Any:
    try:
        return _decode(content.decode("utf-8"))
    except ValueError as error:
        _refuse(path, f"is not JSON ({error})", error)


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


def _refuse(path: Path, why: str, cause: Exception | None = None) -> NoReturn:
    raise RecordError(path, why) from cause
