"""Values that careless or hostile callers give: variations of a right one, and values of any other kind."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

import scaledetect as sd

__all__ = ["changed", "odd"]


def nested(depth: int) -> Any:
    value: Any = [1.0]
    for _ in range(depth):
        value = [value]
    return value


class Unprintable:
    """An object whose `repr` fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def odd(rng: Random) -> Any:
    """A value of any kind."""
    return rng.choice(_ODD)


_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3.5, -0.0, math.nan, math.inf, -math.inf, 10**400, -(10**400), 10**5000, 2**31,
    2**63,
    2**64, 1e308, 5e-324, Fraction(1, 3), 1j, "", "a", "1", "norm", "l2", "\ud800", "\0", "x" * 300, b"bytes", (), (1,),
    (0, 0), [], [1.0, 2.0], [[1.0], [1.0, 2.0]], nested(3000), {}, {"a": 1}, {1, 2}, range(3), range(10**18), object(),
    Unprintable(), np.int64(3), np.float32(1.5), np.bool_(True), np.datetime64("2020-01-01"), np.array([]),
    np.array(3), np.array([1, 2, 3]), np.array([1.0, math.nan]), np.array(["a"]), np.array([None, 1], dtype=object),
    np.zeros((2, 2, 2, 2, 2)), np.zeros((4, 4), dtype=np.complex128), torch.zeros(2), torch.zeros((),
    dtype=torch.int64),
    Path("nowhere"), Path("/"), nn.Identity(), lambda x: x, lambda x: None, sd.Task(size=16, xi=4),
    sd.Task(dim=2, size=6, xi=2.5, norm="linf", balance="natural"), sd.Noise(), sd.Noise(sigma=0.5),
)  # fmt: skip

_INTEGERS = (
    0,
    1,
    -1,
    2,
    3,
    5,
    7,
    16,
    64,
    1000,
    2**31 - 1,
    2**31,
    2**32,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    10**400,
)
_REALS = (0.0, -0.0, 0.5, 1.0, -1.0, 1.5, 1e-300, 5e-324, 1e300, math.inf, -math.inf, math.nan, 2.0**63)
_TEXTS = (
    "",
    "equal",
    "natural",
    "train",
    "l1",
    "signed",
    "sample",
    "float16",
    "float64",
    "int8",
    "cpu",
    "cuda:7",
    "x\0",
    "é",
)


def changed(value: Any, rng: Random) -> Any:
    """A variation of `value`: mostly of its kind, sometimes of another."""
    if rng.random() < 0.25:
        return odd(rng)
    kind = next((make for types, make in _KINDS if isinstance(value, types)), None)
    return odd(rng) if kind is None else kind(value, rng)


def _flag(value: bool, rng: Random) -> Any:
    return rng.choice((not value, int(value), str(value), np.bool_(value), None))


def _integer(value: int, rng: Random) -> Any:
    way = rng.randrange(6)
    if way == 0:
        return value + rng.choice((-2, -1, 1, 2))
    if way == 1:
        form = rng.choice((float, str, lambda n: np.int8(n % 100), Fraction, lambda n: [n], lambda n: n + 0.5))
        try:
            return form(value)
        except (OverflowError, ValueError):  # no float is as large, or no text as long
            return [value]
    return rng.choice(_INTEGERS) * rng.choice((1, 1, 1, -1))


def _real(value: float, rng: Random) -> Any:
    way = rng.randrange(4)
    if way == 0:
        return value * rng.choice((-1.0, 0.5, 2.0, 1e6, 1e-6))
    if way == 1:
        return rng.choice((str(value), np.float32(value), Fraction(0.25), [value], 3))
    return rng.choice(_REALS)


def _text(value: str, rng: Random) -> Any:
    if value and rng.random() < 0.4:
        k = rng.randrange(len(value))
        return value[:k] + rng.choice(("", "é", " ", "/", "\0", value[k] * 2)) + value[k + 1 :]
    return rng.choice(_TEXTS)


def _sequence(value: Any, rng: Random) -> Any:
    items = list(value)
    way = rng.randrange(5)
    if way == 0 and items:
        items.pop(rng.randrange(len(items)))
    elif way == 1:
        items.append(rng.choice(items) if items else odd(rng))
    elif way == 2:
        rng.shuffle(items)
    elif items:
        k = rng.randrange(len(items))
        items[k] = changed(items[k], rng)
    return rng.choice((tuple, list))(items)


