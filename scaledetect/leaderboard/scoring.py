"""Score of one run: fit an entry, label the test images, measure the fitted net."""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import check_seed
from scaledetect._base.checklist import in_words
from scaledetect._base.errors import bad_value
from scaledetect.leaderboard.entries.base import DivergedError, Entry, TaskEntry, find_entry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.leaderboard.records.schema import Scores
from scaledetect.perturbations.noise import Noise
from scaledetect.sampling.samplers import sample_images
from scaledetect.sampling.seeds import factor_seed
from scaledetect.sampling.splits import Split
from scaledetect.task.cards import load_card
from scaledetect.task.task import Task

__all__ = ["DRAWS", "Outcome", "Run", "Status", "checked_labels", "evaluate", "one_thread", "score"]

Status = Literal["ok", "diverged", "failed"]

DRAWS = 1000
"""Draws of the measurement of D, G and R of a fitted net's output."""


@dataclass(frozen=True)
class Run:
    """One entry on one card, with so many training images and one root of all seeds.

    Attributes
    ----------
    card : str
        Name of a score card, or the path of a TOML file.
    entry : str
        Name of an entry, or ``module:Class``.
    n_train : int
        Number of training images P.
    seed : int
        Root from which the seeds of rows, fit and measurement derive by name, 0 to 2^64 - 1.
    """

    card: str
    entry: str
    n_train: int
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes
    ----------
    status : {"ok", "diverged", "failed"}
        Only ``"ok"`` has scores: training or predictions of a diverged run are not finite, a failed one raised or
        broke the contract.
    reason : str
        Empty for ``"ok"``.
    scores : Scores or None
        The part of the record, checked; None unless `status` is ``"ok"``. D, G and R are those of the output of a net,
        None where there is none or they are undefined.
    fit_seconds, predict_seconds : float
        Wall time of the fit, and of the labels of the test rows.
    """

    status: Status
    reason: str = ""
    scores: Scores | None = None
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0


def evaluate(run: Run) -> Outcome:
    """Fit the entry of a run and score it: a function of `run` alone, on one thread.

    Rows of all entries and all `n_train` of one card and seed are the same, the smaller training sets the first rows of
    the larger. What goes wrong inside the entry, its import apart, is an outcome and not an exception.

    Raises
    ------
    KeyError, TypeError, ValueError
        For a card or entry that is not there, a card without budgets, and numbers out of range.
    """
    card = load_card(run.card)
    if card.budgets is None:
        raise bad_value("card", run.card, "has no budgets: it is a theory card", "choose a score card")
    n_validation, n_test = card.budgets.n_validation, card.budgets.n_test
    entry = find_entry(run.entry)
    return score(entry, card.task, n_train=run.n_train, n_validation=n_validation, n_test=n_test, seed=run.seed)


def score(entry: Entry, task: Task, *, n_train: int, n_validation: int, n_test: int, seed: int) -> Outcome:
    """`evaluate` for an entry that is built and not yet fitted, on a task and so many rows of each split."""
    seed = check_seed(seed)
    sampler = Sampler(task, n_train=n_train, n_validation=n_validation, n_test=n_test, seed=seed)
    try:
        if not entry.applies(task):
            return Outcome("failed", f"{entry.name} does not apply to this task")
        # Building the configuration loads the entry's libraries, whose threads one_thread must see.
        entry.configuration(task, n_train)
        with one_thread():
            return _scored(entry, task, sampler, seed)
    except DivergedError as error:
        return Outcome("diverged", str(error) or "training or output is not finite")
    except MemoryError as error:
        return Outcome("failed", f"MemoryError: {str(error) or 'the run needs more memory than there is'}")
    # An entry that calls sys.exit must not take the worker along.
    except (Exception, SystemExit) as error:
        return Outcome("failed", in_words(error))


def checked_labels(labels: object, n: int) -> NDArray[np.int8]:
    """`labels` as an int8 array of shape (n,) of -1 and +1.

    Raises
    ------
    DivergedError
        Where one of them is not finite.
    ValueError
        For any other number, and any other shape.
    """
    found = np.asarray(labels)
    if found.shape != (n,):
        raise bad_value("predict", found.shape, f"must return one label for each image, an array of shape ({n},)")
    if not np.issubdtype(found.dtype, np.integer) and not np.issubdtype(found.dtype, np.floating):
        raise bad_value("predict", found.dtype.name, "must return an array of int8")
    if not np.isfinite(found).all():
        raise DivergedError(f"{np.count_nonzero(~np.isfinite(found))} of {n} labels are not finite")
    wrong = found[(found != 1) & (found != -1)]
    if len(wrong):
        raise bad_value("predict", wrong[0].item(), "must return labels -1 and +1 only")
    return found.astype(np.int8)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for the numerical libraries that are loaded, torch among them; put back afterwards."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    if torch is not None:
        torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)


def _scored(entry: Entry, task: Task, sampler: Sampler, seed: int) -> Outcome:
    if isinstance(entry, TaskEntry):
        entry.receive(task)
    start = time.perf_counter()
    entry.fit(sampler, seed=factor_seed(seed, "fit"))
    fit_seconds = time.perf_counter() - start
    served = dict(sampler.served)
    errors, predict_seconds = _errors(entry, task, sampler, factor_seed(seed, "data"))
    # Asked of the sampler again: an entry may have kept it.
    if sampler.served["test"]:
        return Outcome("failed", f"the entry asked for {sampler.served['test']} test rows", None, fit_seconds)
    responses = {} if entry.net is None else _responses(entry.net, task, factor_seed(seed, "measure"))
    scores = Scores.model_validate({**errors, **responses, "served": served})
    return Outcome("ok", "", scores, fit_seconds, predict_seconds)


def _errors(entry: Entry, task: Task, sampler: Sampler, data_seed: int) -> tuple[dict[str, Any], float]:
    """Errors on the three splits, and the seconds that the test rows took."""
    counts: dict[Split, int] = {
        "train": sampler.n_train,
        "validation": sampler.n_validation,
        "test": sampler.n_test,
    }
    wrong, seconds = {}, 0.0
    for split, n in counts.items():
        X, y = sample_images(task, n, seed=data_seed, split=split)
        start = time.perf_counter()
        labels = entry.predict(X)
        seconds = time.perf_counter() - start
        wrong[split] = int(np.count_nonzero(checked_labels(labels, n) != y))
    error = wrong["test"] / sampler.n_test
    return {
        "test_error": error,
        "test_error_stderr": math.sqrt(error * (1 - error) / sampler.n_test),
        "n_wrong": wrong["test"],
        "n_test": sampler.n_test,
        "train_error": wrong["train"] / sampler.n_train,
        "validation_error": wrong["validation"] / sampler.n_validation,
    }, seconds


def _responses(net: Any, task: Task, seed: int) -> dict[str, float | None]:
    """D, G and R of the output of a fitted net."""
    from scaledetect.sensitivity import sensitivities

    # On a noisy background the strength of the ensemble has no closed form.
    noise = Noise(match="sample") if task.background_noise else Noise()
    with warnings.catch_warnings():
        # An output that does not depend on the image has no D, which the scores say by None.
        warnings.simplefilter("ignore", RuntimeWarning)
        s = sensitivities(net, task, DRAWS, noise=noise, layers=["output"], seed=seed)
    found = {name: float(getattr(s, name)[-1]) for q in ("D", "G", "R") for name in (q, f"{q}_stderr")}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
