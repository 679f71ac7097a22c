"""Checks of arguments: integers, seeds, real numbers, fractions, flags, choices, texts, arrays and devices.

Each returns the value in its plain Python form, or refuses it with an error that names argument, value and range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value, needs_memory

if TYPE_CHECKING:
    import torch

__all__ = [
    "LARGEST",
    "MAX_SAMPLE",
    "MOST_NUMBERS",
    "at_least_one",
    "check_device",
    "check_dtype",
    "check_number",
    "check_seed",
    "empty",
    "entries",
    "finite",
    "flag",
    "fraction",
    "integer",
    "integers",
    "intensity",
    "not_negative",
    "one_of",
    "positive",
    "real_array",
    "text",
    "texts",
]


MAX_SAMPLE = 2**64 - 2
"""Largest number of a sample, which is one less than the samples there are: block j + 1 is counted in one word."""

LARGEST = 2**63 - 1
"""Largest integer that is taken where nothing else limits it: NumPy's and torch's hold no more."""

MOST_INTENSE = 1e50
"""Largest value of a pixel, and standard deviation of noise."""

MOST_NUMBERS = 100_000
"""Most integers in a list of them."""


def integer(
    name: str, value: object, low: int | None = None, high: int = LARGEST, *, kind: str = "", way_out: str = ""
) -> int:
    """`value` as a Python integer of at least `low` and at most `high`; `kind` words both refusals alike."""
    if not _is_integer(value):
        allowed = "an integer" if low is None else f"an integer {_range(low, high)}"
        raise bad_type(name, value, f"must be {kind or allowed}", way_out)
    number, least = int(value), -LARGEST if low is None else low
    if not least <= number <= high:
        raise bad_value(name, value, f"must be {kind or _range(least, high, number)}", way_out)
    return number


def integers(name: str, values: object, low: int | None = None, high: int = LARGEST, *, kind: str) -> tuple[int, ...]:
    """Those of an iterable, at most `MOST_NUMBERS`, each as `integer` takes it; `kind` says what it must be."""
    found = entries(name, values, kind=kind)
    for value in found:
        if not _is_integer(value):
            raise bad_type(name, value, f"must be {kind}")
    return tuple(integer(name, value, low, high) for value in found)


def check_seed(seed: object, name: str = "seed") -> int:
    """`seed` as a Python integer in 0..2^64 - 1; errors call it `name`."""
    return integer(name, seed, 0, 2**64 - 1, kind="an integer from 0 to 2^64 - 1")


def check_number(name: str, value: object) -> int:
    """`value`, the number or a count of samples, as a Python integer in 0..2^64 - 2."""
    return integer(name, value, 0, MAX_SAMPLE)


def at_least_one(name: str, value: object) -> int:
    """`value` as an int, or an error that names it when it is no integer of at least 1."""
    return integer(name, value, 1)


def finite(name: str, value: object, *, kind: str = "a number", allowed: str = "finite") -> float:
    """`value` as a finite float; `kind` and `allowed` word the refusals of types and of values."""
    return _real(name, value, kind, allowed, -math.inf)


def positive(
    name: str, value: object, *, kind: str = "a positive number", allowed: str = "positive and finite"
) -> float:
    """`value` as a finite float above 0."""
    return _real(name, value, kind, allowed, math.nextafter(0.0, 1.0))


def intensity(name: str, value: object, *, kind: str = "a positive number") -> float:
    """`value` as a float from 1e-50 to 1e50, whose fourth powers are floats too: what pixels are measured in."""
    number = positive(name, value, kind=kind, allowed=kind)
    if not 1 / MOST_INTENSE <= number <= MOST_INTENSE:
        raise bad_value(name, value, "must be from 1e-50 to 1e50", "change the unit")
    return number


def not_negative(name: str, value: object) -> float:
    """`value` as a finite float of at least 0."""
    return _real(name, value, "a number", "finite and not negative", 0.0)


def fraction(name: str, value: object, below: float = 1.0, *, way_out: str = "") -> float:
    """`value` as a float between 0 and `below`, both excluded."""
    number = _real(name, value, "a number", "finite", -math.inf, way_out)
    if not 0 < number < below:
        raise bad_value(name, value, f"must lie between 0 and {'1/2' if below == 0.5 else f'{below:g}'}", way_out)
    return number


def flag(name: str, value: object) -> bool:
    """`value` as True or False; a number or a text is neither."""
    if not isinstance(value, (bool, np.bool_)):
        raise bad_type(name, value, "must be True or False")
    return bool(value)


def text(name: str, value: object, *, kind: str = "a string") -> str:
    """`value`, which must be a string."""
    if not isinstance(value, str):
        raise bad_type(name, value, f"must be {kind}")
    return value


def texts(name: str, values: object, *, kind: str = "a list of names") -> tuple[str, ...]:
    """Those of an iterable that is no string itself, at most `MOST_NUMBERS`; `kind` says what it must be."""
    return tuple(text(name, value, kind=kind) for value in entries(name, values, kind=kind))


def entries(name: str, values: object, *, kind: str) -> tuple[Any, ...]:
    """Those of an iterable that is no string, at most `MOST_NUMBERS`; `kind` says what it must be."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise bad_type(name, values, f"must be {kind}")
    try:
        found = tuple(islice(values, MOST_NUMBERS + 1))
    except TypeError as error:  # an array without axes says that it is iterable
        raise bad_type(name, values, f"must be {kind}") from error
    if len(found) > MOST_NUMBERS:
        raise bad_value(name, values, f"must be at most {MOST_NUMBERS} numbers", "take them in several parts")
    return found


