"""The floor: a fair coin."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect.entry import Entry, Sampler
from scaledetect.task.task import Task

__all__ = ["Chance"]


class Chance(Entry):
    """A coin tossed for each image: one bit of a hash of the seed and the image."""

    name = "chance"
    title = "Chance"
    version = 1
    exact = True
    budget = "quick"
    kind = "reference"

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """How the coin is tossed."""
        return {"hash": "blake2b"}

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Keep the seed and the number of training images, whose coin it is; no row is asked for."""
        self._key = f"{seed}/{sampler.n_train}".encode("ascii")

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """+1 or -1 with probability 1/2 each, the same again for the same image."""
        rows = np.ascontiguousarray(X, dtype="<f4").reshape(len(X), -1)
        bits = [hashlib.blake2b(row.tobytes(), key=self._key, digest_size=1).digest()[0] & 1 for row in rows]
        return np.where(bits, 1, -1).astype(np.int8)
