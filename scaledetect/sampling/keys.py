"""Keys of the random streams, version 1: hashes of what a stream belongs to. `docs/data-spec.md` has them in full.

A sample's class and class index follow from its number alone (`splits`); a keyed permutation of the class turns the
class index into a rank (`permutation`), and `task.population` turns the rank into a pair.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from scaledetect.sampling.splits import ClassName, Split
from scaledetect.task.task import Task

__all__ = ["STREAM_VERSION", "philox_key", "purpose_of", "seed_key", "stream_key"]

STREAM_VERSION = 1


def stream_key(task: Task, seed: int, class_name: ClassName | None, purpose: str) -> bytes:
    """The 16-byte key of one stream: a hash of what defines the population, the seed, the class and the purpose.

    Amplitude, background noise and balance do not enter: they change no pair.
    """
    identity: dict[str, object] = {
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
    return _hashed(identity)


def seed_key(seed: int, purpose: str) -> bytes:
    """The 16-byte key of a stream that belongs to no task: a hash of the seed and the purpose."""
    return _hashed({"seed": seed, "purpose": purpose, "stream": STREAM_VERSION})


def _hashed(identity: dict[str, object]) -> bytes:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()[:16]


def philox_key(key: bytes) -> tuple[np.uint64, np.uint64]:
    """A key as the two words of `numpy.random.Philox(key=int.from_bytes(key, "little"))`."""
    low, high = np.frombuffer(key, dtype="<u8")
    return np.uint64(low), np.uint64(high)


def purpose_of(stream: str, split: Split | None) -> str:
    """The purpose of a key whose stream is another one for each split."""
    return stream if split is None else f"{stream}/{split}"
