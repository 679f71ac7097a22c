"""The contract of a leaderboard entry, and entries by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from scaledetect._base.arguments import at_least_one, one_of
from scaledetect._base.errors import DivergedError
from scaledetect._base.import_by_name import Catalogue, check_declared
from scaledetect.leaderboard.entries.tuning import Tuning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scaledetect.leaderboard.entries.sampler import Sampler
    from scaledetect.task.task import Task

__all__ = [
    "Budget",
    "DivergedError",
    "Entry",
    "Limits",
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


@dataclass(frozen=True)
class Limits:
    """What an entry is run on at most, for the time or the memory that more would take; the board shows it.

    Attributes
    ----------
    sites : int or None
        Pixels of an image, L^d; None for any.
    n_train : int or None
        Training images; None for any.
    """

    sites: int | None = None
    n_train: int | None = None

    def __post_init__(self) -> None:
        for name in ("sites", "n_train"):
            if getattr(self, name) is not None:
                at_least_one(name, getattr(self, name))

    def admits(self, task: Task, n_train: int) -> bool:
        """Whether a run on `task` with so many training images is within the limits."""
        sites: int = task.size**task.dim
        return sites <= (self.sites or sites) and n_train <= (self.n_train or n_train)

    def __str__(self) -> str:
        parts = (
            f"{name} <= {value}" for name, value in (("L^d", self.sites), ("P", self.n_train)) if value is not None
        )
        return ", ".join(parts)


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
    kind : str, default "other"
        Family of methods it belongs to, such as ``"fully connected"``, for colours and counts on the board.
    limits : Limits, default none
        Largest image and training set that it is run on.
    tuning : Tuning or None
        How its settings were chosen, once; it stands in the configuration of every run. None where nothing was tuned,
        or where `fit` itself chooses on validation rows.
    net : torch.nn.Module or None
        Set by `fit` where there is one: the driver measures how its output responds to deformation and to noise.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int]
    exact: ClassVar[bool]
    budget: ClassVar[Budget]
    kind: ClassVar[str] = "other"
    limits: ClassVar[Limits] = Limits()
    tuning: ClassVar[Tuning | None] = None
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
    return [name for name, entry in _ENTRIES.registered.items() if budget != "quick" or entry.budget == "quick"]


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
    return _ENTRIES.find(source)


def is_entry(source: str) -> bool:
    """Whether `source` names an entry of `scaledetect.baselines`, or code that is meant as one."""
    return _ENTRIES.means_one(source)


_DECLARED = {
    "name": str, "title": str, "version": int, "exact": bool, "budget": str, "kind": str, "limits": Limits,
}  # fmt: skip


def check_declaration(entry: type[Entry]) -> None:
    """Raise unless the class declares what `Entry` asks, from name to limits, and defines its methods.

    Raises
    ------
    TypeError, ValueError
        Naming the attribute.
    """
    check_declared(entry, "entry", _DECLARED)
    one_of(f"{entry.__name__}.budget", entry.budget, BUDGETS)


_ENTRIES = Catalogue(Entry, "scaledetect.entry.Entry", _HOME, "entry", check_declaration)
