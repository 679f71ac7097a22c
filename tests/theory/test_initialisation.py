"""The theory at initialisation: values of the specification, what is exact, and wide nets measured beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import scaledetect as sd
from scaledetect.theory import at_initialisation

FloatArray = NDArray[np.float64]

RECTIFIED = sd.Noise(mode="rectified_noise")
SMALL = sd.Task(size=16, xi=5)

# SPEC, section 6.4: L = 64, xi = 16, critical gain, rectified noise; errors of the values of G.
G_ERROR = 0.0006
VALUES = {
    ("distance", 2, 2): (
        (0.91035, 0.82719, 0.78452, 0.76986, 0.77093, 0.77939),
        (0.4989, 0.5139, 0.5406, 0.5672, 0.5894, 0.6077),
    ),
    ("block", 2, 2): (
        (0.83554, 0.75157, 0.70628, 0.68695, 0.68726, 0.69721),
        (0.4618, 0.4753, 0.4996, 0.5245, 0.5463, 0.5643),
    ),
    ("distance", 3, 1): (
        (0.88768, 0.80042, 0.74514, 0.70783, 0.68128, 0.66164),
        (0.5095, 0.5249, 0.5428, 0.5608, 0.5782, 0.5946),
    ),
}


@pytest.mark.parametrize("case", VALUES, ids=str)
def test_the_values_of_the_specification(case: tuple[Any, int, int]) -> None:
    labelling, filter_size, stride = case
    task = sd.Task(size=64, xi=16, labelling=labelling)
    t = at_initialisation(task, filter_size=filter_size, stride=stride, noise=RECTIFIED, n=10_000)
    D, G = VALUES[case]
    assert t.D.round(5).tolist() == list(D)
    assert not t.D_stderr.any()
    assert not t.Delta_stderr.any()
    # |z| < 4: layers are strongly correlated, so that the three cases together err in 2e-4 of seeds.
    assert (np.abs(t.G - G) < 4 * np.hypot(t.G_stderr, G_ERROR)).all()
    assert (t.G_stderr < 0.004).all()


# ---------------------------------------------------------------------- Monte Carlo against enumeration


@pytest.mark.parametrize(
    "task",
    [
        SMALL,
        replace(SMALL, labelling="block"),
        replace(SMALL, periodic=False),
        sd.Task(dim=2, size=6, xi=3, labelling="block"),
        sd.Task(dim=3, size=3, xi=1.5),
    ],
    ids=repr,
)
def test_monte_carlo_agrees_with_enumeration(task: sd.Task) -> None:
    options: dict[str, Any] = {"filter_size": (3, 2), "stride": (1, 2), "depth": 2, "gain": "paper", "n": 4000}
    exact = at_initialisation(task, **options)
    # A background of 1e-9 changes nothing but that images can no longer be enumerated.
    drawn = at_initialisation(replace(task, background_noise=1e-9), **options, seed=1)
    z = drawn.z(exact)
    assert (drawn.D_stderr > 0).all()
    assert (drawn.Delta_stderr > 0).all()
    # Student's t with 49 degrees of freedom: |z| < 5.5 fails once in 7e5.
    assert max(np.abs(z[name]).max() for name in ("D", "G", "R", "Delta")) < 5.5


def test_errors_shrink_as_the_root_of_the_draws() -> None:
    few, many = (at_initialisation(SMALL, depth=2, n=n) for n in (800, 12_800))
    # A standard error from 50 blocks has a relative error of 0.1.
    assert (few.G_stderr / many.G_stderr).tolist() == pytest.approx([4, 4], rel=0.5)


def test_errors_are_those_of_other_seeds() -> None:
    task = replace(SMALL, background_noise=0.5)
    runs = [at_initialisation(task, depth=2, n=400, seed=seed) for seed in range(30)]
    for name in ("D", "G", "R", "Delta"):
        scatter = np.std([getattr(t, name) for t in runs], axis=0, ddof=1)
        stated = np.sqrt(np.mean([getattr(t, f"{name}_stderr") ** 2 for t in runs], axis=0))
        # 29 degrees of freedom: the scatter lies within a factor 1.7 of the truth but once in 1e4.
        assert (np.abs(np.log(scatter / stated)) < np.log(1.7)).all(), name


def test_deviations_of_blocks_add_up_to_the_error() -> None:
    t = at_initialisation(SMALL, depth=2, n=400)
    assert t.deviations is not None
    for name in ("D", "G", "R", "Delta"):
        error = np.sqrt(np.square(t.deviations[name]).sum(axis=0))
        np.testing.assert_allclose(error, getattr(t, f"{name}_stderr"), rtol=1e-12)


# ---------------------------------------------------------------------- noise


def test_D_and_Delta_do_not_depend_on_the_noise() -> None:
    quiet, loud = (at_initialisation(SMALL, depth=2, n=200, noise=sd.Noise(sigma=sigma)) for sigma in (0.1, 3.0))
    assert (quiet.D.tolist(), quiet.Delta.tolist()) == (loud.D.tolist(), loud.Delta.tolist())
    assert (quiet.G < loud.G).all()


def test_weak_noise_of_either_mode_has_the_strength_of_its_second_moment() -> None:
    # To leading order S is linear in E|e|^2: rectified noise has half of that of signed noise.
    weak = [
        at_initialisation(SMALL, depth=1, n=4000, noise=sd.Noise(mode=mode, sigma=1e-3))
        for mode in ("signed", "rectified_noise", "rectified_input")
    ]
    signed, *halves = (t.G[0] for t in weak)
    # The same draws in all: what is left is the scatter of one sign, and active pixels, which are not rectified.
    assert signed / halves[0] == pytest.approx(2, rel=0.02)
    assert signed / 2 < halves[1] < signed


def test_noise_matched_to_each_image_is_as_strong_as_its_shift() -> None:
    each, all_alike = (
        at_initialisation(SMALL, depth=2, n=4000, noise=sd.Noise(match=match)) for match in ("sample", "ensemble")
    )
    assert np.isnan(each.sigma)
    # Mean squares agree; the kernel is not linear, so that the responses agree but roughly.
    np.testing.assert_allclose(each.G, all_alike.G, rtol=0.1)
    assert not np.array_equal(each.G, all_alike.G)


def test_background_noise_lowers_the_sensitivity_to_a_shift() -> None:
    clean, noisy = (at_initialisation(replace(SMALL, background_noise=b), depth=2, n=2000) for b in (0.0, 2.0))
    assert (noisy.D + 5 * noisy.D_stderr < clean.D).all()


# ---------------------------------------------------------------------- nets


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (SMALL, {"filter_size": 2, "stride": 2, "depth": 3}),
        (replace(SMALL, labelling="block"), {"filter_size": 3, "stride": 1, "depth": 2, "gain": "paper"}),
        (sd.Task(dim=2, size=6, xi=3, periodic=False), {"filter_size": 2, "stride": 2, "depth": 2}),
    ],
)
def test_wide_nets_are_as_the_theory_says(task: sd.Task, options: dict[str, Any]) -> None:
    theory = at_initialisation(task, **options, noise=RECTIFIED, n=4000)
    nets = [sd.nets.PoolingNet(dim=task.dim, width=128, seed=seed, **options) for seed in range(8)]
    measured = [sd.sensitivities(net, task, n=400, noise=RECTIFIED, seed=seed) for seed, net in enumerate(nets)]
    for name in ("D", "G", "R"):
        curves = np.array([getattr(s, name) for s in measured])
        error = np.hypot(curves.std(axis=0, ddof=1) / np.sqrt(len(nets)), getattr(theory, f"{name}_stderr"))
        # Student's t with 7 degrees of freedom: |t| < 9 fails once in 2e4.
        assert (np.abs(curves.mean(axis=0) - getattr(theory, name)) < 9 * error).all(), name
        np.testing.assert_allclose(curves.mean(axis=0), getattr(theory, name), rtol=0.1)


def test_a_net_gives_its_own_numbers() -> None:
    options: dict[str, Any] = {"filter_size": (3, 2), "stride": (1, 2), "depth": 2, "gain": "paper"}
    net = sd.nets.PoolingNet(dim=1, width=4, **options)
    mine, numbers = at_initialisation(SMALL, net, n=400), at_initialisation(SMALL, **options, n=400)
    for name in ("D", "G", "Delta", "A"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(numbers, name))


def test_weights_are_not_looked_at() -> None:
    nets = [sd.nets.PoolingNet(dim=1, depth=2, width=4, seed=seed) for seed in (0, 1)]
    one, two = (at_initialisation(SMALL, net, n=400) for net in nets)
    np.testing.assert_array_equal(one.G, two.G)


def test_the_draws_are_not_those_of_a_measurement() -> None:
    # Were they shared, the errors of a measurement and of the theory would not add up.
    net = sd.nets.PoolingNet(dim=1, depth=2, width=64, filter_size=2, stride=2)
    measured = sd.sensitivities(net, SMALL, n=2000, seed=3)
    assert measured.deviations is not None
    t = at_initialisation(SMALL, net, n=2000, seed=3)
    assert t.deviations is not None
    mine, theirs = t.deviations["G"][:, 0], measured.deviations["G"][:, 0]
    # Blocks are dealt out differently; if block sums were of the same draws their totals would still go together.
    assert abs(np.corrcoef(mine, theirs)[0, 1]) < 0.6


# ---------------------------------------------------------------------- result


def test_the_result_is_theory_beside_a_measurement() -> None:
    net = sd.nets.PoolingNet(dim=1, depth=3, width=32)
    measured, t = sd.sensitivities(net, SMALL, n=1000), at_initialisation(SMALL, net, n=1000)
    assert t.kind == "theory"
    assert t.layers == measured.layers
    np.testing.assert_array_equal(t.A, measured.A)
    expected = (measured.G - t.G) / np.hypot(measured.G_stderr, t.G_stderr)
    np.testing.assert_allclose(measured.z(t)["G"], expected, rtol=1e-12)
    measured.plot(theory=t)


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, two, other = (at_initialisation(SMALL, depth=2, n=400, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.G, two.G)
    assert not np.array_equal(one.G, other.G)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gain": "large"}, "gain='large'"),
        ({"n": 1000 + 1}, "nearest is 1000"),
        ({"n": 0}, "nearest is 200"),
        ({"width": 64}, "channel_mean=True"),
        ({"channel_mean": True}, "give the number of channels"),
        ({"channel_mean": True, "width": 0}, "width=0"),
        ({"filter_size": (2, 2)}, "depth=6"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_a_bad_value_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        at_initialisation(SMALL, **options)


def test_a_net_and_numbers_contradict() -> None:
    net = sd.nets.PoolingNet(dim=1, depth=2, width=4)
    with pytest.raises(ValueError, match="give the net or the numbers"):
        at_initialisation(SMALL, net, depth=3)
    with pytest.raises(ValueError, match="2 dimensions"):
        at_initialisation(SMALL, sd.nets.PoolingNet(dim=2, depth=2, width=4))
    with pytest.raises(TypeError, match="must be a PoolingNet"):
        at_initialisation(SMALL, sd.nets.ConstantFilterNet(dim=1))  # type: ignore[arg-type]


def test_channel_means_of_too_many_sites_are_refused() -> None:
    with pytest.raises(ValueError, match="4096"):
        at_initialisation(sd.Task(dim=2, size=128, xi=16), depth=1, width=8, channel_mean=True, n=200)
    with pytest.raises(ValueError, match="kernels between sites"):
        at_initialisation(sd.Task(dim=2, size=48, xi=16), stride=1, width=8, channel_mean=True, n=200)


def test_the_band_of_one_net_narrows_as_the_root_of_its_width() -> None:
    wide, narrow = (sd.theory.one_net_scatter(6, width) for width in (400, 100))
    np.testing.assert_allclose(2 * wide, narrow, rtol=1e-12)
    assert narrow[[0, 5]].tolist() == pytest.approx([0.05, 0.16])
    with pytest.raises(ValueError, match="width=0"):
        sd.theory.one_net_scatter(6, 0)
