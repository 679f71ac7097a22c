"""Contract suite of a leaderboard entry: ``python -m scaledetect.testing`` runs it on one of your own."""

# ruff: noqa: NPY002
# The global random state of NumPy is looked at and put back: what is tried is whether an entry depends on it.

from __future__ import annotations

import argparse
import json
import pickle
import random
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.checklist import FailedStepError, Step, attempt
from scaledetect.leaderboard.entries.base import Entry, TaskEntry, check_declaration, entry_class
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.leaderboard.scoring import checked_labels, one_thread, score
from scaledetect.sampling.samplers import sample_images
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.task import Task

__all__ = ["TASKS", "check_entry", "main"]

TASKS = (Task(dim=1, size=64, xi=16), Task(dim=2, size=8, xi=4, labelling="block"))
"""Small tasks that an entry is tried on."""

N_TRAIN, N_VALIDATION, N_TEST = 32, 16, 64
SEED = 1


def check_entry(source: str | type[Entry], tasks: Sequence[Task] = TASKS) -> Iterator[Step]:
    """Try an entry on small tasks and say, check by check, whether it keeps the contract of `scaledetect.entry.Entry`.

    Parameters
    ----------
    source : str or type
        Name of an entry, ``module:Class`` importable from the current folder, or the class itself.
    tasks : sequence of Task
        By default one of one dimension and one of two; those the entry does not apply to are passed over.

    Yields
    ------
    Step
        declaration, pickle; then on each task configuration, fit, labels, rows (the label of an image depends on no
        other image), images (they are not written to), repeatable (the seed decides), global state (no random state of
        Python, NumPy or torch is moved, or matters), and score. A failed step rules out those that need it.
    """
    entry = yield from attempt("declaration", lambda: _declared(source))
    if entry is None:
        return
    yield from attempt("pickle", lambda: _pickled(entry))
    tried = 0
    for task in tasks:
        trial = _Trial(entry, task)
        if (yield from attempt(trial.named("applies"), trial.applies)):
            tried += 1
            yield from trial.steps()
    if not tried:
        yield Step(
            "applies", False, "the entry applies to none of the tasks it was tried on: name a card that it takes"
        )


def _declared(source: str | type[Entry]) -> tuple[type[Entry], str]:
    found = entry_class(source) if isinstance(source, str) else source
    check_declaration(found)
    found()
    return found, f"{found.name}, version {found.version}: {found.title} ({found.budget} budget)"


def _pickled(entry: type[Entry]) -> tuple[bool, str]:
    again = pickle.loads(pickle.dumps(entry()))
    if type(again) is not entry:
        raise FailedStepError(f"comes back from pickle as a {type(again).__name__}")
    return True, "goes to worker processes and back"


