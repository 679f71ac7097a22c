"""Public names for authors of leaderboard entries: the contract, its two families, and the error of a diverged run."""

from __future__ import annotations

from scaledetect.leaderboard.entries.base import (
    Budget,
    DivergedError,
    Entry,
    Limits,
    TaskEntry,
    check_declaration,
    entry_class,
    entry_names,
    find_entry,
)
from scaledetect.leaderboard.entries.estimator import EstimatorEntry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.leaderboard.entries.trained_net import TrainedEntry, epochs_for
from scaledetect.leaderboard.entries.tuning import Tuning

__all__ = [
    "Budget",
    "DivergedError",
    "Entry",
    "EstimatorEntry",
    "Limits",
    "Sampler",
    "TaskEntry",
    "TrainedEntry",
    "Tuning",
    "check_declaration",
    "entry_class",
    "entry_names",
    "epochs_for",
    "find_entry",
]
