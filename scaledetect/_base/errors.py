"""Refusals: errors of a type of their own that name argument, value, allowed range and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "DivergedError",
    "InvalidTypeError",
    "InvalidValueError",
    "MissingFileError",
    "NeedsMemoryError",
    "RefusalError",
    "UnknownNameError",
    "bad_type",
    "bad_value",
    "needs_memory",
    "shown",
    "unknown_name",
]

LONGEST_VALUE = 200
"""Characters of a value that a message shows; what is cut is said."""


class RefusalError(Exception):
    """What the package refuses on purpose: its message is for the user, and the command line shows no traceback."""


class InvalidValueError(RefusalError, ValueError):
    """A value out of its range."""


class NeedsMemoryError(InvalidValueError, MemoryError):
    """A value that asks for more memory than there is."""


class MissingFileError(InvalidValueError, FileNotFoundError):
    """The path of a file that is not there."""


class InvalidTypeError(RefusalError, TypeError):
    """A value of a type that means nothing here."""


class UnknownNameError(RefusalError, KeyError):
    """A name that is not registered. Unlike a plain `KeyError` it prints its message unquoted."""

    def __str__(self) -> str:
        return str(self.args[0])


class DivergedError(Exception):
    """Training, or the output of what was trained, is not finite: there is no score."""


def needs_memory(name: str, value: object, n_bytes: float) -> NeedsMemoryError:
    """A `NeedsMemoryError` in the same form as `bad_value`."""
    return NeedsMemoryError(
        _sentence(name, value, f"asks for {n_bytes / 1e9:.3g} GB of memory", "ask for fewer at a time")
    )


def bad_value(name: str, value: object, allowed: str, way_out: str = "") -> InvalidValueError:
    """An `InvalidValueError` that reads ``name=value: allowed; way_out``."""
    return InvalidValueError(_sentence(name, value, allowed, way_out))


def bad_type(name: str, value: object, allowed: str, way_out: str = "") -> InvalidTypeError:
    """An `InvalidTypeError` in the same form as `bad_value`."""
    return InvalidTypeError(_sentence(name, value, allowed, way_out))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """An error for a name that is not registered; it lists the close ones, or all when none is close."""
    names = sorted(known)
    close = get_close_matches(name[:LONGEST_VALUE], names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}"
    return UnknownNameError(f"unknown {kind} {shown(name)}: {hint}")


def _sentence(name: str, value: object, allowed: str, way_out: str) -> str:
    text = f"{name}={shown(value)}: {allowed}"
    return f"{text}; {way_out}" if way_out else text


def shown(value: object) -> str:
    """`repr`, cut where it is long; an object that has none, and an integer too long to print, by its type."""
    try:
        text = repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    # What holds half of a character has no form in a file or on a terminal.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}... ({len(text)} characters)"
