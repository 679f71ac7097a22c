"""The theory with any filters: boxes give the theory of boxes; others equal enumeration, and a measurement."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.nets import circular_conv
from scaledetect.perturbations.noise import NoiseMode

FloatArray = NDArray[np.float64]

TASKS = (
    sd.Task(dim=1, size=32, xi=8),
    sd.Task(dim=1, size=20, xi=5, labelling="block"),
    sd.Task(dim=2, size=12, xi=3, periodic=False),
)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("side", "stride"), [(2, 2), (3, 1), (4, 2), (3, 2)])
@pytest.mark.parametrize("mode", ["rectified_noise", "rectified_input"])
def test_constant_filters_give_the_theory_of_constant_filters(
    task: sd.Task, side: int, stride: int, mode: NoiseMode
) -> None:
    noise, depth = sd.Noise(mode=mode), 3 if stride == 1 else 2
    boxes = sd.theory.sensitivities(task, filter_size=side, stride=stride, depth=depth, noise=noise)
    filters = [scale * np.ones((side,) * task.dim) for scale in (0.3, -2.0, 5.0)[:depth]]
    found = sd.theory.mean_filter_sensitivities(task, filters, stride=stride, noise=noise)
    for name in ("D", "A"):
        np.testing.assert_allclose(getattr(found, name), getattr(boxes, name), rtol=1e-12)
    # The sign of a filter turns the mean of the noise around, and that of the image with it.
    np.testing.assert_allclose(found.G, boxes.G, rtol=1e-12)
    assert found.layers == boxes.layers and found.sigma == boxes.sigma


# ---------------------------------------------------------------------- enumeration


def layer_matrix(shape: tuple[int, ...], weights: FloatArray, stride: int) -> FloatArray:
    """One layer as a matrix, written entry by entry."""
    size, dim, side = shape[0], len(shape), len(weights)
    sites = list(itertools.product(range(0, size, stride), repeat=dim))
    matrix = np.zeros((len(sites), size**dim))
    for row, centre in enumerate(sites):
        for offset in np.ndindex(weights.shape):
            at = tuple((c + o - (side - 1) // 2) % size for c, o in zip(centre, offset, strict=True))
            matrix[row, np.ravel_multi_index(at, shape)] += weights[offset]
    return matrix


def near(task: sd.Task, p: tuple[int, ...], q: tuple[int, ...]) -> bool:
    if task.labelling == "block":
        return all(a // int(task.xi) == b // int(task.xi) for a, b in zip(p, q, strict=True))
    gaps = [abs(a - b) for a, b in zip(p, q, strict=True)]
    gaps = [min(z, task.size - z) for z in gaps] if task.periodic else gaps
    return sum(z * z for z in gaps) < Fraction(task.xi) ** 2


def enumerated(task: sd.Task, M: FloatArray, sigma: float) -> tuple[float, float]:
    """D and G of signed noise for f = M x, over all pairs of a one-dimensional periodic or block task."""
    a, L = task.pixel_value, task.size
    classes: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for p, q in itertools.combinations(range(L), 2):
        classes[near(task, (p,), (q,))].append((p, q))

    def moved(p: int, step: int) -> int:
        to = p + step
        if task.labelling == "distance":
            return to % L
        return to if 0 <= to < L and near(task, (p,), (to,)) else p

    shift, second, mean = 0.0, 0.0, np.zeros(len(M))
    for pairs in classes.values():
        for p, q in pairs:
            f = a * (M[:, p] + M[:, q])
            second += float(f @ f) / (2 * len(pairs))
            mean += f / (2 * len(pairs))
            for i, j in itertools.product((-1, 1), repeat=2):
                g = a * (M[:, moved(p, i)] + M[:, moved(q, j)])
                shift += float((g - f) @ (g - f)) / (8 * len(pairs))
    delta = 2 * (second - float(mean @ mean))
    return shift / delta, sigma**2 * float((M**2).sum()) / delta


@pytest.mark.parametrize("task", [sd.Task(dim=1, size=12, xi=3), sd.Task(dim=1, size=10, xi=4, labelling="block")])
@pytest.mark.parametrize("low", [0.0, -1.0])
def test_any_filters_equal_enumeration(task: sd.Task, low: float) -> None:
    rng = np.random.default_rng(7)
    filters, strides = [rng.uniform(low, 1, side) for side in (3, 2, 4)], (1, 2, 2)
    found = sd.theory.mean_filter_sensitivities(task, filters, stride=strides, noise=sd.Noise(sigma=0.7))
    M, size = np.eye(task.size), task.size
    for k, (weights, stride) in enumerate(zip(filters, strides, strict=True)):
        M, size = layer_matrix((size,), weights, stride) @ M, -(-size // stride)
        D, G = enumerated(task, M, 0.7)
        assert (found.D[k], found.G[k]) == pytest.approx((D, G), rel=1e-11)
        assert found.R[k] == pytest.approx(D / G, rel=1e-11)


# ---------------------------------------------------------------------- a linear net, measured


class LinearNet(nn.Module):
    """Two convolutions of one channel, no bias, no ReLU."""

    sensitivity_layers = ("layer1", "layer2")

    def __init__(self, dim: int, filters: list[FloatArray], strides: tuple[int, ...]) -> None:
        super().__init__()
        for name, weights, stride in zip(self.sensitivity_layers, filters, strides, strict=True):
            conv = circular_conv(dim, 1, 1, filter_size=len(weights), stride=stride, bias=False)
            conv.weight.data = torch.from_numpy(weights)[None, None]
            self.add_module(name, conv)

    def forward(self, x: Tensor) -> Tensor:
        return self.get_submodule("layer2")(self.get_submodule("layer1")(x))  # type: ignore[no-any-return]


@pytest.mark.parametrize("mode", ["signed", "rectified_noise", "rectified_input"])
def test_a_linear_net_of_filters_that_are_no_products_is_measured_to_be_the_theory(mode: NoiseMode) -> None:
    rng = np.random.default_rng(3)
    task = sd.Task(dim=2, size=8, xi=4, labelling="block")
    filters = [rng.normal(0.3, 1.0, (side, side)) for side in (3, 2)]
    net, noise = LinearNet(2, filters, (1, 2)).double(), sd.Noise(mode=mode)
    measured = sd.sensitivities(net, task, 10_000, noise=noise, seed=1)
    exact = sd.theory.mean_filter_sensitivities(task, sd.probes.mean_filters(net), stride=(1, 2), noise=noise)
    z = measured.z(exact)
    assert max(np.abs(z[name]).max() for name in ("D", "G", "R", "Delta")) < 5
    assert (measured.G_stderr < 0.05 * measured.G).all()


def test_the_receptive_field_is_that_of_the_probe() -> None:
    filters = [np.array([1.0, 2.0, 0.5]), np.array([0.2, 1.0]), np.array([3.0, 1.0, 1.0])]
    task = sd.Task(dim=1, size=64, xi=16)
    found = sd.theory.mean_filter_sensitivities(task, filters[:2], stride=(1, 2))
    probed = sd.probes.effective_receptive_field(LinearNet(1, filters[:2], (1, 2)).double(), task, n=2)
    assert found.A is not None
    np.testing.assert_allclose(found.A, probed.A, rtol=1e-9)
    # The scale of a filter is no matter, however deep the net.
    small, plain = (sd.theory.mean_filter_sensitivities(task, [c * filters[0]] * 6, stride=1) for c in (1e-30, 1))
    np.testing.assert_allclose(small.D, plain.D, rtol=1e-9)
    np.testing.assert_allclose(small.Delta[:2], plain.Delta[:2] * [1e-60, 1e-120], rtol=1e-9)


def test_filters_that_sum_to_zero_have_no_coherent_noise() -> None:
    task, difference = sd.Task(dim=1, size=32, xi=8), [[1.0, -1.0]]
    noise = sd.Noise(mode="rectified_noise", sigma=1.0)
    found = sd.theory.mean_filter_sensitivities(task, difference, stride=1, noise=noise)
    signed = sd.theory.mean_filter_sensitivities(task, difference, stride=1, noise=sd.Noise(sigma=1.0))
    # Var ReLU(eta) = (1/2 - 1/(2 pi)) sigma^2.
    np.testing.assert_allclose(found.G / signed.G, 0.5 - 0.5 / np.pi, rtol=1e-12)


@pytest.mark.parametrize(
    ("filters", "options", "name"),
    [
        ([], {}, "filters"),
        ([[[1.0]]], {}, r"filters\[0\]"),
        ([[1.0], [np.inf]], {}, r"filters\[1\]"),
        ([np.ones(33)], {}, r"filters\[0\]"),
        ([[1.0, 1.0]], {"stride": 0}, "stride"),
        ([[1.0, 1.0]], {"stride": (1, 2)}, "stride"),
        ([[1.0, 1.0]], {"noise": sd.Noise(match="sample")}, "match"),
        ([np.ones(30)] * 40, {"stride": 2}, "filters"),
    ],
)
def test_bad_arguments_are_named(filters: Any, options: dict[str, Any], name: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name}="):
        sd.theory.mean_filter_sensitivities(sd.Task(dim=1, size=32, xi=8), filters, **{"stride": 1, **options})
