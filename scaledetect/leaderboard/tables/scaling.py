"""Sample complexity against the size of the lattice: one table a family of cards, with the exponents in L."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from scaledetect.leaderboard.tables.table import CardTable, Row, shipped_card
from scaledetect.statistics.sample_complexity import Exponent, SampleComplexity, exponent_in_size, know_nothing_error
from scaledetect.task.families import family_of, load_family

__all__ = ["ANTICORRELATION", "FamilyRow", "FamilyTable", "family_tables"]

LEVEL = 0.1

ANTICORRELATION = 0.01
"""An exponent is fitted over sizes where a learner that knows nothing scores within this of 1/2 at P*."""


@dataclass(frozen=True)
class FamilyRow:
    """One entry on the cards of a family.

    Attributes
    ----------
    label : str
    entry : str
    complexity : dict of int to SampleComplexity
        P*(10 %) by size L.
    fair : tuple of int
        Sizes at which training and test rows are hardly anticorrelated at P*.
    exponent : Exponent or None
        Of P* in L over the fair sizes, where there are three.
    """

    label: str
    entry: str
    complexity: dict[int, SampleComplexity]
    fair: tuple[int, ...]
    exponent: Exponent | None


@dataclass(frozen=True)
class FamilyTable:
    """All entries that are above chance somewhere in a family.

    Attributes
    ----------
    family, title : str
    sizes : tuple of int
    rows : tuple of FamilyRow
    """

    family: str
    title: str
    sizes: tuple[int, ...]
    rows: tuple[FamilyRow, ...]


def family_tables(tables: Iterable[CardTable]) -> tuple[FamilyTable, ...]:
    """The families of those tables whose cards come with the package."""
    by_family: dict[str, dict[int, CardTable]] = defaultdict(dict)
    for table in tables:
        family, card = family_of(table.card), shipped_card(table.card)
        if family is not None and card is not None and card.version == table.card_version:
            by_family[family][card.task.size] = table
    return tuple(_family(name, dict(sorted(found.items()))) for name, found in sorted(by_family.items()))


def _family(name: str, tables: dict[int, CardTable]) -> FamilyTable:
    rows: dict[str, dict[int, Row]] = defaultdict(dict)
    for size, table in tables.items():
        for row in table.rows:
            if row.complexity and row.standing != "reference":
                rows[row.label][size] = row
    learnt = {label: found for label, found in rows.items() if any(row.rank is not None for row in found.values())}
    made = [_row(label, found, tables) for label, found in learnt.items()]
    return FamilyTable(name, load_family(name).display_name, tuple(tables), tuple(sorted(made, key=_place)))


def _row(label: str, rows: dict[int, Row], tables: dict[int, CardTable]) -> FamilyRow:
    complexity = {size: row.complexity[LEVEL] for size, row in rows.items()}
    fair = tuple(size for size, one in complexity.items() if _is_fair(tables[size].card, one))
    exponent = exponent_in_size(fair, [complexity[size] for size in fair])
    return FamilyRow(label, next(iter(rows.values())).entry, complexity, fair, exponent)


def _is_fair(name: str, complexity: SampleComplexity) -> bool:
    card = shipped_card(name)
    if card is None or complexity.value is None:
        return False
    task = card.task
    blind = know_nothing_error(task.n_near, task.n_far, task.size**task.dim, max(1, round(complexity.value)))
    return abs(blind - 0.5) <= ANTICORRELATION


def _place(row: FamilyRow) -> tuple[int, float, str]:
    """Those that reach the level at most sizes first, then by P* at the largest of these."""
    reached = [size for size, one in row.complexity.items() if one.value is not None]
    value = row.complexity[max(reached)].value if reached else None
    return -len(reached), value or 0.0, row.label
