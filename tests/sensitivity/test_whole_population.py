"""A whole population with all its moves, n="all"."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.perturbations.noise import NOISE_MODES, NoiseMode
from scaledetect.sensitivity import sensitivities

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
