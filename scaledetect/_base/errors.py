"""Errors that name the argument, the value received, the allowed range and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["DivergedError", "bad_type", "bad_value", "unknown_name"]


class DivergedError(Exception):
    """Training, or the output of what was trained, is not finite: there is no score."""


def bad_value(name: str, value: object, allowed: str, way_out: str = "") -> ValueError:
    """A `ValueError` that reads ``name=value is out of range: allowed. way_out``."""
    return ValueError(_sentence(name, value, allowed, way_out))


def bad_type(name: str, value: object, allowed: str, way_out: str = "") -> TypeError:
    """A `TypeError` in the same form as `bad_value`."""
    return TypeError(_sentence(name, value, allowed, way_out))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> KeyError:
    """A `KeyError` for a name that is not registered; it lists the close ones, or all when none is close."""
    names = sorted(known)
    close = get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}"
    return UnknownNameError(f"unknown {kind} {name!r}: {hint}")


class UnknownNameError(KeyError):
    """A name that is not registered. Unlike a plain `KeyError` it prints its message unquoted."""

    def __str__(self) -> str:
        return str(self.args[0])


def _sentence(name: str, value: object, allowed: str, way_out: str) -> str:
    text = f"{name}={value!r}: {allowed}"
    return f"{text}; {way_out}" if way_out else text
