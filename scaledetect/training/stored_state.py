"""Checks of stored members and checkpoints, before training goes on from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

from scaledetect.training.result import Status

__all__ = ["check_scores", "is_checkpoint", "is_count"]


def is_count(value: object) -> bool:
    """Whether `value` is an integer from 0 to 2^64 - 1: a seed, or a number of epochs."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def is_checkpoint(state: Mapping[str, Any]) -> bool:
    """Whether a checkpoint has all its parts, each of its kind and within its range."""
    seeds, reached, losses = state.get("seeds"), state.get("reached"), state.get("losses")
    if not (isinstance(seeds, list) and seeds and all(map(is_count, seeds)) and len(set(seeds)) == len(seeds)):
        return False
    if not (isinstance(reached, dict) and isinstance(losses, dict) and isinstance(state.get("engine"), dict)):
        return False
    epoch = state.get("epoch")
    firsts = all(is_count(seed) and is_count(first) for seed, first in reached.items())
    numbers = all(is_count(seed) and isinstance(loss, float) for seed, loss in losses.items())
    return firsts and numbers and is_count(epoch) and (epoch == 0 or set(seeds) <= set(losses))


def check_scores(stored: Mapping[str, Any]) -> None:
    """Raise a `ValueError` unless the numbers of a member are of their kind and in their range."""
    reached, epochs = stored["reached"], stored["epochs"]
    if not (is_count(stored["seed"]) and is_count(epochs) and stored["status"] in get_args(Status)):
        raise ValueError("seed, epochs or status is out of its range")
    if not (reached is None or (is_count(reached) and 1 <= reached <= epochs)):
        raise ValueError(f"reached={reached!r} is no epoch up to {epochs}")
    if not _in_range(stored["train_loss"], math.inf):
        raise ValueError(f"train_loss={stored['train_loss']!r} is out of its range")
    for name in ("train_error", "validation_error", "test_error"):
        if not _in_range(stored[name], 1.0):
            raise ValueError(f"{name}={stored[name]!r} is no share of rows")


def _in_range(value: object, most: float) -> bool:
    return value is None or (isinstance(value, float) and math.isfinite(value) and 0 <= value <= most)
