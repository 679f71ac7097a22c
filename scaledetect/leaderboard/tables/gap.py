"""D and G of the output of trained pooling nets beside the exact constant-filter net."""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from pydantic import JsonValue

from scaledetect.leaderboard.records import Record
from scaledetect.leaderboard.tables.table import Mean
from scaledetect.task.cards import list_tasks, load_card, load_task

__all__ = ["Gap", "theory_gaps"]

COMPARED = ("D", "G")
_NUMBERS = ("filter_size", "stride", "depth")


@dataclass(frozen=True)
class Gap:
    """One pooling net on one card.

    Attributes
    ----------
    card, entry : str
    n_train : int
    filter_size, stride : int or tuple of int
    depth : int
    measured : dict of str to Mean
        D and G of the trained net's output, over seeds.
    exact : dict of str to float
        D and G of the constant-filter net of the same filters, strides and depth at its last layer.
    """

    card: str
    entry: str
    n_train: int
    filter_size: int | tuple[int, ...]
    stride: int | tuple[int, ...]
    depth: int
    measured: dict[str, Mean]
    exact: dict[str, float]


def theory_gaps(records: Iterable[Record]) -> tuple[Gap, ...]:
    """The gap of each pooling net at its largest n_train; of cards that come with the package in their version."""
    groups: dict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for record in records:
        scores = record.scores
        if scores is not None and scores.D is not None and scores.G is not None and _numbers(record.configuration):
            groups[record.card, record.entry, record.entry_version].append(record)
    gaps = []
    for _, group in sorted(groups.items()):
        largest = max(record.n_train for record in group)
        gaps.append(_gap([record for record in group if record.n_train == largest]))
    return tuple(gap for gap in gaps if gap is not None)


def _gap(records: list[Record]) -> Gap | None:
    first = records[0]
    numbers = _numbers(first.configuration)
    if numbers is None or not _is_shipped(first):
        return None
    exact = _exact(first.card, numbers)
    if exact is None:
        return None
    measured = {}
    for name in COMPARED:
        values = [getattr(record.scores, name) for record in records]
        measured[name] = Mean.of(values, [getattr(record.scores, f"{name}_stderr") for record in records])
    return Gap(first.card, first.entry, first.n_train, *numbers, measured, exact)


_Numbers = tuple[int | tuple[int, ...], int | tuple[int, ...], int]


@cache
def _exact(card: str, numbers: _Numbers) -> dict[str, float] | None:
    """Of the last layer; None where that is constant, or theory has no closed form for the card."""
    from scaledetect import theory

    side, stride, depth = numbers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            t = theory.sensitivities(load_task(card), filter_size=side, stride=stride, depth=depth)
        except ValueError:
            return None
    found = {name: float(getattr(t, name)[-1]) for name in COMPARED}
    return found if all(map(math.isfinite, found.values())) else None


def _is_shipped(record: Record) -> bool:
    """Whether the record's card comes with the package in this version: its task is not in the record."""
    return _shipped(record.card) == (record.card_version, record.data_digest)


@cache
def _shipped(name: str) -> tuple[int, str] | None:
    """Version and digest of a card that comes with the package."""
    if name not in list_tasks():
        return None
    card = load_card(name)
    return card.version, card.digest


def _numbers(configuration: dict[str, JsonValue]) -> _Numbers | None:
    """Filter side, stride and depth where a configuration, or a table in it, says them."""
    for table in (configuration, *(value for value in configuration.values() if isinstance(value, dict))):
        side, stride, depth = (table.get(name) for name in _NUMBERS)
        if (sides := _layers(side)) and (steps := _layers(stride)) and isinstance(depth, int):
            return sides, steps, depth
    return None


def _layers(value: JsonValue) -> int | tuple[int, ...] | None:
    if isinstance(value, list):
        layers = tuple(one for one in value if isinstance(one, int))
        return layers if len(layers) == len(value) else None
    return value if isinstance(value, int) else None
