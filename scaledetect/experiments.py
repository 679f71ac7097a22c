"""Measurement and exact theory of the same nets on the same task, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect.cards import Card, ReferenceNet, load_card
from scaledetect.errors import bad_value
from scaledetect.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.task import Task

__all__ = ["Comparison", "compare_net", "compare_with_theory"]

QUANTITIES = ("D", "G", "R")


@dataclass(frozen=True, eq=False)
class Comparison:
    """One net on one task: what was measured, and the exact values.

    Attributes
    ----------
    card : str
        Name of the card, or "" for a task without one.
    task : Task
    net : ReferenceNet
    noise : Noise
    measured, theory : Sensitivities
        With the same layers.
    seconds : float
        Wall time of both.
    """

    card: str
    task: Task
    net: ReferenceNet
    noise: Noise
    measured: Sensitivities
    theory: Sensitivities
    seconds: float

    @property
    def z(self) -> dict[str, NDArray[np.float64]]:
        """(measured - exact) / standard error of D, G, R and Delta, each of shape (K,)."""
        return self.measured.z(self.theory)

    @property
    def worst(self) -> float:
        """Largest |z| of D, G and R over all layers; NaN, where a layer is constant, is left out."""
        scores = np.abs(np.concatenate([self.z[name] for name in QUANTITIES]))
        return float(np.nanmax(scores, initial=0.0))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON once `scaledetect.files.plain` has seen it."""
        return {
            "card": self.card,
            "task": asdict(self.task),
            "net": self.net.model_dump(),
            "noise": asdict(self.noise),
            "measured": self.measured.to_dict(),
            "theory": self.theory.to_dict(),
            "z": self.z,
            "seconds": self.seconds,
        }


def compare_with_theory(
    card: Card | Task | str,
    *,
    nets: Sequence[ReferenceNet] | None = None,
    n: int = 20_000,
    noise: Noise | Sequence[Noise] = Noise(),
    seed: int | None = None,
    on_done: Callable[[Comparison], None] | None = None,
) -> tuple[Comparison, ...]:
    """Measure constant-filter nets on a task, and compute the exact values beside.

    Parameters
    ----------
    card : Card, Task or str
        A card or its name; or a task, for which `nets` must be given.
    nets : sequence of ReferenceNet, optional
        Default: those of the card.
    n : int, default 20000
        Draws of each measurement.
    noise : Noise or sequence of Noise, default Noise()
        Every net is compared for each.
    seed : int, optional
        Seed of the draws, the same for all nets. Default: the first study seed of the card, 0 for a task.
    on_done : callable, optional
        Called with each comparison when it is complete.

    Returns
    -------
    tuple of Comparison
        Noise by noise, and net by net.

    Raises
    ------
    KeyError
        For the name of a card that is not there.
    ValueError
        Where there is no net to compare, and for what `sensitivities` and `theory.sensitivities` refuse.
    """
    if isinstance(card, str):
        card = load_card(card)
    name, task = (card.name, card.task) if isinstance(card, Card) else ("", card)
    if nets is None:
        nets = card.nets if isinstance(card, Card) else ()
    if not nets:
        raise bad_value("nets", nets, "nothing to compare", "give at least one ReferenceNet")
    if seed is None:
        seed = card.seeds.study[0] if isinstance(card, Card) else 0
    done = []
    for one_noise in [noise] if isinstance(noise, Noise) else noise:
        for net in nets:
            done.append(compare_net(task, net, n=n, noise=one_noise, seed=seed, card=name))
            if on_done is not None:
                on_done(done[-1])
    return tuple(done)


def compare_net(
    task: Task, net: ReferenceNet, *, n: int = 20_000, noise: Noise = Noise(), seed: int = 0, card: str = ""
) -> Comparison:
    """One net of `compare_with_theory`."""
    from scaledetect import theory
    from scaledetect.nets import ConstantFilterNet
    from scaledetect.sensitivity import sensitivities

    start = time.perf_counter()
    # Theory first: it refuses what has no closed form before any image is drawn.
    exact = theory.sensitivities(task, **net.model_dump(), noise=noise)
    measured = sensitivities(ConstantFilterNet(task.dim, **net.model_dump()), task, n, noise=noise, seed=seed)
    return Comparison(card, task, net, noise, measured, exact, time.perf_counter() - start)
