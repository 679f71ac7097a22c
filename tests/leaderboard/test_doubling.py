"""Training sets that grow: which sizes are run, after which errors, and what is left out."""

from __future__ import annotations

import pytest

from scaledetect.leaderboard.runner import Doubling, Planned
from scaledetect.leaderboard.runner.doubling import Ladder
from scaledetect.leaderboard.scoring import Run

SIZES = (32, 64, 128, 256, 512, 1024)


def plan(entry: str = "a", seeds: int = 2) -> list[Planned]:
    return [
        Planned(Run("card", entry, size, seed), {}, f"{entry}-{size}-{seed}") for size in SIZES for seed in range(seeds)
    ]


def climb(errors: dict[int, float | None], rule: Doubling, known: dict[str, float | None] | None = None) -> list[int]:
    """Sizes that are run when every seed has these errors, 1/2 elsewhere; no size begins before the last one ended."""
    ladder = Ladder(plan(), rule, known or {})
    sizes = []
    while taken := ladder.take():
        assert len({one.run.n_train for one in taken}) == 1
        sizes.append(taken[0].run.n_train)
        for one in taken:
            assert ladder.take() == []
            ladder.report(one, errors.get(one.run.n_train, 0.5))
    assert ladder.left_out == 2 * len(SIZES[SIZES.index(sizes[-1]) + 1 :])
    return sizes


@pytest.mark.parametrize(
    ("errors", "rule", "expected"),
    [
        ({}, Doubling(), list(SIZES)),
        ({64: 0.009}, Doubling(), [32, 64, 128, 256]),
        ({64: 0.01}, Doubling(), list(SIZES)),  # not below
        ({32: 0.0}, Doubling(level=0.1, further=0), [32]),
        ({64: 0.0, 128: 0.4}, Doubling(further=1), [32, 64, 128]),
        ({128: None}, Doubling(), [32, 64, 128]),  # no score at a size: larger ones are not tried
    ],
)
def test_sizes(errors: dict[int, float | None], rule: Doubling, expected: list[int]) -> None:
    assert climb(errors, rule) == expected


def test_what_is_recorded_counts_and_is_not_run_again() -> None:
    known = {f"a-{size}-{seed}": 0.5 for size in (32, 64) for seed in (0, 1)} | {"a-128-1": 0.0}
    ladder = Ladder(plan(), Doubling(), dict(known))
    (one,) = ladder.take()
    assert (one.run.n_train, one.run.seed) == (128, 0)
    ladder.report(one, 0.0)
    assert {run.run.n_train for run in ladder.take()} == {256}


def test_the_mean_over_seeds_decides_and_entries_climb_by_themselves() -> None:
    ladder = Ladder([*plan("a"), *plan("b")], Doubling(level=0.1, further=0), {})
    first = ladder.take()
    assert {(one.run.entry, one.run.n_train) for one in first} == {("a", 32), ("b", 32)}
    for one in first:
        ladder.report(one, 0.15 * one.run.seed if one.run.entry == "a" else 0.3 * one.run.seed)
    assert {(one.run.entry, one.run.n_train) for one in ladder.take()} == {("b", 64)}


@pytest.mark.parametrize(("options", "name"), [({"level": 0.0}, "level"), ({"further": -1}, "further")])
def test_refusals(options: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Doubling(**options)  # type: ignore[arg-type]
