"""Task cards: a task with its budgets, reference nets, seeds and the digest of its data, as one TOML file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from scaledetect._base.arguments import LARGEST, one_of, text
from scaledetect._base.errors import InvalidValueError, unknown_name
from scaledetect._base.tables import html_facts
from scaledetect.task.card_files import Table, TaskTable, parse_card, read_card_file
from scaledetect.task.families import family_of, member_names, member_table
from scaledetect.task.task import Task

__all__ = [
    "DIGEST_LENGTH",
    "Budgets",
    "Card",
    "CardKind",
    "ReferenceNet",
    "Seeds",
    "list_tasks",
    "load_card",
    "load_task",
]

CardKind = Literal["theory", "score", "scaling"]

KINDS = ("theory", "score", "scaling")

DIGEST_LENGTH = 1000
"""Samples of the unsplit stream that the digest of a card covers."""

SCORE_SHARE = 0.05
"""Largest share of a class that training and test rows of a score card may use together."""

_FOLDER = "scaledetect.tasks"
_Count = Annotated[int, Field(ge=1, le=LARGEST)]
_Seed = Annotated[int, Field(ge=0, le=2**64 - 1)]
# TOML knows arrays only, which strict models do not take for tuples; in a union the oldest pydantic forgets
# `strict=False`.
_Counts = Annotated[
    tuple[_Count, ...],
    Field(min_length=1, strict=False),
    BeforeValidator(lambda x: tuple(x) if isinstance(x, list) else x),
]
_Seeds = Annotated[tuple[_Seed, ...], Field(min_length=1, strict=False)]


class Budgets(Table):
    """Numbers of images a score is made of."""

    n_train: _Counts
    n_validation: _Count
    n_test: _Count

    @model_validator(mode="after")
    def _sorted(self) -> Budgets:
        if list(self.n_train) != sorted(set(self.n_train)):
            raise InvalidValueError(f"n_train={list(self.n_train)} must rise")
        return self


class ReferenceNet(Table):
    """A net that the card is measured on: filter side and stride, one number or one per layer, and depth."""

    filter_size: _Count | _Counts
    stride: _Count | _Counts
    depth: _Count

    @property
    def label(self) -> str:
        """How tables and figures call it, such as ``F=2 s=2``."""
        return f"F={_short(self.filter_size)} s={_short(self.stride)}"


class Seeds(Table):
    """Seeds of a card, and what each is for."""

    digest: _Seed
    study: _Seeds
    meaning: Annotated[str, Field(min_length=1)]


class Card(Table):
    """A task card: everything needed to repeat a measurement or a score on a task.

    Attributes
    ----------
    name : str
        Name of the card, equal to the stem of its file.
    display_name : str
        Name for tables and figures.
    version : int
        Raised when any field that moves a result changes.
    kind : {"theory", "score", "scaling"}
        Theory cards are for the comparison with the exact theory, score cards for training, and scaling cards, the
        members of a family, for what a score becomes as the lattice grows.
    task : Task
    budgets : Budgets or None
        None on theory cards. Training and validation rows fit half of each class. On score cards training and test rows
        together use at most 5 % of it: beyond, a learner that knows nothing scores worse than chance.
    nets : tuple of ReferenceNet
        At least one on a theory card.
    seeds : Seeds
    digest : str
        ``task.digest(1000, seed=seeds.digest)``.
    citation : str
    """

    name: str
    display_name: str
    version: Annotated[int, Field(ge=1)]
    kind: CardKind
    task: TaskTable
    budgets: Budgets | None = None
    nets: Annotated[tuple[ReferenceNet, ...], Field(strict=False)] = ()
    seeds: Seeds
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    citation: str

    @model_validator(mode="after")
    def _complete(self) -> Card:
        if self.kind == "theory" and not self.nets:
            raise InvalidValueError("a theory card needs at least one [[nets]]")
        if self.kind == "theory" and self.budgets is not None:
            raise InvalidValueError("a theory card has no [budgets]: its classes may be too small for a score")
        if self.kind != "theory":
            _check_budgets(self.kind, self.task, self.budgets)
        return self

    def __repr__(self) -> str:
        return f"<Card {self.name}, {self.kind}: {self.display_name}>"

    def _repr_html_(self) -> str:
        """What the card says, as a notebook shows it."""
        facts: dict[str, object] = {
            "name": f"{self.name}, version {self.version}",
            "kind": self.kind,
            "task": self.task,
        }
        if self.budgets is not None:
            facts |= self.budgets.model_dump()
        if self.nets:
            facts["nets"] = "; ".join(f"{net.label}, depth {net.depth}" for net in self.nets)
        return html_facts(self.display_name, {**facts, "digest": self.digest, "citation": self.citation})

    def current_digest(self) -> str:
        """What `digest` should be: that of the data as this installation samples them."""
        return self.task.digest(DIGEST_LENGTH, seed=self.seeds.digest)


def list_tasks(kind: CardKind | None = None) -> list[str]:
    """Names of the cards that come with the package, sorted.

    Parameters
    ----------
    kind : {"theory", "score", "scaling"}, optional
        Only cards of this kind; scaling cards are the members of the families (see `load_family`).

    Examples
    --------
    >>> import scaledetect as sd
    >>> "distance-1d-L64-xi16" in sd.list_tasks("theory")
    True
    """
    if kind is None:
        return sorted(_names())
    one_of("kind", kind, KINDS)
    if kind == "scaling":
        return sorted(member_names())
    return [name for name in sorted(_single_names()) if load_card(name).kind == kind]


def load_card(name: str) -> Card:
    """The card of this name; or, for a name ending in ``.toml``, the one in that file.

    Raises
    ------
    KeyError
        For a name no card has; the message lists the close ones.
    ValueError
        For a file that is not a card. The message names the file, the key, and the known keys close to it.

    Examples
    --------
    >>> import scaledetect as sd
    >>> sd.load_card("distance-1d-L64-xi16").nets[0]
    ReferenceNet(filter_size=2, stride=2, depth=5)
    """
    if text("name", name, kind="the name of a card, or the path of a TOML file").endswith(".toml"):
        return _parse(read_card_file(name), name, Path(name).stem)
    if family_of(name) is not None:
        return _member(name)
    if name not in set(_single_names()):
        raise unknown_name("card", name, _names())
    return _parse(files(_FOLDER).joinpath(f"{name}.toml").read_text(encoding="utf-8"), f"tasks/{name}.toml", name)


def load_task(name: str) -> Task:
    """The task of a card. See `load_card`.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.load_task("distance-1d-L64-xi16")
    >>> task.size, task.xi, task.n_near
    (64, 16, 960)
    """
    return load_card(name).task


def _names() -> Iterator[str]:
    yield from _single_names()
    yield from member_names()


def _single_names() -> Iterator[str]:
    return (entry.name[:-5] for entry in files(_FOLDER).iterdir() if entry.name.endswith(".toml"))


def _parse(content: str, file: str, stem: str) -> Card:
    return parse_card(content, file, stem, Card, {"budgets": Budgets, "nets": ReferenceNet, "seeds": Seeds})


@cache
def _member(name: str) -> Card:
    """A card of a family: of its training sizes those that fit half of each class."""
    table = member_table(name)
    task, budgets = Task(**table["task"]), table["budgets"]
    rows = 2 * (min(task.n_near, task.n_far) // 2 - -(-budgets["n_validation"] // 2))
    budgets["n_train"] = [size for size in budgets["n_train"] if size <= rows]
    return Card.model_validate(table)


def _check_budgets(kind: CardKind, task: Task, budgets: Budgets | None) -> None:
    if budgets is None:
        raise InvalidValueError(f"a {kind} card needs [budgets]")
    smaller = min(task.n_near, task.n_far)
    largest = budgets.n_train[-1]
    used = -(-(largest + budgets.n_test) // 2)
    if kind == "score" and used > SCORE_SHARE * smaller:
        raise InvalidValueError(
            f"n_train={largest} and n_test={budgets.n_test} use {used} images of each class, "
            f"more than {SCORE_SHARE:.0%} of the smaller one ({smaller}): train and test would be anticorrelated"
        )
    if -(-largest // 2) + -(-budgets.n_validation // 2) > smaller // 2:
        raise InvalidValueError(
            f"n_train={largest} and n_validation={budgets.n_validation} do not fit half of each class"
        )
    if -(-budgets.n_test // 2) > smaller // 2:
        raise InvalidValueError(f"n_test={budgets.n_test} does not fit the other half of each class ({smaller // 2})")


def _short(value: int | tuple[int, ...]) -> str:
    return str(value) if isinstance(value, int) else ",".join(map(str, value))
