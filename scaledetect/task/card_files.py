"""Cards as files: strict tables, a task as a table, and errors that name the file, the key and the close known keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf, ValidationError

from scaledetect._base.errors import InvalidValueError
from scaledetect._base.files import read_text
from scaledetect.task.task import Task

__all__ = ["Table", "TaskTable", "parse_card", "read_card_file"]

LONGEST_CARD = 1_000_000
"""Bytes of a card's file; the cards of the package have about 1000."""


class Table(BaseModel):
    """A table of a card: frozen, of exact types, without keys of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _as_task(table: object) -> object:
    if not isinstance(table, dict):
        return table
    known = [f.name for f in fields(Task)]
    for key in table:
        if key not in known:
            raise InvalidValueError(_unknown_key(key, known))
    try:
        return Task(**table)
    except TypeError as error:
        raise InvalidValueError(str(error)) from error


TaskTable = Annotated[InstanceOf[Task], BeforeValidator(_as_task)]
"""A task, written as a table of its fields."""

_Card = TypeVar("_Card", bound=Table)


def parse_card(text: str, file: str, stem: str, model: type[_Card], tables: Mapping[str, type[Table]]) -> _Card:
    """The card in a text in TOML; `tables` are those inside it, by key, and its `name` must be `stem`.

    Raises
    ------
    ValueError
        For a text that is no such card; each line of the message begins with `file` and names a key.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML, a number of too many digits, arrays too deep
        raise InvalidValueError(f"{file}: not TOML: {error}") from error
    try:
        card = model.model_validate(table)
    except ValidationError as error:
        raise InvalidValueError("\n".join(f"{file}: {line}" for line in _explain(error, model, tables))) from error
    name = getattr(card, "name", stem)
    if name != stem:
        raise InvalidValueError(f"{file}: name={name!r} must be {stem!r}, the name of the file")
    return card


def read_card_file(path: str | Path) -> str:
    """The text of a card's file, or an error that says why there is none."""
    return read_text("card", path, LONGEST_CARD)


def _explain(error: ValidationError, model: type[Table], tables: Mapping[str, type[Table]]) -> Iterator[str]:
    for problem in error.errors():
        location = problem["loc"]
        where = ".".join(str(part) for part in location if isinstance(part, int) or part.islower())
        if problem["type"] == "extra_forbidden":
            table = tables.get(str(location[0]), model)
            yield _unknown_key(where, list(table.model_fields))
        else:
            text = problem["msg"].removeprefix("Value error, ")
            yield f"{where}: {text}" if where else text


def _unknown_key(key: str, known: list[str]) -> str:
    close = get_close_matches(key.rpartition(".")[2], known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key {key!r}: {hint}"
