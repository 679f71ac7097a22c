"""Random perturbations of two-pixel images: shifts of the active pixels, and white noise.

Counter-based like the samples: row i is that of sample start + i, whatever the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import MAX_SAMPLE, check_number, check_seed, integer
from scaledetect._kernels import backend
from scaledetect._kernels.driver import for_chunks
from scaledetect.perturbations.move_law import move_pixels, move_probabilities, moves
from scaledetect.sampling.gaussian_noise import normal_images
from scaledetect.sampling.keys import philox_key, stream_key
from scaledetect.sampling.rendering import check_pairs
from scaledetect.task.task import Task, check_task

__all__ = ["noise_images", "shift_pairs"]


def shift_pairs(
    pairs: NDArray[np.int64], y: NDArray[np.int8] | None, task: Task, *, seed: int = 0, start: int = 0
) -> NDArray[np.int64]:
    """Move each active pixel, independently, to one of its 3^d - 1 neighbours: the deformation of a two-pixel image.

    Parameters
    ----------
    pairs : ndarray of int64, shape (n, 2, dim)
        Active pixels of samples start .. start+n-1.
    y : ignored
        Labels, taken so that ``shift_pairs(*sample_pairs(task, n), task)`` reads well.
    task : Task
        Its border decides: periodic wraps, open clips at the border on each axis, and with blocks a move that leaves
        the block is undone as a whole.
    seed : int, default 0
    start : int, default 0
        Number of the first sample.

    Returns
    -------
    ndarray of int64, shape (n, 2, dim)
        Shifted pixels, in the order of `pairs`; they may coincide.

    Raises
    ------
    TypeError, ValueError
        For pairs of another shape or dtype or outside the lattice, and a `seed` or `start` that is not a non-negative
        integer.

    Notes
    -----
    Section 4 of arXiv 2210.01506: a unit vector of uniform direction, rounded. The published code clips where its
    labels are periodic, and undoes block crossings in the distance task too; here the border of the labels is that of
    the shift.
    """
    pairs, start = check_pairs(pairs, task), check_number("start", start)
    n = len(pairs)
    integer("start + n", start + n, 0, MAX_SAMPLE + 1)
    words = np.empty((n, 4), dtype=np.uint64)
    key = philox_key(stream_key(task, check_seed(seed), None, "shift"))
    raw = backend().raw_blocks
    for_chunks(lambda a, b: raw(np.uint64(start + a + 1), *key, words[a:b]), n)
    uniform = (words[:, :2] >> np.uint64(11)) * 2.0**-53
    ends = np.cumsum(move_probabilities(task.dim))[:-1]
    steps = moves(task.dim)[np.searchsorted(ends, uniform, side="right")]
    return move_pixels(pairs, steps, task)


def noise_images(task: Task, n: int, *, seed: int = 0, start: int = 0, dtype: Any = "float32") -> NDArray[Any]:
    """Standard normal noise for samples start .. start+n-1, shape (n, 1) + task.shape, float32 or float64."""
    check_task(task)
    n, start = check_number("n", n), check_number("start", start)
    return normal_images(task, n, stream_key(task, check_seed(seed), None, "noise"), start=start, dtype=dtype)