def _array(value: np.ndarray[Any, Any], rng: Random) -> Any:
    found = np.array(value)
    way = rng.randrange(10)
    if way == 0:
        return found.astype(
            rng.choice((np.float16, np.float32, np.int32, np.uint8, np.bool_, np.complex128, np.object_))
        )
    if way == 1:
        return found[:0]
    if way == 2:
        return found[..., :-1]
    if way == 3:
        return found[None]
    if way == 4:
        return found.T
    if way == 5:
        return np.asfortranarray(np.repeat(found, 2, axis=0))[::2]
    if way == 6:
        return found.tolist()
    if way == 7:
        found.flags.writeable = False
        return found
    if found.size:
        bad = rng.choice((0, -1, 2**62)) if found.dtype.kind in "iu" else rng.choice(_REALS)
        with contextlib.suppress(TypeError, ValueError):  # an array that holds no numbers
            found.flat[rng.randrange(found.size)] = bad
    return found


def _tensor(value: torch.Tensor, rng: Random) -> Any:
    if rng.random() < 0.4:
        return value.to(rng.choice((torch.float16, torch.float64, torch.int64, torch.bool, torch.complex64)))
    found = _array(value.detach().numpy(), rng)
    try:
        return torch.as_tensor(found)
    except Exception:
        return found


def _task(value: sd.Task, rng: Random) -> Any:
    return rng.choice(_TASKS)


_TASKS = (
    sd.Task(size=3, xi=1.5, periodic=False), sd.Task(size=12, xi=3, gap=1), sd.Task(size=16, xi=4, labelling="block"),
    sd.Task(size=9, xi=4, balance="natural"), sd.Task(size=16, xi=4, background_noise=0.5, amplitude=3.0),
    sd.Task(dim=2, size=5, xi=2.5, norm="l1", periodic=False), sd.Task(dim=3, size=3, xi=1.5, labelling="distance"),
    sd.Task(dim=2, size=6, xi=4, labelling="block", amplitude="mean"), sd.Task(size=16, xi=4, amplitude=1e-50),
    sd.Task(size=16, xi=4, amplitude=1e50), sd.Task(size=16, xi=4, background_noise=1e50), 5, None,
    "distance-1d-L64-xi16",
)  # fmt: skip


def _noise(value: sd.Noise, rng: Random) -> Any:
    return rng.choice(
        (sd.Noise(mode="rectified_noise"), sd.Noise(mode="rectified_input"), sd.Noise(match="sample"),
         sd.Noise(sigma=1e-50), sd.Noise(sigma=1e50), "signed", 0.5)
    )  # fmt: skip


def _net(value: nn.Module, rng: Random) -> Any:
    return rng.choice(
        (nn.Identity(), nn.Flatten(), nn.Sequential(), nn.Dropout(), lambda x: x, 5, None,
         sd.nets.PoolingNet(dim=2, depth=1, width=2), sd.nets.ConstantFilterNet(depth=1), nn.ReLU())
    )  # fmt: skip


def _mapping(value: dict[Any, Any], rng: Random) -> Any:
    found = dict(value)
    if found and rng.random() < 0.7:
        key = rng.choice(list(found))
        if rng.random() < 0.4:
            del found[key]
        else:
            found[key] = changed(found[key], rng)
        return found
    return found | {rng.choice(("more", "", 5)): odd(rng)}


def _config(value: Any, rng: Random) -> Any:
    name = rng.choice([f.name for f in dataclasses.fields(value)])
    try:
        return dataclasses.replace(value, **{name: changed(getattr(value, name), rng)})
    except Exception:
        return odd(rng)


_KINDS: tuple[tuple[Any, Any], ...] = (
    (bool, _flag), (int, _integer), (float, _real), (str, _text), (sd.Task, _task), (sd.Noise, _noise),
    (sd.TrainConfig, _config), (np.ndarray, _array), (torch.Tensor, _tensor), (nn.Module, _net), (dict, _mapping),
    ((tuple, list, range), _sequence),
)  # fmt: skip
