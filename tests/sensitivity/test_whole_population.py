"""A whole population with all its moves, n="all"."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.perturbations.noise import NOISE_MODES, NoiseMode
from scaledetect.results import BlockSums
from scaledetect.sensitivity import sensitivities
from scaledetect.sensitivity.whole_population import estimate_population

CASES = {
    "1d": (sd.Task(size=16, xi=4), (2, 2, 3)),
    "1d open, without stride": (sd.Task(size=13, xi=4, gap=2, periodic=False), (3, 1, 3)),
    "blocks": (sd.Task(size=12, xi=5, labelling="block"), (3, 2, 2)),
    "2d": (sd.Task(dim=2, size=5, xi=2, norm="l1"), (2, 2, 2)),
    "2d open": (sd.Task(dim=2, size=4, xi=2, periodic=False, amplitude="mean"), (3, 1, 2)),
    "2d blocks": (sd.Task(dim=2, size=4, xi=2, labelling="block"), (2, 2, 1)),
    "3d": (sd.Task(dim=3, size=3, xi=2, periodic=False), (2, 1, 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_theory(case: str) -> None:
    task, numbers = CASES[case]
    net = sd.nets.ConstantFilterNet(task.dim, *numbers).double()
    measured, exact = sensitivities(net, task, "all"), sd.theory.sensitivities(task, net)
    assert measured.n == task.n_near + task.n_far
    for name in ("D", "Delta"):
        np.testing.assert_allclose(getattr(measured, name), getattr(exact, name), rtol=1e-9, atol=1e-12)
        assert (getattr(measured, name + "_stderr") == 0).all()
    for name in ("G", "R"):
        assert (np.abs(measured.z(exact)[name]) < 5).all()


@pytest.mark.parametrize("mode", NOISE_MODES)
def test_noise_is_right_on_average(mode: NoiseMode) -> None:
    """Over seeds G scatters about its exact value as its standard errors say, by Student's t."""
    task, net = sd.Task(size=8, xi=3), sd.nets.ConstantFilterNet(1, 2, 2, 2)
    noise = sd.Noise(mode)
    exact = sd.theory.sensitivities(task, net, noise=noise)
    z = np.array([sensitivities(net, task, "all", noise=noise, seed=seed).z(exact)["G"] for seed in range(40)])
    for scores in z.T:
        assert stats.kstest(scores, stats.t(49).cdf).pvalue > 1e-4


