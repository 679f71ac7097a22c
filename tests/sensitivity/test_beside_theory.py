"""Measured against exact, in units of the measured standard error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import scaledetect as sd
from scaledetect.perturbations.noise import NOISE_MODES, NoiseMode
from scaledetect.sensitivity import sensitivities
from scaledetect.sensitivity.estimate import sensitivities_by_noise
from scaledetect.sensitivity.side_by_side import sensitivities_side_by_side

CASES = {
    "1d": (sd.Task(size=32, xi=8), (2, 2, 4)),
    "1d without stride": (sd.Task(size=32, xi=8, gap=2, periodic=False), (3, 1, 4)),
    "1d odd size": (sd.Task(size=27, xi=6), (2, 2, 3)),
    "blocks": (sd.Task(size=36, xi=12, labelling="block"), (3, 2, 2)),
    "2d": (sd.Task(dim=2, size=12, xi=4, norm="l1"), (2, 2, 2)),
    "2d open": (sd.Task(dim=2, size=8, xi=3, periodic=False, amplitude="mean"), (3, 1, 2)),
    "3d": (sd.Task(dim=3, size=6, xi=3), (2, 2, 1)),
}


@pytest.mark.parametrize("mode", NOISE_MODES)
@pytest.mark.parametrize("case", CASES)
def test_within_five_standard_errors_of_theory(case: str, mode: NoiseMode) -> None:
    task, numbers = CASES[case]
    net = sd.nets.ConstantFilterNet(task.dim, *numbers)
    noise = sd.Noise(mode)
    measured, exact = (
        sensitivities(net, task, 10_000, noise=noise, seed=1),
        sd.theory.sensitivities(task, net, noise=noise),
    )
    assert measured.sigma == exact.sigma
    for name, z in measured.z(exact).items():
        assert (np.abs(z) < 5).all(), (name, z)


@pytest.mark.slow
def test_error_bars_cover_as_student_says() -> None:
    """Over 400 seeds the truth lies within one standard error as often as Student's t says, within 4 binomial sigma."""
    task, net, seeds = sd.Task(size=32, xi=8), sd.nets.ConstantFilterNet(1, 2, 2, 2), 400
    exact = sd.theory.sensitivities(task, net)
    runs = [sensitivities(net, task, 1000, seed=seed) for seed in range(seeds)]
    expected = stats.t(runs[0].n_blocks - 1).cdf(1) - stats.t(runs[0].n_blocks - 1).cdf(-1)
    slack = 4 * np.sqrt(seeds * expected * (1 - expected))
    for name in ("D", "G", "R", "Delta"):
        inside = sum(np.abs(run.z(exact)[name]) < 1 for run in runs)
        assert (np.abs(inside - seeds * expected) < slack).all(), (name, inside, seeds * expected, slack)


def test_nets_side_by_side_are_what_they_are_alone() -> None:
    task, noises = sd.Task(dim=2, size=12, xi=4), [sd.Noise(mode) for mode in NOISE_MODES]
    nets = [sd.nets.ConstantFilterNet(2, *numbers).double() for numbers in ((2, 2, 2), (3, 1, 3))]
    found = sensitivities_side_by_side(nets, task, 200, noises=noises, seed=5)
    for net, together in zip(nets, found, strict=True):
        for one, alone in zip(together, sensitivities_by_noise(net, task, 200, noises=noises, seed=5), strict=True):
            assert one.layers == alone.layers
            assert one.config == alone.config
            for name in ("D", "G", "R", "Delta", "D_stderr", "R_stderr", "A", "G_events"):
                np.testing.assert_allclose(getattr(one, name), getattr(alone, name), rtol=1e-9, err_msg=name)
            assert one.deviations is not None and alone.deviations is not None
            np.testing.assert_allclose(one.deviations["R"], alone.deviations["R"], rtol=1e-6, atol=1e-12)