def one_of(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise unless `value` is one of `choices`."""
    options = list(choices)
    if not isinstance(value, str) or value not in options:
        raise bad_value(name, value, "choose one of " + ", ".join(map(repr, options)))


def real_array(name: str, values: object) -> FloatArray:
    """`values` as an array of float64; what is not finite is let through, what is no real number is not."""
    try:
        found = np.asarray(values)
        if found.dtype.kind not in "fiuO":
            raise TypeError(f"of type {found.dtype}")
        # An array of objects may hold anything that can be taken for a number, but texts are none.
        if found.dtype.kind == "O" and not all(isinstance(entry, Real) for entry in found.flat):
            raise TypeError("some are none")
        return np.asarray(found, dtype=np.float64)
    # What an array-like raises on its way is of no one kind: ragged, nested too deeply, too large for a float.
    except Exception as error:
        raise bad_type(name, values, f"must be an array of real numbers ({error})") from error


def check_device(device: torch.device | str | None) -> torch.device:
    """The device asked for, by default the first GPU where there is one; an error where it cannot be used."""
    import torch

    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not isinstance(device, str | torch.device):
        raise bad_type("device", device, "must be a torch.device or its name", 'take "cpu"')
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise bad_value("device", str(device), f"cannot be used ({first})", 'take "cpu"') from error
    return chosen


def check_dtype(dtype: object) -> None:
    """Raise unless it is None or a floating type of torch."""
    import torch

    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise bad_type("dtype", dtype, "must be a floating type of torch, as torch.float64")


def _is_integer(value: object) -> TypeGuard[Integral]:
    # True and False are numbers to Python; as an argument one of them is a slip.
    return isinstance(value, Integral) and not isinstance(value, bool)


def _real(name: str, value: object, kind: str, allowed: str, low: float, way_out: str = "") -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise bad_type(name, value, f"must be {kind}", way_out)
    try:
        number = float(value)
    except OverflowError:  # an integer or a fraction beyond the largest float
        number = math.inf
    if not (math.isfinite(number) and number >= low):
        raise bad_value(name, value, f"must be {allowed}", way_out)
    return number


def _range(low: int, high: int, number: int | None = None) -> str:
    """The range in words; a limit that nobody asked for is named to those who meet it only."""
    if number is not None and number > high and (high == LARGEST or low == -LARGEST):
        return f"at most {_in_words(high)}"
    if high == LARGEST:
        return f"at least {_in_words(low)}" if number is not None else f"of at least {_in_words(low)}"
    return f"from {_in_words(low)} to {_in_words(high)}"


def _in_words(bound: int) -> str:
    """An integer, near a large power of two as that."""
    for less in (0, 1, 2):
        total = bound + less
        if total >= 2**31 and total & (total - 1) == 0:
            return f"2^{total.bit_length() - 1}" + (f" - {less}" if less else "")
    return str(bound)


def empty(name: str, value: object, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array whose entries are not set; its size is what the argument `name` asks for."""
    try:
        return np.empty(shape, dtype=dtype)
    except (MemoryError, ValueError, OverflowError) as error:  # NumPy's for arrays that no address space holds
        raise needs_memory(name, value, math.prod(shape) * np.dtype(dtype).itemsize) from error
