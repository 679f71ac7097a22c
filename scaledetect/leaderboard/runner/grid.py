"""The grid of runs of a budget, and the key that names each run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledetect._base.arguments import integers, one_of
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.leaderboard.entries.base import BUDGETS, Budget, Entry, entry_names, find_entry
from scaledetect.leaderboard.records import run_key
from scaledetect.leaderboard.scoring import Run
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.task.cards import Card, list_tasks, load_card

__all__ = ["QUICK_N_TRAIN", "QUICK_SEEDS", "QUICK_SITES", "Planned", "plan_runs"]

QUICK_SITES = 512
"""The quick budget leaves out cards with larger images, unless they are asked for by name."""

QUICK_N_TRAIN = 1024
"""The quick budget takes every second training size of a card from its smallest on, up to this one."""

QUICK_SEEDS = 3
"""The quick budget takes this many of a card's study seeds, the first ones; the full budget takes all."""


@dataclass(frozen=True)
class Planned:
    """One run of the grid with the fields of its record that are known before it is run.

    Attributes
    ----------
    run : Run
        What a worker gets.
    identity : dict
        Card, entry, versions, digest, configuration: see `scaledetect.leaderboard.records.Record`.
    key : str
        Key of its record.
    """

    run: Run
    identity: dict[str, Any]
    key: str


def plan_runs(
    *,
    cards: Sequence[str] | None = None,
    entries: Sequence[str] | None = None,
    n_train: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    budget: Budget = "quick",
) -> tuple[Planned, ...]:
    """The runs of a budget: cards x entries x training sizes x seeds, the largest training sizes first.

    Parameters
    ----------
    cards : sequence of str, optional
        Names of score cards, or paths of TOML files. Default: those of the budget.
    entries : sequence of str, optional
        Names of entries, or ``module:Class`` from the current folder. Default: those of the budget.
    n_train : sequence of int, optional
        Default: those of each card, in the quick budget a part of them (`QUICK_N_TRAIN`).
    seeds : sequence of int, optional
        Roots of the runs. Default: the study seeds of each card, in the quick budget the first `QUICK_SEEDS`.
    budget : {"quick", "full"}, default "quick"

    Returns
    -------
    tuple of Planned
        Without the pairs of a card and an entry that cannot take its images.

    Raises
    ------
    KeyError, TypeError, ValueError
        For names that are not there, a card that is not for scores, training sizes that a card has no rows for, and an
        entry of one's own that has the name of another.
    """
    one_of("budget", budget, BUDGETS)
    sources = _cards_of(budget) if cards is None else [_findable(source) for source in cards]
    chosen = {source: find_entry(source) for source in (entry_names(budget) if entries is None else entries)}
    _check_names(chosen)
    planned = {one.key: one for source in sources for one in _of_card(source, chosen, n_train, seeds, budget)}
    # Long runs first: the last ones to end are then short, and no worker waits long for another.
    return tuple(sorted(planned.values(), key=lambda one: -one.run.n_train))


def _of_card(
    source: str, entries: dict[str, Entry], n_train: Sequence[int] | None, seeds: Sequence[int] | None, budget: Budget
) -> Iterator[Planned]:
    card = _score_card(source)
    sizes, roots = _sizes(card, n_train, budget), _seeds(card, seeds, budget)
    for entry_source, entry in entries.items():
        if entry.applies(card.task):
            for size in sizes:
                settings = _settings(entry, card, size)
                for root in roots:
                    identity = _identity(card, entry, size, root, settings)
                    yield Planned(Run(source, entry_source, size, root), identity, run_key(identity))


def _identity(card: Card, entry: Entry, n_train: int, seed: int, configuration: dict[str, Any]) -> dict[str, Any]:
    return {
        "card": card.name,
        "card_version": card.version,
        "stream_version": STREAM_VERSION,
        "data_digest": card.digest,
        "entry": entry.name,
        "entry_version": entry.version,
        "exact": entry.exact,
        "n_train": n_train,
        "seed": seed,
        "configuration": configuration,
    }


def _settings(entry: Entry, card: Card, n_train: int) -> dict[str, Any]:
    settings = entry.configuration(card.task, n_train)
    try:
        text = json.dumps(settings, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")  # half a character has no place in a record
        plain: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise bad_type("configuration", settings, f"of entry {entry.name!r} is not plain data ({error})") from error
    return plain


def _cards_of(budget: Budget) -> list[str]:
    names = list_tasks("score")
    return names if budget == "full" else [name for name in names if _sites(load_card(name)) <= QUICK_SITES]


def _sites(card: Card) -> int:
    return int(card.task.size**card.task.dim)


def _findable(source: str) -> str:
    """A card's file by its whole path: a worker may run in another folder."""
    return str(Path(source).resolve()) if source.endswith(".toml") else source


def _score_card(source: str) -> Card:
    card = load_card(source)
    if card.budgets is None:
        raise bad_value(
            "cards", source, "is a theory card: its classes may be too small for a score", "name score cards"
        )
    return card


def _sizes(card: Card, asked: Sequence[int] | None, budget: Budget) -> list[int]:
    assert card.budgets is not None
    sizes = list(card.budgets.n_train)
    if asked is None:
        return sizes if budget == "full" else [size for size in sizes[::2] if size <= QUICK_N_TRAIN]
    found = integers("n_train", asked, kind="numbers of training images")
    for size in found:
        if not 1 <= size <= sizes[-1]:
            raise bad_value("n_train", size, f"must be from 1 to {sizes[-1]}, the largest of card {card.name!r}")
    return list(dict.fromkeys(found))


def _seeds(card: Card, asked: Sequence[int] | None, budget: Budget) -> list[int]:
    if asked is None:
        return list(card.seeds.study if budget == "full" else card.seeds.study[:QUICK_SEEDS])
    return list(dict.fromkeys(integers("seeds", asked, 0, 2**64 - 1, kind="integers from 0 to 2^64 - 1")))


def _check_names(entries: dict[str, Entry]) -> None:
    own = set(entry_names())
    seen: dict[str, str] = {}
    for source, entry in entries.items():
        if ":" in source and entry.name in own:
            raise bad_value("entries", source, f"is named {entry.name!r}, as a baseline is", "give it another name")
        if entry.name in seen:
            raise bad_value("entries", source, f"is named {entry.name!r}, as {seen[entry.name]} is", "rename one")
        seen[entry.name] = source
