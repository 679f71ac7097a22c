"""The grid of runs of a budget, and the key that names each run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledetect._base.arguments import integers, one_of, texts
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.leaderboard.entries.base import BUDGETS, Budget, Entry, entry_names, find_entry
from scaledetect.leaderboard.records import run_key
from scaledetect.leaderboard.scoring import Run
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.task.cards import Card, list_tasks, load_card

__all__ = ["FULL_SEEDS", "QUICK_CARDS", "QUICK_SEEDS", "Planned", "plan_runs"]

QUICK_CARDS = ("block-1d-L64", "block-1d-L128", "block-1d-L256")
"""Cards of the quick budget, a part of one family, unless others are asked for by name."""

QUICK_SEEDS = 2
"""The quick budget takes this many of a card's study seeds, the first ones; the full budget takes `FULL_SEEDS`."""

FULL_SEEDS = 5


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
    on_beyond: Callable[[str, tuple[int, ...], int], object] = lambda card, sizes, largest: None,
    on_left_out: Callable[[str, str, str], object] = lambda entry, card, reason: None,
) -> tuple[Planned, ...]:
    """The runs of a budget: cards x entries x training sizes x seeds, within the limits that each entry declares.

    Parameters
    ----------
    cards : sequence of str, optional
        Names of score cards, or paths of TOML files. Default: those of the budget.
    entries : sequence of str, optional
        Names of entries, or ``module:Class`` from the current folder. Default: those of the budget.
    n_train : sequence of int, optional
        Default: those of each card. A card that has no rows for some of them takes the others, as the cards of a
        family are of different sizes; at least one card must have rows for each.
    seeds : sequence of int, optional
        Roots of the runs. Default: the first `FULL_SEEDS` study seeds of each card, or `QUICK_SEEDS`.
    budget : {"quick", "full"}, default "quick"
    on_beyond : callable, optional
        Called with a card, the sizes of `n_train` that it has no rows for, and its largest.
    on_left_out : callable, optional
        Called with an entry, a card that it is not run on, or not at every size, and the reason.

    Returns
    -------
    tuple of Planned
        Without the pairs of a card and an entry that cannot take its images. The largest training sizes stand first.

    Raises
    ------
    KeyError, TypeError, ValueError
        For names that are not there, a card that is not for scores, training sizes that no card has rows for, and an
        entry of one's own that has the name of another.
    """
    one_of("budget", budget, BUDGETS)
    sources = _cards_of(budget) if cards is None else [_findable(source) for source in texts("cards", cards)]
    chosen_names = entry_names(budget) if entries is None else texts("entries", entries)
    chosen = {source: find_entry(source) for source in chosen_names}
    _check_names(chosen)
    cards_by_source = {source: _score_card(source) for source in sources}
    asked = None if n_train is None else _checked_sizes(n_train, list(cards_by_source.values()))
    planned: dict[str, Planned] = {}
    for source, card in cards_by_source.items():
        sizes, beyond = _sizes(card, asked)
        if beyond:
            on_beyond(card.name, beyond, _largest(card))
        for entry in chosen.values():
            if reason := _left_out(entry, card, sizes):
                on_left_out(entry.name, card.name, reason)
        planned |= {one.key: one for one in _of_card(source, card, chosen, sizes, _seeds(card, seeds, budget))}
    # Long runs first: the last ones to end are then short, and no worker waits long for another.
    return tuple(sorted(planned.values(), key=lambda one: -one.run.n_train))


def _of_card(
    source: str, card: Card, entries: dict[str, Entry], sizes: Sequence[int], roots: Sequence[int]
) -> Iterator[Planned]:
    for entry_source, entry in entries.items():
        if entry.applies(card.task):
            for size in (size for size in sizes if entry.limits.admits(card.task, size)):
                settings = _settings(entry, card, size)
                for root in roots:
                    identity = _identity(card, entry, size, root, settings)
                    yield Planned(Run(source, entry_source, size, root), identity, run_key(identity))


def _left_out(entry: Entry, card: Card, sizes: Sequence[int]) -> str:
    """Why an entry is not run on a card at all sizes; "" where it is."""
    if not entry.applies(card.task):
        return "it cannot take these images"
    beyond = [size for size in sizes if not entry.limits.admits(card.task, size)]
    if not beyond:
        return ""
    here = f"P = {', '.join(map(str, beyond))}"
    if not entry.limits.admits(card.task, 0):
        here = f"L^d = {card.task.size**card.task.dim}"
    return f"{here} is beyond its limits, {entry.limits}"


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
    if entry.tuning is not None:
        settings = {**settings, "tuning": entry.tuning.as_data()}
    try:
        text = json.dumps(settings, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")  # half a character has no place in a record
        plain: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise bad_type("configuration", settings, f"of entry {entry.name!r} is not plain data ({error})") from error
    return plain


def _cards_of(budget: Budget) -> list[str]:
    return [*list_tasks("scaling"), *list_tasks("score")] if budget == "full" else list(QUICK_CARDS)


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


def _largest(card: Card) -> int:
    assert card.budgets is not None
    return max(card.budgets.n_train)


def _checked_sizes(asked: Sequence[int], cards: Sequence[Card]) -> list[int]:
    """Sizes without repetitions, each of which at least one card has rows for."""
    found = integers("n_train", asked, kind="numbers of training images")
    largest = max(cards, key=_largest, default=None)
    for size in found:
        if largest is not None and not 1 <= size <= _largest(largest):
            raise bad_value(
                "n_train", size, f"must be from 1 to {_largest(largest)}, the largest of card {largest.name!r}"
            )
    return list(dict.fromkeys(found))


def _sizes(card: Card, asked: Sequence[int] | None) -> tuple[list[int], tuple[int, ...]]:
    """The sizes that the card is run at, and those asked for that it has no rows for."""
    assert card.budgets is not None
    if asked is None:
        return list(card.budgets.n_train), ()
    within = [size for size in asked if size <= _largest(card)]
    return within, tuple(size for size in asked if size not in within)


def _seeds(card: Card, asked: Sequence[int] | None, budget: Budget) -> list[int]:
    if asked is None:
        return list(card.seeds.study[: FULL_SEEDS if budget == "full" else QUICK_SEEDS])
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
