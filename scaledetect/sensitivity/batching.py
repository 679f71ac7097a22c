"""Cut n draws into batches that fit the memory and respect the blocks of the jackknife."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Batch", "Batches", "Rows", "rows_for"]

MEMORY = 2**28
"""Bytes that the images and activations of one batch may take on a CPU; four times that on an accelerator."""

CACHE = 2**23
"""Bytes of a batch beyond which small maps no longer gain on a CPU: larger ones leave its caches."""

EFFICIENT_ROWS = 64
"""Rows that large nets need to make up for reading their weights."""


class Rows(NamedTuple):
    """Where the rows of a batch go: `blocks` whole blocks from number `first`, or a part of that one.

    `last` tells whether the batch ends its block.
    """

    first: int
    blocks: int
    last: bool


class Batch(NamedTuple):
    """Draws `start` to `start` + `n`."""

    start: int
    n: int
    rows: Rows


@dataclass(frozen=True)
class Batches:
    """Batches of at most `size` rows over `n` draws in `blocks` equal blocks; all begin with the first of `classes`."""

    n: int
    blocks: int
    classes: int
    size: int

    def __iter__(self) -> Iterator[Batch]:
        block = self.n // self.blocks
        whole = min(self.blocks, self.size // block)
        if whole:
            for first in range(0, self.blocks, whole):
                count = min(whole, self.blocks - first)
                yield Batch(first * block, count * block, Rows(first, count, last=True))
            return
        step = self.size // self.classes * self.classes
        for first in range(self.blocks):
            for offset in range(0, block, step):
                n = min(step, block - offset)
                yield Batch(first * block + offset, n, Rows(first, 1, last=offset + n == block))


def rows_for(bytes_per_row: int, device: str, classes: int) -> int:
    """Rows of a batch whose every row takes `bytes_per_row`, at least one of each class."""
    if device == "cpu":
        rows = min(MEMORY // bytes_per_row, max(EFFICIENT_ROWS, CACHE // bytes_per_row))
    else:
        rows = 4 * MEMORY // bytes_per_row
    return max(classes, rows)
