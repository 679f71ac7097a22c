"""Search of an entry's settings on validation rows, by the rule that the entry states."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scaledetect._base.errors import bad_value
from scaledetect._base.files import replacing
from scaledetect.leaderboard.entries.base import DivergedError, Entry, entry_class
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.leaderboard.scoring import checked_labels, one_thread
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.cards import load_card

__all__ = ["COLUMNS", "Trial", "tune", "write_trials"]

COLUMNS = ("entry", "card", "settings", "n_train", "n_wrong", "n_validation")


@dataclass(frozen=True)
class Trial:
    """One combination of settings at one training size.

    Attributes
    ----------
    entry, card : str
    settings : dict
    n_train : int
    n_wrong, n_validation : int
        Wrong validation rows, all of them where training diverged.
    """

    entry: str
    card: str
    settings: dict[str, Any]
    n_train: int
    n_wrong: int
    n_validation: int


def tune(
    source: str, *, on_trial: Callable[[Trial], object] = lambda trial: None
) -> tuple[dict[str, Any], tuple[Trial, ...]]:
    """Try the grid of an entry's `tuning`, and choose by its rule.

    Parameters
    ----------
    source : str
        Name of an entry, or ``module:Class``.
    on_trial : callable, optional
        Called with each trial as it is done.

    Returns
    -------
    chosen : dict
        The settings to write into the entry.
    trials : tuple of Trial
        In the order of the grid, smaller training sets first.

    Raises
    ------
    KeyError, TypeError, ValueError
        For an unknown entry or card, and an entry without a `tuning`.
    """
    kind = entry_class(source)
    tuning = kind.tuning
    if tuning is None:
        raise bad_value("entry", source, "states no tuning", "give it a Tuning")
    trials, wrong = [], []
    for settings in tuning.settings():
        of_these = []
        for n_train in sorted(tuning.n_train):
            of_these.append(_trial(kind, settings, n_train))
            on_trial(of_these[-1])
        trials += of_these
        wrong.append(sum(one.n_wrong for one in of_these))
    return tuning.choose(wrong, sum(one.n_validation for one in of_these)), tuple(trials)


def write_trials(path: Path, trials: Sequence[Trial]) -> None:
    """A CSV with one trial a line; settings as JSON."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for one in trials:
            settings = json.dumps(one.settings)
            rows.writerow([one.entry, one.card, settings, one.n_train, one.n_wrong, one.n_validation])


def _trial(kind: type[Entry], settings: dict[str, Any], n_train: int) -> Trial:
    tuning = kind.tuning
    assert tuning is not None
    card = load_card(tuning.card)
    if card.budgets is None:
        raise bad_value("card", tuning.card, "has no budgets: it is a theory card", "choose a score card")
    n = card.budgets.n_validation
    entry = _with_settings(kind, settings)
    sampler = Sampler(card.task, n_train=n_train, n_validation=n, n_test=1, seed=tuning.seed)
    try:
        entry.configuration(card.task, n_train)  # loads the entry's libraries, whose threads one_thread must see
        with one_thread():
            entry.fit(sampler, seed=factor_seed(tuning.seed, "fit"))
            X, y = sampler.validation()
            n_wrong = int(np.count_nonzero(checked_labels(entry.predict(X), n) != y))
    except DivergedError:
        n_wrong = n
    return Trial(kind.name, card.name, settings, n_train, n_wrong, n)


def _with_settings(kind: type[Entry], settings: dict[str, Any]) -> Entry:
    entry = kind()
    for name, value in settings.items():
        if not hasattr(kind, name):
            raise bad_value("grid", name, f"is no attribute of {kind.__name__}")
        setattr(entry, name, value)
    return entry
