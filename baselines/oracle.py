"""The best there is: the definition of the task, read off from the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect.entry import TaskEntry
from scaledetect.task.task import Task

__all__ = ["Oracle"]


class Oracle(TaskEntry):
    """Knows the task, and looks for its two pixels: error 0 on every task without background noise.

    Distance: the autocorrelation of two active pixels is not 0 at their displacement alone, which is compared with the
    thresholds in integers. Block: the sum of squared block sums is 4 a^2 where the pixels share a block, else 2 a^2.
    """

    name = "oracle"
    title = "Oracle (knows the task)"
    version = 1
    exact = True
    budget = "quick"
    kind = "reference"

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """Which of the two statistics the task asks for."""
        return {"statistic": "block sums" if task.labelling == "block" else "autocorrelation"}

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """+1 where the pixels are near, -1 where they are far."""
        near = _share_a_block(X, self.task) if self.task.labelling == "block" else _are_close(X, self.task)
        return np.where(near, 1, -1).astype(np.int8)


def _share_a_block(X: NDArray[np.float32], task: Task) -> NDArray[np.bool_]:
    sums = X[:, 0].astype(np.float64) / task.pixel_value
    starts = np.arange(0, task.size, int(task.xi))
    for axis in range(1, task.dim + 1):
        sums = np.add.reduceat(sums, starts, axis=axis)
    # Half-way between 4 and 2, so that rounding and weak noise change nothing.
    return np.asarray((sums**2).reshape(len(X), -1).sum(axis=1) > 3)


def _are_close(X: NDArray[np.float32], task: Task) -> NDArray[np.bool_]:
    flat = X.reshape(len(X), -1)
    # The two brightest pixels: the active ones.
    sites = np.argpartition(flat, -2, axis=1)[:, -2:]
    places = np.stack(np.unravel_index(sites, task.shape))
    z = np.abs(places[..., 0] - places[..., 1])
    if task.periodic:
        z = np.minimum(z, task.size - z)
    if task.norm == "l2":
        return np.asarray(16 * (z**2).sum(axis=0) < task.near_threshold**2)
    return np.asarray(4 * (z.sum(axis=0) if task.norm == "l1" else z.max(axis=0)) < task.near_threshold)