class Polynomial(nn.Module):
    """A net that is not linear, so that the theory says nothing of it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square() * x.roll(1, -1) + x.roll(2, -1).exp() - x.roll(-3, -1).tanh()


def test_any_net_by_brute_force() -> None:
    """All pairs of a periodic line, labelled and moved by hand."""
    task = sd.Task(size=9, xi=3, amplitude=0.7)
    values: dict[bool, list[tuple[float, np.ndarray[Any, Any]]]] = {True: [], False: []}

    def image(*pixels: int) -> Tensor:
        x = torch.zeros(1, 1, 9, dtype=torch.float64)
        for pixel in pixels:
            x[0, 0, pixel % 9] += 0.7
        return x

    net = Polynomial()
    for p, q in itertools.combinations(range(9), 2):
        f = net(image(p, q))
        moved = [net(image(p + a, q + b)) - f for a in (-1, 1) for b in (-1, 1)]
        near = min(q - p, 9 - q + p) < 3
        values[near].append((sum(float(m.square().sum()) for m in moved) / 4, f.numpy().ravel()))
    numerator = np.mean([np.mean([d for d, _ in values[near]]) for near in (True, False)])
    kinds = [np.stack([f for _, f in values[near]]) for near in (True, False)]
    delta = np.mean([np.square(a[:, None] - b[None]).sum(-1).mean() for a in kinds for b in kinds])
    measured = sensitivities(net, task, "all", dtype=torch.float64, batch_size=5)
    assert measured.Delta[0] == pytest.approx(delta, rel=1e-12)
    assert measured.D[0] == pytest.approx(numerator / delta, rel=1e-12)
    assert measured.D_events is not None
    assert measured.D_events[0] == -1
    assert not measured.rare[0]


def test_sampled_agrees() -> None:
    task, net = sd.Task(size=12, xi=4), Polynomial()
    exact, sampled = sensitivities(net, task, "all"), sensitivities(net, task, 20_000, seed=3)
    for name, z in sampled.z(exact).items():
        assert abs(z[0]) < 5, name


def test_bad_layers_are_named() -> None:
    class Bad(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.good, self.bad = nn.Identity(), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            self.bad(x.log())
            y: Tensor = self.good(x)
            return y

    with pytest.warns(RuntimeWarning, match="not finite.*: bad$") as caught:
        measured = sensitivities(Bad(), sd.Task(size=8, xi=3), "all", layers=["good", "bad"])
    assert np.isnan(measured.D).tolist() == [True, False]
    assert caught[0].filename == __file__


def test_refusals() -> None:
    net = nn.Identity()
    with pytest.raises(ValueError, match=r"2096128 pairs .* in 55 versions are 115287040 forward images"):
        sensitivities(net, sd.Task(size=2048, xi=16), "all")
    with pytest.raises(ValueError, match="background_noise"):
        sensitivities(net, sd.Task(size=8, xi=3, background_noise=0.1), "all")
    with pytest.raises(ValueError, match='"all"'):
        sensitivities(net, sd.Task(size=8, xi=3), "every")  # type: ignore[arg-type]
    for option in ({"target_stderr": 0.1}, {"start": 100}, {"keep_sums": True}):
        with pytest.raises(ValueError, match=next(iter(option))):
            sensitivities(net, sd.Task(size=8, xi=3), "all", **option)


def sums_by_hand(
    f: list[np.ndarray[Any, Any]], reference: np.ndarray[Any, Any], moved: list[float], noisy: np.ndarray[Any, Any]
) -> BlockSums:
    """Of activations of two classes about a reference, summed |f(tau x) - f(x)|^2, and noise by block and class."""
    shifted = [one - reference for one in f]
    totals = np.stack([one.sum(axis=0) for one in shifted])
    return BlockSums(
        deformed=np.array([moved]),
        noisy=noisy,
        squares=np.array([[np.square(one).sum() for one in shifted]]),
        totals=totals,
        sketches=totals[None],
        reference=reference,
        counts=np.array([[len(one) for one in f]]),
        deformed_events=3,
        noisy_events=5,
        eps=2.0**-52,
    )


def test_the_estimate_is_that_of_the_definitions() -> None:
    """Classes of unequal size weigh the same; of G the standard error of a mean, of R the plain jackknife."""
    rng = np.random.default_rng(0)
    f = [rng.normal(1, 1, (7, 4)), rng.normal(-1, 2, (12, 4))]
    noisy = rng.gamma(3.0, 1.0, (5, 2)) * [7, 12]
    found = estimate_population(sums_by_hand(f, rng.normal(size=4), [3.0, 9.0], noisy))
    delta = 2 * (
        np.mean([np.square(one).sum(axis=1).mean() for one in f])
        - np.square(np.mean([one.mean(axis=0) for one in f], axis=0)).sum()
    )
    D, blocks = (3 / 7 + 9 / 12) / 2, (noisy / [7, 12]).mean(axis=1)
    G, without = blocks.mean(), np.array([np.delete(blocks, b).mean() for b in range(5)])
    expected = {"D": D / delta, "G": G / delta, "R": D / G, "Delta": delta}
    assert found.values == pytest.approx(expected, rel=1e-12)
    spread = np.sqrt(4 / 5 * np.square(D / without - (D / without).mean()).sum())
    errors = {"D": 0, "G": blocks.std(ddof=1) / np.sqrt(5) / delta, "R": spread, "Delta": 0}
    assert found.stderrs == pytest.approx(errors, rel=1e-10)
    assert {name: len(parts) for name, parts in found.deviations.items()} == dict.fromkeys(errors, 5)
    assert (found.deformed_events, found.noisy_events, found.flaw) == (-1, 5, None)


@pytest.mark.parametrize(("factor", "flawed"), [(0.99, True), (1.01, False)])
def test_the_energy_that_a_constant_layer_is_told_by_has_the_reference_in_it(factor: float, flawed: bool) -> None:
    """f of mean 2, of which the reference is 1: Delta is compared with 1000 eps of 4."""
    spread = np.sqrt(500 * 2.0**-52 * 4 * factor)
    f = [np.array([[2 + spread], [2 - spread]])] * 2
    sums = sums_by_hand(f, np.ones(1), [1.0, 1.0], np.ones((3, 2)))
    # Their own rounding would be as large as what is asked for.
    squares = 2 * (1 + spread**2)
    found = estimate_population(replace(sums, squares=np.array([[squares, squares]]), totals=np.full((2, 1), 2.0)))
    assert (found.flaw is not None) is flawed
    for name in ("D", "G"):
        assert math.isnan(found.values[name]) is flawed
        assert np.isnan(found.deviations[name]).tolist() == [flawed] * 3
    assert found.values["R"] == 1
    assert found.values["Delta"] > 0
    assert found.deviations["Delta"].tolist() == [0, 0, 0]


def test_the_ratio_is_missing_only_where_no_noise_at_all_came_through() -> None:
    f = [np.array([[1.0], [3.0]]), np.array([[0.0], [5.0]])]
    none = estimate_population(sums_by_hand(f, np.zeros(1), [1.0, 1.0], np.zeros((3, 2))))
    assert math.isnan(none.values["R"])
    assert (none.values["G"], none.stderrs["G"], none.flaw) == (0, 0, None)
    assert len(none.deviations["R"]) == 3
    for block in range(3):
        noisy = np.zeros((3, 2))
        noisy[block] = 6
        one = estimate_population(sums_by_hand(f, np.zeros(1), [1.0, 1.0], noisy))
        assert one.values["R"] == pytest.approx(0.5)
