"""Scores of many records, card by card: means over seeds, their errors, and the order of the entries."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

from scaledetect.leaderboard.records import Record, Scores
from scaledetect.statistics.correlation import Correlation, rank_correlation
from scaledetect.statistics.learning_curve import area_under_curve, crossing

__all__ = ["QUANTITIES", "CardTable", "Mean", "Row", "card_tables"]

QUANTITIES = ("D", "G", "R")

LEVEL = 0.1
"""Test error whose crossing is reported."""


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes
    ----------
    value : float
    spread : float or None
        Standard deviation over seeds; None for one seed.
    stderr : float or None
        Standard error from what a single run says of its own error: binomial for a test error.
    n : int
        Seeds.
    """

    value: float
    spread: float | None
    stderr: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float], errors: Sequence[float | None]) -> Mean:
        """Of one value a seed, each with its standard error where it is known."""
        known = [error for error in errors if error is not None]
        stderr = math.sqrt(sum(e * e for e in known)) / len(values) if len(known) == len(values) else None
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, stderr, len(values))

    @property
    def error(self) -> float | None:
        """Standard error of the mean: from the spread where there is one, which holds all sources of error."""
        return self.stderr if self.spread is None else self.spread / math.sqrt(self.n)


@dataclass(frozen=True)
class Row:
    """One entry on one card.

    Attributes
    ----------
    rank : int or None
        1 for the smallest area; None where the area is.
    entry, entry_version
    errors : dict of int to Mean
        Test error by n_train, where there is a score.
    area, area_stderr : float or None
        Mean test error over log P in the range of the table; None where one of its sizes has no score.
    crossing : float or None
        P at which the mean test error first falls to 10 %; None where it does not.
    output : dict of str to Mean
        D, G and R of the output at the largest n_train that has them.
    diverged, failed : int
        Runs without a score.
    """

    rank: int | None
    entry: str
    entry_version: int
    errors: dict[int, Mean]
    area: float | None
    area_stderr: float | None
    crossing: float | None
    output: dict[str, Mean]
    diverged: int
    failed: int

    @property
    def label(self) -> str:
        """Name of the entry, with its version where that is not the first."""
        return self.entry if self.entry_version == 1 else f"{self.entry} (v{self.entry_version})"


@dataclass(frozen=True)
class CardTable:
    """All entries on one card.

    Attributes
    ----------
    card, card_version
    sizes : tuple of int
        All n_train that have a score.
    range : tuple of int
        Those that areas are taken over: the ones that at least half of the entries have.
    rows : tuple of Row
        By rank; then those without one, by name.
    correlations : dict of str to Correlation
        Rank correlation of the test error with D, G and R of the output, where there are enough nets.
    """

    card: str
    card_version: int
    sizes: tuple[int, ...]
    range: tuple[int, ...]
    rows: tuple[Row, ...]
    correlations: dict[str, Correlation]


def card_tables(records: Iterable[Record]) -> tuple[CardTable, ...]:
    """One table a card and version, of any set of records with different keys, cards by name."""
    by_card: dict[tuple[str, int, str], list[Record]] = defaultdict(list)
    for record in records:
        by_card[record.card, record.card_version, record.data_digest].append(record)
    return tuple(_table(group) for _, group in sorted(by_card.items()))


def _table(records: list[Record]) -> CardTable:
    by_entry: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        by_entry[record.entry, record.entry_version].append(record)
    errors = {entry: _errors(group) for entry, group in by_entry.items()}
    sizes = tuple(sorted({size for found in errors.values() for size in found}))
    scored = sum(bool(found) for found in errors.values())
    shared = tuple(size for size in sizes if 2 * sum(size in found for found in errors.values()) >= scored)
    rows = [_row(group, errors[entry], shared) for entry, group in by_entry.items()]
    return CardTable(
        records[0].card, records[0].card_version, sizes, shared, _ranked(rows, shared), _correlations(by_entry, errors)
    )


def _scores(records: Iterable[Record]) -> dict[int, list[Scores]]:
    found: dict[int, list[Scores]] = defaultdict(list)
    for record in records:
        if record.scores is not None:
            found[record.n_train].append(record.scores)
    return dict(sorted(found.items()))


def _errors(records: Iterable[Record]) -> dict[int, Mean]:
    return {
        size: Mean.of([s.test_error for s in scores], [s.test_error_stderr for s in scores])
        for size, scores in _scores(records).items()
    }


def _row(records: list[Record], errors: dict[int, Mean], shared: tuple[int, ...]) -> Row:
    area = area_stderr = None
    if len(shared) > 1 and all(size in errors for size in shared):
        area = area_under_curve(shared, [errors[size].value for size in shared])
        area_stderr = _area_stderr(shared, [errors[size].error for size in shared])
    curve = [errors[size].value for size in errors]
    return Row(
        rank=None,
        entry=records[0].entry,
        entry_version=records[0].entry_version,
        errors=errors,
        area=area,
        area_stderr=area_stderr,
        crossing=crossing(list(errors), curve, LEVEL) if errors else None,
        output=_output(records),
        diverged=sum(record.status == "diverged" for record in records),
        failed=sum(record.status == "failed" for record in records),
    )


def _area_stderr(sizes: tuple[int, ...], errors: list[float | None]) -> float | None:
    """Of the trapezoid rule, whose weights are what it gives for a curve that is 1 at one size and 0 elsewhere."""
    if any(error is None for error in errors):
        return None
    weights = [area_under_curve(sizes, [float(other == size) for other in sizes]) for size in sizes]
    return math.sqrt(sum((w * e) ** 2 for w, e in zip(weights, errors, strict=True) if e is not None))


def _output(records: list[Record]) -> dict[str, Mean]:
    for _, scores in reversed(_scores(records).items()):
        found: dict[str, Mean] = {}
        for name in QUANTITIES:
            pairs: list[tuple[float, Any]] = [
                (value, getattr(s, f"{name}_stderr")) for s in scores if (value := getattr(s, name)) is not None
            ]
            if pairs:
                found[name] = Mean.of([value for value, _ in pairs], [error for _, error in pairs])
        if found:
            return found
    return {}


def _ranked(rows: list[Row], shared: tuple[int, ...]) -> tuple[Row, ...]:
    def place(row: Row) -> tuple[Any, ...]:
        last = row.errors[shared[-1]].value if row.area is not None else math.inf
        return (row.area is None, row.area or 0.0, last, row.entry, row.entry_version)

    ordered = sorted(rows, key=place)
    numbers = [number if row.area is not None else None for number, row in enumerate(ordered, 1)]
    return tuple(replace(row, rank=number) for row, number in zip(ordered, numbers, strict=True))


def _correlations(
    by_entry: dict[tuple[str, int], list[Record]], errors: dict[tuple[str, int], dict[int, Mean]]
) -> dict[str, Correlation]:
    """Over the entries with a net, all at the largest n_train that any of them has."""
    found: dict[str, Correlation] = {}
    nets = {entry: _scores(records) for entry, records in by_entry.items() if _output(records)}
    sizes = [size for scores in nets.values() for size in scores]
    if not sizes:
        return found
    size = max(sizes)
    for name in QUANTITIES:
        points = []
        for entry, scores in nets.items():
            values = [value for s in scores.get(size, []) if (value := getattr(s, name)) is not None]
            if values:
                points.append((fmean(values), errors[entry][size].value))
        correlation = rank_correlation(points, size)
        if correlation is not None:
            found[name] = correlation
    return found
