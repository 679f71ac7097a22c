"""The stated rule by which the settings of an entry were chosen, once, on validation rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from scaledetect._base.arguments import at_least_one, check_seed, text
from scaledetect._base.errors import bad_type, bad_value

__all__ = ["RULE", "Tuning"]

RULE = "fewest wrong validation rows; within one standard error of the fewest, the first of the grid"


@dataclass(frozen=True)
class Tuning:
    """The search of an entry's settings: a grid, one card, one seed that is none of the card's.

    Every setting of the grid is fitted at each training size and its wrong validation rows are counted, all of a fit
    that diverged. Of the settings within one binomial standard error of the fewest the first is taken, in the order of
    the grid: what is written first stays unless another is clearly better.

    Parameters
    ----------
    grid : mapping of str to sequence
        Names of class attributes of the entry, and the values to try; the first of each is what was used before.
    card : str
        Name of a score card.
    n_train : sequence of int
        Training sizes.
    seed : int, default 1000
        Root of the rows, first weights and order of all fits.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Examples
    --------
    >>> Tuning({"lr": (0.1, 0.3)}, card="block-1d-L64", n_train=(64, 128)).choose([40, 38], 256)
    {'lr': 0.1}
    """

    grid: Mapping[str, Sequence[Any]]
    card: str
    n_train: Sequence[int]
    seed: int = 1000

    def __post_init__(self) -> None:
        text("card", self.card, kind="the name of a card")
        if not isinstance(self.grid, Mapping):
            raise bad_type("grid", self.grid, "must map names of settings to the values to try")
        if not self.grid or not all(self.grid.values()):
            raise bad_value("grid", dict(self.grid), "must name at least one setting, with at least one value each")
        if not self.n_train:
            raise bad_value("n_train", self.n_train, "must hold at least one training size")
        object.__setattr__(self, "n_train", tuple(at_least_one("n_train", n) for n in self.n_train))
        object.__setattr__(self, "seed", check_seed(self.seed))

    def settings(self) -> Iterator[dict[str, Any]]:
        """All combinations of the grid, the last name varying fastest."""
        for values in product(*self.grid.values()):
            yield dict(zip(self.grid, values, strict=True))

    def choose(self, wrong: Sequence[int], n_rows: int) -> dict[str, Any]:
        """The combination that the rule takes, from wrong validation rows of each out of `n_rows`."""
        fewest = min(wrong)
        error = math.sqrt(fewest * (1 - fewest / n_rows))
        return next(one for one, count in zip(self.settings(), wrong, strict=True) if count <= fewest + error)

    def as_data(self) -> dict[str, Any]:
        """The search as plain data: it stands in the configuration of every run."""
        grid = {name: list(values) for name, values in self.grid.items()}
        return {"rule": RULE, "card": self.card, "n_train": list(self.n_train), "seed": self.seed, "grid": grid}
