"""The shift of an active pixel: its moves, their probabilities, and the rule at borders."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from scaledetect.task.task import Task

__all__ = ["move_pixels", "move_probabilities", "moves"]


def moves(dim: int) -> NDArray[np.int64]:
    """The 3^d - 1 moves of a pixel in lexicographic order, shape (3^d - 1, dim), components -1, 0, 1 pixels."""
    steps = [step for step in itertools.product((-1, 0, 1), repeat=dim) if any(step)]
    return np.array(steps, dtype=np.int64)


def move_probabilities(dim: int) -> NDArray[np.float64]:
    """Probability of each of `moves`, shape (3^d - 1,): the solid angle rounded to that neighbour, over all.

    In two dimensions 1/6 for a neighbour along an axis and 1/12 for a diagonal one; in three the solid angle of a
    spherical polygon (SPEC of the task, section 3).
    """
    corner = (3 * math.acos(1 / 3) - 1.5 * math.acos(2 * math.sqrt(2) / 3) - math.pi) / (4 * math.pi)
    edge = (2 * math.pi - 6 * math.atan(math.sqrt(2))) / (4 * math.pi) - 2 * corner
    face = 1 / 4 - 4 * edge - 4 * corner
    by_length = {1: (1 / 2,), 2: (1 / 6, 1 / 12), 3: (face, edge, corner)}[dim]
    lengths = np.abs(moves(dim)).sum(axis=1)
    return np.array([by_length[length - 1] for length in lengths])


def move_pixels(pixels: NDArray[np.int64], steps: NDArray[np.int64], task: Task) -> NDArray[np.int64]:
    """Pixels, shape (..., dim), moved by `steps`, which broadcast to that shape, by the border rule of the task.

    Periodic wraps, open clips at the border on each axis, and with blocks a move that leaves the block is undone as a
    whole, and with it every move that leaves the lattice.
    """
    moved = pixels + steps
    if task.labelling == "block":
        # Leaving the lattice leaves the block: below 0 the quotient differs, past the end only the size tells.
        outside = ((moved // task.xi != pixels // task.xi) | (moved >= task.size)).any(axis=-1, keepdims=True)
        return np.where(outside, pixels, moved)
    return moved % task.size if task.periodic else np.clip(moved, 0, task.size - 1)
