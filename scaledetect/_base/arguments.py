"""Checks of arguments: integers, seeds, counts and choices, with errors that name argument, value and range."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral

from scaledetect._base.errors import bad_type, bad_value

__all__ = ["MAX_SAMPLE", "at_least_one", "check_number", "check_seed", "one_of"]

MAX_SAMPLE = 2**64 - 2
"""Largest number of a sample: block j + 1 of a stream is counted in one 64-bit word."""


def check_seed(seed: object, name: str = "seed") -> int:
    """`seed` as a Python integer in 0..2^64 - 1; errors call it `name`."""
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise bad_type(name, seed, "must be an integer from 0 to 2^64 - 1")
    if not 0 <= int(seed) < 2**64:
        raise bad_value(name, seed, "must be an integer from 0 to 2^64 - 1")
    return int(seed)


def check_number(name: str, value: object) -> int:
    """`value`, the number or a count of samples, as a Python integer in 0..2^64 - 2."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise bad_type(name, value, "must be an integer")
    if not 0 <= int(value) <= MAX_SAMPLE:
        raise bad_value(name, value, "must be from 0 to 2^64 - 2")
    return int(value)


def at_least_one(name: str, value: object) -> int:
    """`value` as an int, or an error that names it when it is no integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise bad_type(name, value, "must be an integer")
    if value < 1:
        raise bad_value(name, value, "must be at least 1")
    return int(value)


def one_of(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise unless `value` is one of `choices`."""
    options = list(choices)
    if value not in options:
        raise bad_value(name, value, "choose one of " + ", ".join(map(repr, options)))
