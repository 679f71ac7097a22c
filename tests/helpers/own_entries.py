"""Entries that break the contract, each in one way, and one that keeps it: code as users have it in a file."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scaledetect import Task
from scaledetect.leaderboard.entries.base import DivergedError, Entry
from scaledetect.leaderboard.entries.sampler import Sampler


class Good(Entry):
    """Labels an image by the parity of its brightest site."""

    name = "good"
    title = "Parity"
    version = 1
    exact = True
    budget = "quick"

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        return {"kind": "parity"}

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        self.odd = bool(sampler.train()[1][0] > 0)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        return np.where(X.reshape(len(X), -1).argmax(axis=1) % 2 == self.odd, 1, -1).astype(np.int8)


class NoVersion(Good):
    version = None  # type: ignore[assignment]


class VersionZero(Good):
    version = 0


class BadName(Good):
    name = "../escape"


class UnknownBudget(Good):
    budget = "huge"  # type: ignore[assignment]


class Unfinished(Entry):
    name = "unfinished"
    title = "Unfinished"
    version = 1
    exact = False
    budget = "quick"

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        pass


class NeedsArguments(Good):
    def __init__(self, width: int) -> None:
        self.width = width


class NotPickled(Good):
    def __init__(self) -> None:
        self.function = lambda: None


class NowhereAtHome(Good):
    def applies(self, task: Task) -> bool:
        return False


class AppliesByNone(Good):
    def applies(self, task: Task) -> bool:
        return None  # type: ignore[return-value]


class PlainlyNot(Good):
    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        return {"path": Path("x")}


class TupleInside(Good):
    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        return {"widths": (1, 2)}


class NotANumber(Good):
    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        return {"limit": float("nan")}


class Unstable(Good):
    calls = 0

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        type(self).calls += 1
        return {"calls": self.calls}


class Raises(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        raise RuntimeError("no such luck\nand more")


class Exits(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        sys.exit(3)


class Diverges(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        raise DivergedError("the loss is nan at epoch 3")


class Peeks(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        sampler.test()
        super().fit(sampler, seed=seed)


class PeeksLater(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        super().fit(sampler, seed=seed)
        self.sampler = sampler

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        self.sampler.test()
        return super().predict(X)


class WrongShape(Good):
    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        return super().predict(X)[:, None]


class ZeroAndOne(Good):
    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        return (super().predict(X) > 0).astype(np.int8)


class Nan(Good):
    def predict(self, X: NDArray[np.float32]) -> Any:
        labels = super().predict(X).astype(np.float64)
        labels[0] = np.nan
        return labels


class Words(Good):
    def predict(self, X: NDArray[np.float32]) -> Any:
        return np.array(["near"] * len(X))


class Int64(Good):
    def predict(self, X: NDArray[np.float32]) -> Any:
        return super().predict(X).astype(np.int64)


class ByBatch(Good):
    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        score = X.reshape(len(X), -1).argmax(axis=1)
        return np.where(score > np.median(score), 1, -1).astype(np.int8)


class Writes(Good):
    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        labels = super().predict(X)
        X[X > 0] = 1
        return labels


class Counter(Good):
    fits = 0

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        type(self).fits += 1
        self.odd = bool(self.fits % 2)


class DrawsNumpy(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        super().fit(sampler, seed=seed)
        np.random.random()  # noqa: NPY002 this is what must be found


class DrawsPython(Good):
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        super().fit(sampler, seed=seed)
        random.random()


class DrawsTorch(Good):
    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        torch.rand(1)
        return super().predict(X)


class Constant(Good):
    """A net whose output is the same for all images: its errors are defined, D, G and R are not."""

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        super().fit(sampler, seed=seed)
        self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(sampler.shape[-1], 1))
        torch.nn.init.zeros_(self.net[1].weight)


class Linear(Good):
    """A net of one neuron with given weights."""

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        super().fit(sampler, seed=seed)
        self.net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(sampler.shape[-1], 1))
        with torch.no_grad():
            self.net[1].weight.copy_(torch.arange(float(sampler.shape[-1])))


not_a_class = Good()


def not_an_entry() -> None:
    pass
