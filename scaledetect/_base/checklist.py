"""A checklist: checks done in turn, each with a name, a verdict and what was seen, in words."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = ["FailedStepError", "Step", "attempt", "in_words"]

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One check: its name, whether it is passed, and what was seen, in words."""

    name: str
    ok: bool
    says: str

    def __str__(self) -> str:
        """One line, as it is printed."""
        return f"{'ok  ' if self.ok else 'FAIL'}  {self.name:17} {self.says}"


class FailedStepError(Exception):
    """A check that is not passed; its message says why."""


def attempt(name: str, check: Callable[[], tuple[T, str]]) -> Generator[Step, None, T | None]:
    """Yield the step; return the value of `check`, None where it fails."""
    try:
        value, says = check()
    except FailedStepError as error:
        yield Step(name, False, str(error))
        return None
    except Exception as error:
        yield Step(name, False, in_words(error))
        return None
    yield Step(name, True, says)
    return value


def in_words(error: BaseException) -> str:
    """The first line of an error, and where in the user's own code it was raised."""
    text = (_message(error).strip().splitlines() or [""])[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_the_user(frame.filename)]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"


def _message(error: BaseException) -> str:
    """What an error says, in characters that every file can hold: code of others may say half of one."""
    try:
        return str(error).encode("utf-8", "backslashreplace").decode("utf-8")
    except Exception:
        return ""


def _is_of_the_user(filename: str) -> bool:
    inside = Path(filename).is_relative_to(Path(__file__).parents[1])
    return Path(filename).is_relative_to(Path.cwd()) and not inside and "site-packages" not in filename
