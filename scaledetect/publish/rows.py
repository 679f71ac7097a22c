"""Rows of an exported card: the positions, labels and images of each split, and the seeds they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import at_least_one, check_seed, flag
from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect.sampling.samplers import check_request, sample_images, sample_pairs
from scaledetect.sampling.seeds import factor_seed
from scaledetect.sampling.splits import Split, longest_run
from scaledetect.task.cards import Card
from scaledetect.task.task import Task

__all__ = ["SAMPLE", "CardRows", "SplitRows", "draw_rows"]

SAMPLE = "sample"
"""Name of the one part of an export without splits."""

DEFAULT_ROWS = 10_000
"""Most rows of a theory card that are exported where no number is given."""


@dataclass(frozen=True)
class SplitRows:
    """Samples 0, 1, ... of one split: positions (n, 2, dim), labels (n,), and images (n, 1, L, ...) where asked for."""

    name: str
    pairs: NDArray[np.int64]
    y: NDArray[np.int8]
    X: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The rows as columns: number of the sample, label, and the coordinates of the pixels p and q."""
        axes = range(self.pairs.shape[2])
        positions = {f"{pixel}{axis}": self.pairs[:, place, axis] for place, pixel in enumerate("pq") for axis in axes}
        return {"sample": np.arange(len(self), dtype=np.int64), "label": self.y, **positions}


@dataclass(frozen=True)
class CardRows:
    """All that is exported of a card.

    Attributes
    ----------
    card : Card
    stream_seed : int
        The `seed` with which `sample_pairs` gives these rows.
    repetition : int or None
        Root of the repetition of the leaderboard whose rows these are, where one was asked for.
    splits : tuple of SplitRows
        ``train``, ``validation`` and ``test``; or one of the name ``sample``, which has no split.
    """

    card: Card
    stream_seed: int
    repetition: int | None
    splits: tuple[SplitRows, ...]

    @property
    def has_images(self) -> bool:
        """Whether the images are stored beside the positions."""
        return self.splits[0].X is not None

    @property
    def metadata(self) -> dict[str, Any]:
        """What defines the rows, as plain data."""
        return {
            "stream_seed": self.stream_seed,
            "repetition": self.repetition,
            "rows": {split.name: len(split) for split in self.splits},
        }


def draw_rows(card: Card, *, n: int | None, seed: int | None, repetition: int | None, images: bool) -> CardRows:
    """Draw what `export_card` writes; it explains the arguments."""
    images = flag("images", images)
    if seed is not None and repetition is not None:
        raise bad_value("repetition", repetition, f"cannot stand beside seed={seed!r}", "give one of them")
    if card.task.background_noise and not images:
        raise InvalidValueError(
            f"images=False: card {card.name!r} has background noise, which positions do not tell; take images=True"
        )
    if repetition is None:
        stream_seed = card.seeds.digest if seed is None else check_seed(seed)
    else:
        stream_seed = factor_seed(check_seed(repetition, "repetition"), "data")
    parts = _parts(card, n)
    drawn = tuple(_draw(card.task, name, rows, stream_seed, images) for name, rows in parts.items())
    return CardRows(card, stream_seed, repetition, drawn)


def _parts(card: Card, n: int | None) -> dict[str, int]:
    """Rows of each part: the budgets of a score card, or the first of the unsplit stream."""
    budgets = card.budgets
    if n is None and budgets is not None:
        return {"train": budgets.n_train[-1], "validation": budgets.n_validation, "test": budgets.n_test}
    rows = min(DEFAULT_ROWS, longest_run(card.task, None)) if n is None else at_least_one("n", n)
    return {SAMPLE: check_request(card.task, rows, 0, None, False)[0]}


def _draw(task: Task, name: str, rows: int, seed: int, images: bool) -> SplitRows:
    splits: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}
    split = splits.get(name)
    pairs, y = sample_pairs(task, rows, seed=seed, split=split)
    X = sample_images(task, rows, seed=seed, split=split)[0] if images else None
    return SplitRows(name, pairs, y, X)
