"""Families of task cards: one task at a fixed ratio of xi to L, on lattices of several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from scaledetect._base.arguments import LARGEST, text
from scaledetect._base.errors import InvalidValueError, bad_value, unknown_name
from scaledetect.task.card_files import Table, parse_card, read_card_file

__all__ = ["Family", "family_of", "list_families", "load_family", "member_table"]

_FOLDER = "scaledetect.tasks.families"
_Count = Annotated[int, Field(ge=1, le=LARGEST)]
_Counts = Annotated[tuple[_Count, ...], Field(min_length=1, strict=False)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FamilyTask(Table):
    """What the tasks of a family have in common."""

    dim: Annotated[int, Field(ge=1, le=3)]
    xi_over_size: Annotated[float, Field(gt=0, lt=1)]
    labelling: Literal["distance", "block"]
    norm: Literal["l1", "l2", "linf"] = "l2"
    periodic: bool = True
    amplitude: Literal["norm", "mean"] = "norm"


class Family(Table):
    """One task on lattices of several sizes, at the same xi / L: what the exponent in L of a score is fitted over.

    Attributes
    ----------
    name : str
        Name of the family, equal to the stem of its file; the card of size L is called ``<name>-L<L>``.
    display_name : str
    version : int
        Raised when any field that moves a result changes; that of all its cards.
    sizes : tuple of int
        Sides L, in pixels.
    n_train : tuple of int
        Numbers of training images; a card has those that fit half of each of its classes, beside the validation rows.
    n_validation : int
    n_test : tuple of int
        Test images of each size. Families are exempt from the 5 % rule of score cards: what a learner that knows
        nothing scores is told beside each score.
    study : tuple of int
        Roots of the runs.
    digests : tuple of str
        Digest of each card's data.
    task : FamilyTask
    """

    name: str
    display_name: str
    version: Annotated[int, Field(ge=1)]
    sizes: _Counts
    n_train: _Counts
    n_validation: _Count
    n_test: _Counts
    study: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, strict=False)]
    digests: Annotated[tuple[_Digest, ...], Field(min_length=1, strict=False)]
    citation: str
    task: FamilyTask

    @model_validator(mode="after")
    def _complete(self) -> Family:
        for name in ("sizes", "n_train"):
            if list(getattr(self, name)) != sorted(set(getattr(self, name))):
                raise InvalidValueError(f"{name}={list(getattr(self, name))} must rise")
        for name in ("n_test", "digests"):
            if len(getattr(self, name)) != len(self.sizes):
                raise InvalidValueError(f"{name} must have one value for each of sizes={list(self.sizes)}")
        return self

    @property
    def members(self) -> tuple[str, ...]:
        """Names of its cards, by size."""
        return tuple(f"{self.name}-L{size}" for size in self.sizes)

    def table(self, name: str) -> dict[str, Any]:
        """The card called `name` as the table of a card, its training sizes not yet cut to its classes."""
        place = self.members.index(name)
        size = self.sizes[place]
        shared = self.task.model_dump(exclude={"xi_over_size"})
        return {
            "name": name,
            "display_name": f"{self.display_name}, L = {size}",
            "version": self.version,
            "kind": "scaling",
            "task": {**shared, "size": size, "xi": self._xi(size)},
            "budgets": {
                "n_train": list(self.n_train), "n_validation": self.n_validation, "n_test": self.n_test[place],
            },
            "seeds": {"digest": 0, "study": list(self.study), "meaning": _MEANING},
            "digest": self.digests[place],
            "citation": self.citation,
        }  # fmt: skip

    def _xi(self, size: int) -> int | float:
        xi = self.task.xi_over_size * size
        return int(xi) if xi == int(xi) else xi


_MEANING = "digest: seed of the unsplit stream that the digest pins; study: one root per repetition"


def list_families() -> list[str]:
    """Names of the families that come with the package, sorted.

    Examples
    --------
    >>> list_families()[0]
    'block-1d'
    """
    return sorted(entry.name[:-5] for entry in files(_FOLDER).iterdir() if entry.name.endswith(".toml"))


def load_family(name: str) -> Family:
    """The family of this name; or, for a name ending in ``.toml``, the one in that file.

    Raises
    ------
    KeyError
        For a name no family has; the message lists the close ones.
    ValueError
        For a file that is no family.

    Examples
    --------
    >>> load_family("block-1d").members[0]
    'block-1d-L64'
    """
    if text("name", name, kind="the name of a family, or the path of a TOML file").endswith(".toml"):
        return _parse(read_card_file(name), name, Path(name).stem)
    if name not in list_families():
        raise unknown_name("family", name, list_families())
    return _shipped(name)


def family_of(card: str) -> str | None:
    """Name of the family that the card called `card` belongs to; None for a single card."""
    return _owners().get(card)


def member_table(card: str) -> dict[str, Any]:
    """The card called `card`, a member of a family that comes with the package, as the table of a card."""
    owner = family_of(card)
    if owner is None:
        raise bad_value("card", card, "is no member of a family")
    return _shipped(owner).table(card)


def member_names() -> Iterator[str]:
    """Names of the cards of all families that come with the package."""
    yield from _owners()


@cache
def _owners() -> dict[str, str]:
    return {card: name for name in list_families() for card in _shipped(name).members}


@cache
def _shipped(name: str) -> Family:
    return _parse(
        files(_FOLDER).joinpath(f"{name}.toml").read_text(encoding="utf-8"), f"tasks/families/{name}.toml", name
    )


def _parse(content: str, file: str, stem: str) -> Family:
    return parse_card(content, file, stem, Family, {"task": FamilyTask})
