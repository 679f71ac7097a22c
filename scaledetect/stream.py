"""Stream version 1: which pair of the population is sample j. `docs/data-spec.md` is its full description.

A sample's class and class index follow from j alone; a keyed permutation of the class turns the class index into a
rank, and `population` turns the rank into a pair. Nothing here depends on how samples are batched.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import numpy as np

from scaledetect.errors import bad_type, bad_value
from scaledetect.task import Task

__all__ = [
    "CLASSES", "MAX_SAMPLE", "SMALL_DOMAIN", "STREAM_VERSION", "ClassName", "Permutation", "Split", "Window",
    "check_number", "check_seed", "class_counts", "class_window", "longest_run", "permutation", "philox_key",
    "purpose_of", "seed_key", "stream_key",
]  # fmt: skip

STREAM_VERSION = 1

SMALL_DOMAIN = 1024
"""Below this size the permutation takes `ROUNDS_SMALL` rounds: few rounds mix few bits badly."""

ROUNDS_SMALL = 24
ROUNDS_LARGE = 8

MAX_SAMPLE = 2**64 - 2
"""Largest number of a sample: block j + 1 of a stream is counted in one 64-bit word."""

ClassName = Literal["near", "far"]
CLASSES: tuple[ClassName, ClassName] = ("near", "far")
Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Window:
    """The class indices one split of one class may use: first, first + step, ... (`length` of them)."""

    first: int
    step: Literal[1, -1]
    length: int


@dataclass(frozen=True, eq=False)
class Permutation:
    """Parameters of the keyed permutation of {0..n-1}; the domain is sides * 2^bits >= n."""

    n: int
    sides: int
    bits: int
    keys: tuple[np.uint64, ...]


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


def stream_key(task: Task, seed: int, class_name: ClassName | None, purpose: str) -> bytes:
    """The 16-byte key of one stream: a hash of what defines the population, the seed, the class and the purpose.

    Amplitude, background noise and balance do not enter: they change no pair.
    """
    identity = {
        "class": class_name,
        "dim": task.dim,
        "gap_doubled": int(2 * task.gap),
        "labelling": task.labelling,
        "norm": task.norm,
        "periodic": task.periodic,
        "purpose": purpose,
        "seed": seed,
        "size": task.size,
        "stream": STREAM_VERSION,
        "xi_doubled": int(2 * task.xi),
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()[:16]


def seed_key(seed: int, purpose: str) -> bytes:
    """The 16-byte key of a stream that belongs to no task: a hash of the seed and the purpose."""
    text = json.dumps(
        {"purpose": purpose, "seed": seed, "stream": STREAM_VERSION}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode("ascii")).digest()[:16]


def philox_key(key: bytes) -> tuple[np.uint64, np.uint64]:
    """A key as the two words of `numpy.random.Philox(key=int.from_bytes(key, "little"))`."""
    low, high = np.frombuffer(key, dtype="<u8")
    return np.uint64(low), np.uint64(high)


def purpose_of(stream: str, split: Split | None) -> str:
    """The purpose of a key whose stream is another one for each split."""
    return stream if split is None else f"{stream}/{split}"


def permutation(task: Task, seed: int, class_name: ClassName) -> Permutation:
    """The permutation pi_c of the class, keyed by (task, seed, class)."""
    n = task.n_near if class_name == "near" else task.n_far
    bits = max(1, ((n - 1).bit_length() + 1) // 2)
    rounds = ROUNDS_SMALL if n < SMALL_DOMAIN else ROUNDS_LARGE
    key = int.from_bytes(stream_key(task, seed, class_name, "permutation"), "little")
    words = np.random.Philox(key=key).random_raw(rounds)
    return Permutation(n=n, sides=-(-n >> bits), bits=bits, keys=tuple(words))


def class_window(n_class: int, split: Split | None) -> Window:
    """Class indices of a split: train and validation share the first half, read from its two ends."""
    half = (n_class + 1) // 2
    if split is None:
        return Window(0, 1, n_class)
    if split == "train":
        return Window(0, 1, half)
    if split == "validation":
        return Window(half - 1, -1, half)
    if split == "test":
        return Window(n_class - 1, -1, n_class - half)
    raise bad_value("split", split, "must be 'train', 'validation', 'test' or None")


def class_counts(task: Task, n: int) -> tuple[int, int]:
    """How many of the first n samples are near, and far."""
    if task.balance == "equal":
        return (n + 1) // 2, n // 2
    near = n * task.n_near // (task.n_near + task.n_far)
    return near, n - near


def longest_run(task: Task, split: Split | None) -> int:
    """How many samples, from the first on, the split holds without replacement."""
    near = class_window(task.n_near, split).length
    far = class_window(task.n_far, split).length
    if task.balance == "equal":
        return min(2 * near, 2 * far + 1)
    low, high = 0, near + far + 1
    while low < high - 1:
        middle = (low + high) // 2
        used_near, used_far = class_counts(task, middle)
        low, high = (middle, high) if used_near <= near and used_far <= far else (low, middle)
    return low
