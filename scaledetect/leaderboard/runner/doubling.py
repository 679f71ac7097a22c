"""Growing training sets: each entry goes on to larger ones until its error is small, and two sizes further."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean

from scaledetect._base.arguments import fraction, integer
from scaledetect.leaderboard.runner.grid import Planned

__all__ = ["Doubling", "Ladder"]


@dataclass(frozen=True)
class Doubling:
    """The rule by which the training sets of an entry on a card grow.

    Parameters
    ----------
    level : float, default 0.01
        Mean test error over seeds below which an entry has reached what it can.
    further : int, default 2
        Sizes that are run beyond the first one that reached it.
    """

    level: float = 0.01
    further: int = 2

    def __post_init__(self) -> None:
        fraction("level", self.level)
        integer("further", self.further, 0, 100, kind="an integer from 0 to 100")


@dataclass
class _Climb:
    """The runs of one entry on one card, by size."""

    sizes: list[list[Planned]]
    position: int = 0
    errors: list[list[float]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)


class Ladder:
    """Hands out the runs of a plan size by size: the next one when all seeds of the last are in.

    An entry that has no score at a size, since all its runs failed or took too long, is not run on larger ones.

    Parameters
    ----------
    plan : iterable of Planned
    rule : Doubling
    errors : dict of str to (float or None)
        Test errors of the runs that have a record already, by key; None for those without a score.
    """

    def __init__(self, plan: Iterable[Planned], rule: Doubling, errors: dict[str, float | None]) -> None:
        self._rule, self._known = rule, dict(errors)
        self._climbs: dict[tuple[str, str], _Climb] = {}
        grouped: dict[tuple[str, str], dict[int, list[Planned]]] = defaultdict(lambda: defaultdict(list))
        for one in plan:
            grouped[one.run.card, one.run.entry][one.run.n_train].append(one)
        self._released: list[Planned] = []
        for name, by_size in grouped.items():
            self._climbs[name] = _Climb([runs for _, runs in sorted(by_size.items())])
            self._advance(name)

    def take(self) -> list[Planned]:
        """The runs that have become worth while since this was last asked, smaller training sets first."""
        found, self._released = sorted(self._released, key=lambda one: one.run.n_train), []
        return found

    def report(self, planned: Planned, error: float | None) -> None:
        """A run has this test error, or no score."""
        self._known[planned.key] = error
        name = planned.run.card, planned.run.entry
        self._climbs[name].open.discard(planned.key)
        if not self._climbs[name].open:
            self._advance(name)

    @property
    def left_out(self) -> int:
        """Runs of larger training sets that the rule makes superfluous."""
        return sum(
            len(runs) for climb in self._climbs.values() for runs in climb.sizes[climb.position :] if not climb.open
        )

    def _advance(self, name: tuple[str, str]) -> None:
        climb = self._climbs[name]
        while climb.position < len(climb.sizes) and not self._is_high_enough(climb):
            runs = climb.sizes[climb.position]
            missing = [one for one in runs if one.key not in self._known]
            if missing:
                climb.open = {one.key for one in missing}
                self._released += missing
                return
            scores = [self._known[one.key] for one in runs]
            climb.errors.append([score for score in scores if score is not None])
            climb.position += 1

    def _is_high_enough(self, climb: _Climb) -> bool:
        if climb.errors and not climb.errors[-1]:
            return True
        first = next((k for k, errors in enumerate(climb.errors) if fmean(errors) < self._rule.level), None)
        return first is not None and len(climb.errors) > first + self._rule.further