class _Trial:
    """An entry on one task."""

    def __init__(self, entry: type[Entry], task: Task) -> None:
        self.entry, self.task = entry, task
        self.X, _ = sample_images(task, N_TEST, seed=factor_seed(SEED, "data"), split="test")

    def named(self, name: str) -> str:
        return f"{self.task.dim}-D {name}"

    def applies(self) -> tuple[bool, str]:
        found: object = self.entry().applies(self.task)
        if not isinstance(found, bool):
            raise FailedStepError(f"applies returns {found!r}: it must return True or False")
        where = f"{self.task.labelling} task of side {self.task.size}"
        return found, f"tried on a {where}" if found else f"passed over: does not apply to a {where}"

    def steps(self) -> Generator[Step, None, None]:
        yield from attempt(self.named("configuration"), self.configuration)
        with one_thread(), _states_put_back():
            fitted = yield from attempt(self.named("fit"), self.fit)
            if fitted is None:
                return
            labels = yield from attempt(self.named("labels"), lambda: self.labels(fitted))
            if labels is None:
                return
            yield from attempt(self.named("rows"), lambda: self.rows(fitted, labels))
            yield from attempt(self.named("images"), lambda: self.images(fitted))
            yield from attempt(self.named("repeatable"), lambda: self.repeatable(labels))
            yield from attempt(self.named("global state"), lambda: self.global_state(labels))
            yield from attempt(self.named("score"), self.score)

    def configuration(self) -> tuple[bool, str]:
        found: object = self.entry().configuration(self.task, N_TRAIN)
        if not isinstance(found, dict):
            raise FailedStepError(f"configuration returns {type(found).__name__}: it must return a dict")
        try:
            text = json.dumps(found, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise FailedStepError(f"configuration is no plain data, which JSON can hold: {error}") from error
        if json.loads(text) != found:
            raise FailedStepError("configuration does not come back from JSON as it was: use lists and text as keys")
        if self.entry().configuration(self.task, N_TRAIN) != found:
            raise FailedStepError("configuration is another one when asked again")
        return True, text if len(text) <= 70 else f"{len(found)} settings of plain data"

    def fit(self) -> tuple[Entry, str]:
        start = time.perf_counter()
        entry, served = self.fitted(SEED)
        seconds = time.perf_counter() - start
        if served["test"]:
            raise FailedStepError(f"fit asks for {served['test']} test rows: such a run has no score")
        rows = f"{served['train']} training and {served['validation']} validation rows"
        return entry, f"takes {rows}, {seconds:.2g} s"

    def fitted(self, seed: int) -> tuple[Entry, dict[str, int]]:
        entry = self.entry()
        if isinstance(entry, TaskEntry):
            entry.receive(self.task)
        sampler = Sampler(self.task, n_train=N_TRAIN, n_validation=N_VALIDATION, n_test=N_TEST, seed=seed)
        entry.fit(sampler, seed=factor_seed(seed, "fit"))
        return entry, sampler.served

    def labels(self, entry: Entry) -> tuple[NDArray[np.int8], str]:
        found: object = entry.predict(self.X.copy())
        labels = checked_labels(found, N_TEST)
        if not isinstance(found, np.ndarray) or found.dtype != np.int8:
            raise FailedStepError(f"predict returns {getattr(found, 'dtype', type(found).__name__)}: it must be int8")
        return labels, f"int8 array of {np.count_nonzero(labels == 1)} near and {np.count_nonzero(labels == -1)} far"

    def rows(self, entry: Entry, labels: NDArray[np.int8]) -> tuple[bool, str]:
        _same(entry.predict(self.X[::-1].copy()), labels[::-1], "the other way round")
        half = N_TEST // 2
        _same(entry.predict(self.X[:half].copy()), labels[:half], "without the second half")
        alone = np.concatenate([entry.predict(self.X[row : row + 1].copy()) for row in range(4)])
        _same(alone, labels[:4], "one by one")
        return True, "a label depends on its image alone"

    def images(self, entry: Entry) -> tuple[bool, str]:
        given = self.X.copy()
        entry.predict(given)
        if not np.array_equal(given, self.X):
            raise FailedStepError("predict writes to the images it is given: let it work on a copy")
        return True, "images are left as they are"

    def repeatable(self, labels: NDArray[np.int8]) -> tuple[bool, str]:
        _same(self.fitted(SEED)[0].predict(self.X.copy()), labels, "after a second fit with the same seed")
        return True, "the same seed gives the same labels"

    def global_state(self, labels: NDArray[np.int8]) -> tuple[bool, str]:
        _seed_all()
        before = _states()
        again = self.fitted(SEED)[0].predict(self.X.copy())
        moved = [name for name, state in _states().items() if state != before[name]]
        if moved:
            raise FailedStepError(f"moves the global random state of {', '.join(moved)}: draw from the seed of fit")
        _same(again, labels, "with another global random state")
        return True, "no global random state is moved, and none matters"

    def score(self) -> tuple[bool, str]:
        outcome = score(self.entry(), self.task, n_train=N_TRAIN, n_validation=N_VALIDATION, n_test=N_TEST, seed=SEED)
        if outcome.status != "ok":
            raise FailedStepError(f"{outcome.status}: {outcome.reason}")
        assert outcome.scores is not None
        error, stderr = outcome.scores.test_error, outcome.scores.test_error_stderr
        return True, f"test error {error:.2f} +- {stderr:.2f} after {N_TRAIN} images"


def _same(found: object, labels: NDArray[np.int8], when: str) -> None:
    others = np.asarray(found)
    differ = np.count_nonzero(others != labels) if others.shape == labels.shape else len(labels)
    if differ:
        raise FailedStepError(f"{differ} of {len(labels)} labels are others {when}")


def _states() -> dict[str, object]:
    """The global random states, in a form that can be compared."""
    import torch

    numpy_state = _numpy_state()["state"]
    return {
        "random": random.getstate(),
        "numpy": (numpy_state["key"].tobytes(), numpy_state["pos"]),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


def _numpy_state() -> dict[str, Any]:
    state = np.random.get_state(legacy=False)
    assert isinstance(state, dict)
    return state


@contextmanager
def _states_put_back() -> Iterator[None]:
    """Whatever happens to the global random states, undone."""
    import torch

    python_state, numpy_state, torch_state = random.getstate(), _numpy_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)


def _seed_all() -> None:
    """Other global random states than anyone has; inside `_states_put_back` only."""
    import torch

    random.seed(SEED)
    np.random.seed(SEED)
    torch.default_generator.manual_seed(SEED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each check; 0 where all are passed, 1 where one is not.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line: ``module:Class``.
    """
    parser = argparse.ArgumentParser(prog="python -m scaledetect.testing", description="Check a leaderboard entry.")
    parser.add_argument("entry", metavar="MODULE:CLASS", help="a subclass of scaledetect.entry.Entry, found from here")
    source = parser.parse_args(arguments).entry
    failed = total = 0
    for step in check_entry(source):
        sys.stdout.write(f"{step}\n")
        total, failed = total + 1, failed + (not step.ok)
    sys.stdout.write(f"{total - failed} of {total} checks passed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
