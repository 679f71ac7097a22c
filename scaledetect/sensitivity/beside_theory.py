"""Measure constant-filter nets and compute their exact theory beside: the reference nets of a task card."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect._base.progress import ProgressOption, reporting
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
    on_done: Callable[[TheoryComparison], None] | None = None,
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
        Every net is compared for each, all of them in one measurement.
    seed : int, optional
        Seed of the draws, the same for all nets. Default: the first study seed of the card, 0 for a task.
    on_done : callable, optional
        Called with each comparison when it is complete, net by net.
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`, with comparisons in the place of draws.

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
    done: list[tuple[TheoryComparison, ...]] = []
    with reporting(progress, "comparisons") as report:
        for net in nets:
            done.append(_compare_net(task, net, n=n, noises=noises, seed=seed, card=name))
            report(len(done) * len(noises), len(nets) * len(noises))
            if on_done is not None:
                for comparison in done[-1]:
                    on_done(comparison)
    return tuple(of_net[number] for number in range(len(noises)) for of_net in done)


def _compare_net(
    task: Task, net: ReferenceNet, *, n: int, noises: Sequence[Noise], seed: int, card: str
) -> tuple[TheoryComparison, ...]:
    """One net under each form of noise, in one measurement; their times are equal parts of its time."""
    from scaledetect import theory
    from scaledetect.nets import ConstantFilterNet
    from scaledetect.sensitivity.estimate import sensitivities_by_noise

    start = time.perf_counter()
    # Theory first: it refuses what has no closed form before any image is drawn.
    exact = [theory.sensitivities(task, **net.model_dump(), noise=noise) for noise in noises]
    measured = sensitivities_by_noise(
        ConstantFilterNet(task.dim, **net.model_dump()), task, n, noises=noises, seed=seed
    )
    seconds = (time.perf_counter() - start) / len(noises)
    return tuple(
        TheoryComparison(card, task, net, noise, s, t, seconds, _p_values(s, t))
        for noise, s, t in zip(noises, measured, exact, strict=True)
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
