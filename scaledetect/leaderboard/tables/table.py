"""Scores of many records, card by card: learning curves over seeds, sample complexities, and standings."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean
from typing import Any, Literal

from scaledetect.leaderboard.records import Record, Scores
from scaledetect.leaderboard.tables.ranking import order
from scaledetect.statistics.correlation import Correlation, rank_correlation
from scaledetect.statistics.learning_curve import area_under_curve
from scaledetect.statistics.sample_complexity import LEVEL, SampleComplexity, know_nothing_error, sample_complexity
from scaledetect.task.cards import Card, list_tasks, load_card

__all__ = ["LEVELS", "QUANTITIES", "REFERENCES", "CardTable", "Mean", "Row", "Standing", "card_tables", "shipped_card"]

QUANTITIES = ("D", "G", "R")

LEVELS = (0.1, 0.25)
"""Test errors whose sample complexity is reported."""

REFERENCES = ("oracle", "chance")
"""Entries that are no competitors: the definition of the task, and a coin."""

Standing = Literal["ranked", "at chance", "reference", "no score"]


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
        value, spread = fmean(values), None
        if len(values) > 1:
            # Not by statistics.stdev, which works in fractions: ten thousand records feel it.
            spread = math.sqrt(math.fsum((v - value) ** 2 for v in values) / (len(values) - 1))
        return cls(value, spread, stderr, len(values))

    @property
    def error(self) -> float | None:
        """Standard error of the mean: from the spread where there is one, which holds all sources of error."""
        return self.stderr if self.spread is None else self.spread / math.sqrt(self.n)

    @property
    def largest_error(self) -> float:
        """The larger of the two standard errors of the mean: few seeds may agree by chance."""
        return max(self.error or 0.0, self.stderr or 0.0)


@dataclass(frozen=True)
class Row:
    """One entry on one card.

    Attributes
    ----------
    entry, entry_version
    own : bool
        Whether its records are the reader's, shown among published ones.
    standing : {"ranked", "at chance", "reference", "no score"}
    rank : int or None
        1 plus the number of entries that are better beyond their intervals; None unless it is ranked.
    tied : bool
        Whether another entry has the same rank.
    errors : dict of int to Mean
        Test error by n_train, where there is a score.
    complexity : dict of float to SampleComplexity
        P* by level of the test error; empty without a score.
    area : float or None
        Mean test error over log P in the range of the table, a tie-break; None where one of its sizes has no score.
    output : dict of str to Mean
        D, G and R of the output at the largest n_train that has them.
    diverged, failed : int
        Runs without a score.
    seconds : float
        Wall time of all its runs.
    """

    entry: str
    entry_version: int
    own: bool
    standing: Standing
    rank: int | None
    tied: bool
    errors: dict[int, Mean]
    complexity: dict[float, SampleComplexity]
    area: float | None
    output: dict[str, Mean]
    diverged: int
    failed: int
    seconds: float

    @property
    def label(self) -> str:
        """Name of the entry, with its version where that is not the first, and marked where it is the reader's own."""
        version = "" if self.entry_version == 1 else f" (v{self.entry_version})"
        return f"{self.entry}{version}{' (own)' if self.own else ''}"


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
        By rank; then those at chance, the references, and those without a score.
    know_nothing : dict of int to float
        What a learner that knows nothing scores, by n_train, where training and test rows are anticorrelated: on cards
        of families, whose sites are all alike. Empty on others.
    correlations : dict of str to Correlation
        Rank correlation of the test error with D, G and R of the output, at one n_train, where there are enough nets.
    """

    card: str
    card_version: int
    sizes: tuple[int, ...]
    range: tuple[int, ...]
    rows: tuple[Row, ...]
    know_nothing: dict[int, float]
    correlations: dict[str, Correlation]


@dataclass(frozen=True)
class _Group:
    """The records of one entry on one card."""

    records: list[Record]
    own: bool

    @property
    def scores(self) -> dict[int, dict[int, Scores]]:
        found: dict[int, dict[int, Scores]] = defaultdict(dict)
        for record in self.records:
            if record.scores is not None:
                found[record.n_train][record.seed] = record.scores
        return dict(sorted(found.items()))


def card_tables(records: Iterable[Record], own: Iterable[Record] = ()) -> tuple[CardTable, ...]:
    """One table a card and version, of any set of records with different keys, cards by name.

    Those of `own`, likewise with different keys, are rows of their own, marked as such.
    """
    by_card: dict[tuple[str, int, str], list[tuple[Record, bool]]] = defaultdict(list)
    for marked, some in ((False, records), (True, own)):
        for record in some:
            by_card[record.card, record.card_version, record.data_digest].append((record, marked))
    return tuple(_table(group) for _, group in sorted(by_card.items(), key=lambda item: _by_size(item[0])))


def _by_size(card: tuple[str, int, str]) -> tuple[Any, ...]:
    """Cards by name, those of a family by size."""
    found = shipped_card(card[0])
    if found is None or found.kind != "scaling":
        return (card[0], 0, *card)
    return (card[0].rpartition("-L")[0], found.task.size, *card)


@cache
def shipped_card(name: str) -> Card | None:
    """The card of this name that comes with the package."""
    return load_card(name) if name in list_tasks() else None


def _table(records: list[tuple[Record, bool]]) -> CardTable:
    by_entry: dict[tuple[bool, str, int], list[Record]] = defaultdict(list)
    for record, own in records:
        by_entry[own, record.entry, record.entry_version].append(record)
    groups = [_Group(group, own) for (own, _, _), group in by_entry.items()]
    errors = [_errors(group) for group in groups]
    sizes = tuple(sorted({size for found in errors for size in found}))
    scored = sum(bool(found) for found in errors)
    shared = tuple(size for size in sizes if 2 * sum(size in found for found in errors) >= scored)
    rows = [_row(group, found, shared) for group, found in zip(groups, errors, strict=True)]
    first = records[0][0]
    return CardTable(
        first.card, first.card_version, sizes, shared, order(rows), _know_nothing(first, sizes), _correlations(groups)
    )


def _errors(group: _Group) -> dict[int, Mean]:
    return {
        size: Mean.of([s.test_error for s in scores.values()], [s.test_error_stderr for s in scores.values()])
        for size, scores in group.scores.items()
    }


def _row(group: _Group, errors: dict[int, Mean], shared: tuple[int, ...]) -> Row:
    first = group.records[0]
    curve = {size: {seed: s.test_error for seed, s in scores.items()} for size, scores in group.scores.items()}
    area = None
    if len(shared) > 1 and all(size in errors for size in shared):
        area = area_under_curve(shared, [errors[size].value for size in shared])
    status = Counter(record.status for record in group.records)
    return Row(
        entry=first.entry,
        entry_version=first.entry_version,
        own=group.own,
        standing=_standing(first.entry, errors),
        rank=None,
        tied=False,
        errors=errors,
        complexity={level: sample_complexity(curve, level) for level in LEVELS} if curve else {},
        area=area,
        output=_output(group),
        diverged=status["diverged"],
        failed=status["failed"],
        seconds=sum(record.wall_seconds for record in group.records),
    )


def _standing(entry: str, errors: dict[int, Mean]) -> Standing:
    if not errors:
        return "no score"
    if entry in REFERENCES:
        return "reference"
    return "ranked" if any(_is_below_chance(mean, len(errors)) for mean in errors.values()) else "at chance"


def _is_below_chance(mean: Mean, n_sizes: int) -> bool:
    """One-sided, at 5 % over all sizes together, by the larger of the two standard errors."""
    return mean.value + NormalDist().inv_cdf(1 - (1 - LEVEL) / n_sizes) * mean.largest_error < 0.5


def _output(group: _Group) -> dict[str, Mean]:
    for _, scores in reversed(group.scores.items()):
        found: dict[str, Mean] = {}
        for name in QUANTITIES:
            pairs: list[tuple[float, Any]] = [
                (value, getattr(s, f"{name}_stderr"))
                for s in scores.values()
                if (value := getattr(s, name)) is not None
            ]
            if pairs:
                found[name] = Mean.of([value for value, _ in pairs], [error for _, error in pairs])
        if found:
            return found
    return {}


def _know_nothing(record: Record, sizes: tuple[int, ...]) -> dict[int, float]:
    card = shipped_card(record.card)
    if card is None or card.kind != "scaling" or (card.version, card.digest) != (
        record.card_version, record.data_digest,
    ):  # fmt: skip
        return {}
    task = card.task
    return {size: know_nothing_error(task.n_near, task.n_far, task.size**task.dim, size) for size in sizes}


def _correlations(groups: list[_Group]) -> dict[str, Correlation]:
    """Over the entries with a net, all at the n_train that most of them have, the largest of several."""
    nets = [scores for group in groups if _output(group) and (scores := group.scores)]
    counts = Counter(size for scores in nets for size in scores)
    if not counts:
        return {}
    size = max(counts, key=lambda one: (counts[one], one))
    found: dict[str, Correlation] = {}
    for name in QUANTITIES:
        points = []
        for scores in nets:
            at = [s for s in scores.get(size, {}).values() if getattr(s, name) is not None]
            if at:
                points.append((fmean(getattr(s, name) for s in at), fmean(s.test_error for s in at)))
        correlation = rank_correlation(points, size)
        if correlation is not None:
            found[name] = correlation
    return found
