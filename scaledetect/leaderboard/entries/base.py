"""The contract of a leaderboard entry, and entries by name."""

from __future__ import annotations

import importlib
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from inspect import isabstract
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from scaledetect._base.arguments import one_of
from scaledetect._base.errors import DivergedError, bad_type, bad_value, unknown_name
from scaledetect._base.import_by_name import locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scaledetect.leaderboard.entries.sampler import Sampler
    from scaledetect.task.task import Task

__all__ = [
    "Budget",
    "DivergedError",
    "Entry",
    "TaskEntry",
    "check_declaration",
    "entry_class",
    "entry_names",
    "find_entry",
    "is_entry",
]

Budget = Literal["quick", "full"]

BUDGETS = ("quick", "full")

_HOME = "scaledetect.baselines"
_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,49}")


class Entry(ABC):
    """What a leaderboard entry has to offer: it learns from rows it is served, and labels images.

    An entry is built without arguments, fitted once, and asked for labels. The driver draws the test rows after the
    fit. All randomness comes from the seed that `fit` is given; no global random state is read or set. Where training
    or an output is not finite `fit` or `predict` raises `DivergedError`: the run is *diverged*, and has no score.

    Attributes
    ----------
    name : str
        Up to 50 lower-case letters, digits, ``-`` and ``_``, a letter or digit first; unique.
    title : str
        Name in tables.
    version : int
        From 1 on; raised when a change moves the entry's results.
    exact : bool
        Whether its scores are the same to the last bit on any machine and with any version of any library.
    budget : {"quick", "full"}
        Smallest budget that the entry belongs to: quick entries run in both, full ones in the full budget only.
    net : torch.nn.Module or None
        Set by `fit` where there is one: the driver measures how its output responds to deformation and to noise.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int]
    exact: ClassVar[bool]
    budget: ClassVar[Budget]
    net: Any = None

    def applies(self, task: Task) -> bool:
        """Whether the entry can take images of `task`; it can take any where it does not say otherwise."""
        return True

    @abstractmethod
    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """Every setting that moves results, as plain data (JSON): it enters the key of the run.

        Parameters
        ----------
        task : Task
        n_train : int
            Number of training images.
        """

    @abstractmethod
    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Learn from rows of `sampler`.

        Parameters
        ----------
        sampler : Sampler
            Serves training and validation rows. A fit that asks for test rows has no score.
        seed : int
            Root of all random numbers of the fit, 0 to 2^64 - 1.
        """

    @abstractmethod
    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """Label images; the label of an image depends on no other image.

        Parameters
        ----------
        X : ndarray of float32, shape (n, 1, L), (n, 1, L, L) or (n, 1, L, L, L)
            Not to be written to.

        Returns
        -------
        ndarray of int8, shape (n,)
            +1 near, -1 far.
        """


class TaskEntry(Entry):
    """An entry built from the task itself: it sees the definition, and no row."""

    task: Task

    def receive(self, task: Task) -> None:
        """Take the task; called before `fit`."""
        self.task = task

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Nothing is learnt."""


def entry_names(budget: Budget | None = None) -> list[str]:
    """Names of the entries of `scaledetect.baselines`, sorted.

    Parameters
    ----------
    budget : {"quick", "full"}, optional
        Those that run in this budget: ``"full"`` has the quick ones too. Default: all.

    Examples
    --------
    >>> "oracle" in entry_names("quick")
    True
    """
    if budget is not None:
        one_of("budget", budget, BUDGETS)
    return [name for name, entry in sorted(_registered().items()) if budget != "quick" or entry.budget == "quick"]


def find_entry(source: str) -> Entry:
    """A new entry: of `scaledetect.baselines` by its name, or from the current folder by ``module:Class``.

    Raises
    ------
    KeyError
        For an unknown name; the message lists the close ones.
    TypeError, ValueError
        For code that is not there, is no entry, or does not declare what an entry declares.
    """
    return entry_class(source)()


def entry_class(source: str) -> type[Entry]:
    """The class behind `find_entry`."""
    if ":" not in source:
        if source not in _registered():
            raise unknown_name("entry", source, _registered())
        return _registered()[source]
    found = locate(source, "entry")
    if not (isinstance(found, type) and issubclass(found, Entry)):
        raise bad_type("entry", source, "names no subclass of scaledetect.entry.Entry", "derive your class from it")
    check_declaration(found)
    return found


def is_entry(source: str) -> bool:
    """Whether `source` names an entry of `scaledetect.baselines`, or code that is meant as one."""
    if ":" not in source:
        return source in _registered()
    try:
        found = locate(source)
    except Exception:
        # What cannot be imported is for the checks to say, not for the question which of them to run.
        return False
    return isinstance(found, type) and issubclass(found, Entry)


def check_declaration(entry: type[Entry]) -> None:
    """Raise unless the class declares name, title, version, exact and budget as `Entry` asks, and defines its methods.

    Raises
    ------
    TypeError, ValueError
        Naming the attribute.
    """
    kind = entry.__name__
    for attribute, form in (("name", str), ("title", str), ("version", int), ("exact", bool), ("budget", str)):
        value = getattr(entry, attribute, None)
        if type(value) is not form:
            raise bad_type(f"{kind}.{attribute}", value, f"must be of type {form.__name__}", "set it in the class")
    if not _NAME.fullmatch(entry.name):
        raise bad_value(
            f"{kind}.name", entry.name, "must be up to 50 of a-z, 0-9, '-' and '_', a letter or digit first"
        )
    if entry.version < 1:
        raise bad_value(f"{kind}.version", entry.version, "must be at least 1")
    one_of(f"{kind}.budget", entry.budget, BUDGETS)
    if isabstract(entry):
        missing = ", ".join(sorted(entry.__abstractmethods__))
        raise bad_type("entry", kind, f"does not define {missing}", "an entry needs each of them")


@cache
def _registered() -> dict[str, type[Entry]]:
    found: dict[str, type[Entry]] = {}
    for entry in _defined():
        check_declaration(entry)
        if entry.name in found:
            raise bad_value(f"{entry.__name__}.name", entry.name, f"is the name of {found[entry.name].__name__} too")
        found[entry.name] = entry
    return found


def _defined() -> Iterator[type[Entry]]:
    """Classes that the files of the folder define themselves; those with a leading underscore are their families."""
    for info in pkgutil.iter_modules(importlib.import_module(_HOME).__path__):
        module = importlib.import_module(f"{_HOME}.{info.name}")
        for name, value in vars(module).items():
            own = isinstance(value, type) and issubclass(value, Entry) and value.__module__ == module.__name__
            if own and not name.startswith("_"):
                yield value
