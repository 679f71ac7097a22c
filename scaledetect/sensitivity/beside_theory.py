"""Measure constant-filter nets and compute their exact theory beside: the reference nets of a task card."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect._base.progress import ProgressOption
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.results.theory_comparison import TheoryComparison
from scaledetect.statistics.hotelling import joint_test
from scaledetect.task.cards import Card, ReferenceNet, load_card
from scaledetect.task.task import Task, check_task

__all__ = ["compare_with_theory"]


def compare_with_theory(
    card: Card | Task | str,
    *,
    nets: Sequence[ReferenceNet] | None = None,
    n: int = 20_000,
    noise: Noise | Sequence[Noise] = Noise(),
    seed: int | None = None,
    progress: ProgressOption = False,
) -> tuple[TheoryComparison, ...]:
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
        Every net is compared for each. All nets and all noise are one measurement, on the same draws.
    seed : int, optional
        Seed of the draws, the same for all nets. Default: the first study seed of the card, 0 for a task.
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`.

    Returns
    -------
    tuple of TheoryComparison
        Noise by noise, and net by net.

    Raises
    ------
    KeyError
        For the name of a card that is not there.
    ValueError
        Where there is no net to compare, and for what `sensitivities` and `theory.sensitivities` refuse.
    """
    from scaledetect import theory
    from scaledetect.nets import ConstantFilterNet
    from scaledetect.sensitivity.side_by_side import sensitivities_side_by_side

    if isinstance(card, str):
        card = load_card(card)
    name, task = (card.name, card.task) if isinstance(card, Card) else ("", card)
    check_task(task, "card")
    if nets is None:
        nets = card.nets if isinstance(card, Card) else ()
    if not nets:
        raise bad_value("nets", nets, "nothing to compare", "give at least one ReferenceNet")
    if seed is None:
        seed = card.seeds.study[0] if isinstance(card, Card) else 0
    noises = [noise] if isinstance(noise, Noise) else list(noise)
    # Theory first: it refuses what has no closed form before any image is drawn.
    start = time.perf_counter()
    exact = [[theory.sensitivities(task, **net.model_dump(), noise=one) for one in noises] for net in nets]
    built = [ConstantFilterNet(task.dim, **net.model_dump()) for net in nets]
    measured = sensitivities_side_by_side(built, task, n, noises=noises, seed=seed, progress=progress)
    seconds = (time.perf_counter() - start) / (len(nets) * len(noises))
    return tuple(
        TheoryComparison(name, task, net, one, s[number], t[number], seconds, _p_values(s[number], t[number]))
        for number, one in enumerate(noises)
        for net, s, t in zip(nets, measured, exact, strict=True)
    )


def _p_values(measured: Sensitivities, exact: Sensitivities) -> dict[str, float]:
    """Those of the joint test, NaN where no layer can be tested."""
    found = {}
    for name in ("D", "G", "R"):
        try:
            found[name] = joint_test(measured, exact, name).p_value
        except InvalidValueError:
            found[name] = math.nan
    return found
