"""The cluster expansion equals enumeration by definition; exact at first order for linear nets, at second for all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Literal

import naive
import numpy as np
import pytest
import torch
from helpers import specs
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.nets.circular import CircularConv
from scaledetect.theory.cluster import responses

EXACT = 1e-9
ORDERS: tuple[Literal[1, 2], ...] = (1, 2)

# Pixels meet in all of them: pairs two pixels apart, neighbours at a border that clips, blocks of two and three.
SPECS = (
    naive.Spec(1, 8, 6),
    naive.Spec(1, 9, 6, 1, periodic=False),
    naive.Spec(1, 8, 6, labelling="block"),
    naive.Spec(2, 4, 4, 0, "distance", "l1", True),
    naive.Spec(2, 4, 4, 0, "distance", "linf", False),
    naive.Spec(2, 4, 6, labelling="block"),
)


def convolutional(dim: int, *, relu: bool) -> nn.Module:
    """Random weights and biases, in float64; without ReLU it is affine. Images of 8 and of 9 pixels fit."""
    conv = (nn.Conv1d, nn.Conv2d)[dim - 1]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = nn.Sequential(
            conv(1, 4, 3, padding=1, padding_mode="circular"),
            nn.ReLU() if relu else nn.Identity(),
            conv(4, 6, 2, stride=2),
            nn.ReLU() if relu else nn.Identity(),
            nn.Flatten(),
            nn.Linear(24, 2),
        )
    return net.double()


def one_layer(net: nn.Module, spec: naive.Spec, last: int) -> Callable[[list[float]], list[float]]:
    """The first modules of the net, up to number `last`, for the enumerator."""
    part = nn.Sequential(*list(net.children())[: last + 1])

    def run(image: list[float]) -> list[float]:
        x = torch.tensor(image, dtype=torch.float64).reshape(1, 1, *[spec.size] * spec.dim)
        with torch.no_grad():
            values: list[float] = part(x).ravel().tolist()
        return values

    return run


@pytest.mark.parametrize("spec", SPECS, ids=specs.name_of)
def test_second_order_equals_enumeration(spec: naive.Spec) -> None:
    net, task = convolutional(spec.dim, relu=True), specs.task_of(spec)
    found = sd.theory.cluster_sensitivities(net, task, order=2, layers=["1", "3", "5"], n=50)
    for row, last in enumerate((1, 3, 5)):
        D, Delta = naive.population_sensitivities(one_layer(net, spec, last), spec, task.pixel_value)
        assert found.D[row] == pytest.approx(D, rel=EXACT)
        assert found.Delta[row] == pytest.approx(Delta, rel=EXACT)


@pytest.mark.parametrize("spec", SPECS, ids=specs.name_of)
def test_first_order_equals_enumeration_of_the_net_without_interaction(spec: naive.Spec) -> None:
    net, task = convolutional(spec.dim, relu=True), specs.task_of(spec)
    found = sd.theory.cluster_sensitivities(net, task, layers=["1", "5"], n=50)
    for row, last in enumerate((1, 5)):
        additive = naive.without_interaction(one_layer(net, spec, last), task.pixel_value)
        D, Delta = naive.population_sensitivities(additive, spec, task.pixel_value)
        assert found.D[row] == pytest.approx(D, rel=EXACT)
        assert found.Delta[row] == pytest.approx(Delta, rel=EXACT)


@pytest.mark.parametrize("spec", SPECS, ids=specs.name_of)
def test_first_order_is_exact_for_a_net_linear_in_its_input(spec: naive.Spec) -> None:
    net, task = convolutional(spec.dim, relu=False), specs.task_of(spec)
    found = sd.theory.cluster_sensitivities(net, task, layers=["2", "5"], n=50)
    for row, last in enumerate((2, 5)):
        D, Delta = naive.population_sensitivities(one_layer(net, spec, last), spec, task.pixel_value)
        assert found.D[row] == pytest.approx(D, rel=EXACT)
        assert found.Delta[row] == pytest.approx(Delta, rel=EXACT)


CARDS = (
    sd.Task(size=64, xi=16),
    sd.Task(size=60, xi=13, labelling="block"),
    sd.Task(dim=2, size=12, xi=4, gap=1, periodic=False),
    sd.Task(dim=3, size=5, xi=2),
)


@pytest.mark.parametrize("task", CARDS, ids=lambda task: f"{task.dim}d-{task.labelling}")
def test_constant_filters_have_their_exact_theory(task: sd.Task) -> None:
    net = sd.nets.ConstantFilterNet(dim=task.dim, filter_size=3, stride=1, depth=4).double()
    exact, found = sd.theory.sensitivities(task, net), sd.theory.cluster_sensitivities(net, task, n=50)
    np.testing.assert_allclose(found.D, exact.D, rtol=EXACT)
    np.testing.assert_allclose(found.Delta, exact.Delta, rtol=EXACT)
    assert found.layers == exact.layers
    assert found.A is not None and exact.A is not None
    np.testing.assert_array_equal(found.A, exact.A)
    assert not found.D_stderr.any() and not found.Delta_stderr.any()


@pytest.mark.parametrize("order", ORDERS)
def test_a_layer_in_many_slices_is_the_same(order: Literal[1, 2], monkeypatch: pytest.MonkeyPatch) -> None:
    task, net = sd.Task(size=16, xi=4), sd.nets.PoolingNet(depth=3, width=6).double()
    whole = sd.theory.cluster_sensitivities(net, task, order=order, n=50)
    monkeypatch.setattr(responses, "SLICE_BYTES", 2**12)
    sliced = sd.theory.cluster_sensitivities(net, task, order=order, n=50)
    np.testing.assert_allclose(sliced.D, whole.D, rtol=1e-12)
    np.testing.assert_allclose(sliced.Delta, whole.Delta, rtol=1e-12)


def test_channel_means_are_those_of_a_net_that_ends_in_them() -> None:
    task, net = sd.Task(size=16, xi=4), sd.nets.PoolingNet(depth=2, width=6).double()

    def averaged(x: Tensor) -> dict[str, Tensor]:
        first = net.layers[0](x)
        return {"layer1": first.mean(1), "layer2": net.layers[1](first).mean(1)}

    options = {"n": 100, "dtype": torch.float64}
    found = sd.theory.cluster_sensitivities(net, task, channel_mean=True, **options)  # type: ignore[arg-type]
    reference = sd.theory.cluster_sensitivities(averaged, task, **options)  # type: ignore[arg-type]
    for name in ("D", "G", "Delta", "G_stderr"):
        np.testing.assert_allclose(getattr(found, name), getattr(reference, name), rtol=1e-12)


def test_first_order_is_close_for_trained_nets_below_the_scale_of_the_task() -> None:
    """Block nets without ridge: D within 10 % where A < xi, and never too large; beyond, pairs interact."""
    task, net = sd.Task(size=32, xi=16, labelling="block"), sd.nets.PoolingNet(depth=5, width=32)
    run = sd.train(task, net, n_train=200, seeds=range(2), config=sd.TrainConfig(max_epochs=200))
    first, exact = (
        np.array([sd.theory.cluster_sensitivities(member.net, task, order=order, n=50).D for member in run])
        for order in ORDERS
    )
    ratio = (first / exact).mean(axis=0)[: np.count_nonzero(task.xi > net.pooling.A)]
    assert len(ratio) == 3
    assert (ratio > 0.9).all() and (ratio < 1.01).all()


# ---------------------------------------------------------------------- noise


@pytest.mark.parametrize("task", CARDS[:3], ids=lambda task: f"{task.dim}d-{task.labelling}")
@pytest.mark.parametrize("mode", ["signed", "rectified_noise"])
def test_noise_on_a_linear_net_agrees_with_its_exact_value(task: sd.Task, mode: str) -> None:
    """Of a linear net the response to noise is the same on any image; 24 values, one in 4,000 beyond 4 errors."""
    boxes = sd.nets.ConstantFilterNet(dim=task.dim, depth=2)
    net = nn.Sequential(*[module for module in boxes.modules() if isinstance(module, CircularConv)])
    noise = sd.Noise(mode=mode)  # type: ignore[arg-type]
    exact = sd.theory.mean_filter_sensitivities(
        task, [np.full((2,) * task.dim, 0.5**task.dim)] * 2, stride=2, noise=noise
    )
    found = sd.theory.cluster_sensitivities(net, task, layers=["0", "1"], noise=noise, n=2000)
    assert (np.abs((found.G - exact.G) / found.G_stderr) < 4).all()
    assert (np.abs((found.R - exact.R) / found.R_stderr) < 4).all()
    assert found.sigma == exact.sigma


def test_errors_of_the_noise_are_those_of_its_scatter_over_seeds() -> None:
    """With 40 seeds the ratio of standard deviations scatters by 0.11."""
    task, net = sd.Task(size=16, xi=4), sd.nets.PoolingNet(depth=2, width=4)
    runs = [sd.theory.cluster_sensitivities(net, task, n=200, seed=seed) for seed in range(40)]
    for name in ("G", "R"):
        values = np.array([getattr(run, name) for run in runs])
        errors = np.array([getattr(run, f"{name}_stderr") for run in runs])
        ratio = values.std(axis=0, ddof=1) / np.sqrt(np.square(errors).mean(axis=0))
        assert (np.abs(ratio - 1) < 0.45).all()


def test_deviations_add_up_to_the_errors() -> None:
    found = sd.theory.cluster_sensitivities(sd.nets.PoolingNet(depth=2, width=4), sd.Task(size=16, xi=4), n=100)
    assert found.deviations is not None and found.n_blocks == 50
    for name in ("D", "G", "R", "Delta"):
        error = np.sqrt(np.square(found.deviations[name]).sum(axis=0))
        np.testing.assert_allclose(getattr(found, f"{name}_stderr"), error, rtol=1e-12)


def test_the_noise_is_that_of_a_measurement_with_the_same_seed() -> None:
    """For a net linear in its input, and the same draws, G is the same but for the error of Delta."""
    task, net = sd.Task(size=16, xi=4), nn.Conv1d(1, 2, 3, padding=1, padding_mode="circular").double()
    found = sd.theory.cluster_sensitivities(net, task, n=1000, seed=5)
    measured = sd.sensitivities(net, task, 1000, seed=5)
    np.testing.assert_allclose(found.G * found.Delta, measured.G * measured.Delta, rtol=1e-9)


# ---------------------------------------------------------------------- layers, edges, errors


def test_rows_are_those_of_a_measurement() -> None:
    task = sd.Task(dim=2, size=8, xi=3)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(72, 2))
    found, measured = sd.theory.cluster_sensitivities(net, task, n=50), sd.sensitivities(net, task, 100)
    assert found.layers == measured.layers
    assert net.training, "left as it was found"


def test_a_constant_layer_is_nan_and_named() -> None:
    net = nn.Sequential(nn.Conv1d(1, 1, 1), nn.AdaptiveAvgPool1d(1))
    with pytest.warns(RuntimeWarning, match="constant over the images.*NaN: 1"):
        found = sd.theory.cluster_sensitivities(net.double(), sd.Task(size=16, xi=4), layers=["0", "1"], n=50)
    assert np.isnan(found.D).tolist() == np.isnan(found.G).tolist() == [False, True]
    assert np.isfinite(found.R).all()


def test_a_layer_that_is_not_finite_is_nan_and_named() -> None:
    def net(x: Tensor) -> dict[str, Tensor]:
        return {"fine": x, "broken": x / 0}

    with pytest.warns(RuntimeWarning, match="not finite.*NaN: broken"):
        found = sd.theory.cluster_sensitivities(net, sd.Task(size=16, xi=4), n=50)
    assert np.isnan(found.D).tolist() == [False, True]


def test_a_layer_that_ignores_moves_has_no_deformation() -> None:
    """Blocks of four pixels pooled by their sum: moves stay within a block."""
    task, net = sd.Task(size=16, xi=4, labelling="block"), nn.AvgPool1d(4).double()
    for order in ORDERS:
        assert sd.theory.cluster_sensitivities(net, task, order=order, n=50).D.tolist() == [0.0]


NET = sd.nets.ConstantFilterNet(depth=2)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (sd.Task(size=16, xi=4, background_noise=0.1), {}, "background_noise=0.1"),
        (sd.Task(size=16, xi=4), {"order": 3}, "order=3: must be 1 or 2"),
        (sd.Task(size=16, xi=4), {"n": 75}, "n=75: must be a multiple of 50; the nearest is 100"),
        (sd.Task(size=16, xi=4), {"noise": sd.Noise(match="sample")}, "match='sample'"),
        (sd.Task(size=16, xi=4), {"seed": -1}, "seed=-1"),
        (sd.Task(size=256, xi=4), {"order": 2}, "order=2: 256 sites make 32896 images.*at most 20000"),
        (sd.Task(size=8192, xi=4), {}, "size=8192: .*at most 6144 sites"),
        (sd.Task(dim=2, size=8, xi=3), {}, "does not take images|dim=1"),
    ],
)
def test_what_it_does_not_take_is_refused(task: sd.Task, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sd.theory.cluster_sensitivities(NET, task, **({"n": 50} | options))  # type: ignore[arg-type]


def test_a_layer_that_does_not_exist_is_named() -> None:
    with pytest.raises(KeyError, match="layer7"):
        sd.theory.cluster_sensitivities(NET, sd.Task(size=16, xi=4), layers=["layer7"], n=50)


def test_importing_it_loads_no_torch() -> None:
    heavy = "('torch', 'numba', 'matplotlib')"
    code = f"import scaledetect.theory.cluster, sys\nprint([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
