"""Order of the entries of a card: one is ranked above another where their intervals say so, else they are tied."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from scipy.special import stdtrit

from scaledetect.statistics.sample_complexity import LEVEL, SampleComplexity

if TYPE_CHECKING:
    from scaledetect.leaderboard.tables.table import Row

__all__ = ["is_better", "order"]

_STANDINGS = ("ranked", "at chance", "reference", "no score")


def order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows with their ranks: 1 plus the number of entries that are better beyond the intervals.

    Equal ranks are ties. Rows of one rank, and those without one, stand in the order of P*, then of the area.
    """
    rows = list(rows)
    ranked = [row for row in rows if row.standing == "ranked"]
    ranks = {id(row): 1 + sum(is_better(other, row) for other in ranked) for row in ranked}
    shared = Counter(ranks.values())
    found = [
        replace(row, rank=rank, tied=shared[rank] > 1) if (rank := ranks.get(id(row))) is not None else row
        for row in rows
    ]
    return tuple(sorted(found, key=_place))


def is_better(a: Row, b: Row) -> bool:
    """Whether `a` needs fewer images than `b` beyond the intervals: for an error of 10 %, or else of 25 %.

    Where only `a` reaches the error, it is better if its interval ends within what `b` was given, or if its error is
    lower beyond joint errors at the largest number of images that both were given. Where neither reaches 25 %, that
    comparison decides.
    """
    for level in sorted(a.complexity):
        one, other = a.complexity[level], b.complexity[level]
        if one.value is None and other.value is None:
            continue
        if one.value is None:
            return False
        if other.value is None:
            within = one.high is not None and one.high < other.largest
            return within or (one.value <= other.largest and _errs_less(a, b))
        return _needs_fewer(one, other)
    return _errs_less(a, b)


def _needs_fewer(a: SampleComplexity, b: SampleComplexity) -> bool:
    if a.stderr is None or b.stderr is None or a.value is None or b.value is None:
        return False
    reach = float(stdtrit(min(a.n_seeds, b.n_seeds) - 1, (1 + LEVEL) / 2)) * math.hypot(a.stderr, b.stderr)
    return math.log(a.value) + reach < math.log(b.value)


def _errs_less(a: Row, b: Row) -> bool:
    shared = a.errors.keys() & b.errors.keys()
    if not shared:
        return False
    one, other = a.errors[max(shared)], b.errors[max(shared)]
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.hypot(one.largest_error, other.largest_error)
    return one.value + reach < other.value


def _place(row: Row) -> tuple[Any, ...]:
    values = [one.value for _, one in sorted(row.complexity.items())]
    complexity = [(value is None, value or 0.0) for value in values]
    return (
        _STANDINGS.index(row.standing), row.rank or 0, complexity,
        math.inf if row.area is None else row.area, row.entry, row.entry_version, row.own,
    )  # fmt: skip
