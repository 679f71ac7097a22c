"""Channel means of finite nets: theory to first order in 1/width against nets drawn by the thousand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import scaledetect as sd
from scaledetect.results import Pooling
from scaledetect.theory import at_initialisation
from scaledetect.theory.initialisation.channel_means import kernel_fluctuation
from scaledetect.theory.initialisation.wide_net import WideNet, layer_distances

FloatArray = NDArray[np.float64]

WIDTH, DEPTH = 64, 3


def two_images() -> tuple[FloatArray, FloatArray]:
    x, y = np.zeros((2, 8))
    x[[1, 4]] = y[[1, 6]] = 2.0
    return x, y


def distances_of_nets(n: int, filter_size: int, stride: int, rng: np.random.Generator) -> FloatArray:
    """|m(x) - m(y)|^2 of channel means of `n` nets, shape (n, DEPTH), by plain matrix products."""
    h = np.broadcast_to(np.stack(two_images())[None, :, None, :], (n, 2, 1, 8))
    found = []
    for _ in range(DEPTH):
        side, channels = h.shape[3], h.shape[2]
        starts = range(0, side, stride)
        seen = [[(r - (filter_size - 1) // 2 + o) % side for o in range(filter_size)] for r in starts]
        patches = h[:, :, :, np.array(seen)].transpose(0, 1, 3, 2, 4).reshape(n, 2 * len(seen), -1)
        weights = rng.standard_normal((n, patches.shape[2], WIDTH)) / math.sqrt(channels * filter_size)
        z = patches @ weights + rng.standard_normal((n, 1, WIDTH))
        h = math.sqrt(2) * np.maximum(z, 0).reshape(n, 2, len(seen), WIDTH).swapaxes(2, 3)
        mean = h.mean(axis=2)
        found.append(np.square(mean[:, 0] - mean[:, 1]).sum(axis=1))
    return np.stack(found, axis=1)


@pytest.mark.parametrize(("filter_size", "stride"), [(2, 2), (3, 1)])
def test_first_order_in_one_over_width_is_what_nets_do(filter_size: int, stride: int) -> None:
    rng = np.random.default_rng(7)
    measured = np.concatenate([distances_of_nets(200, filter_size, stride, rng) for _ in range(12)])
    error = measured.std(axis=0, ddof=1) / math.sqrt(len(measured))
    images = [image[:, None] for image in two_images()]
    net = WideNet(1, Pooling.of(filter_size, stride, DEPTH))
    pair = [(0, 1)]
    full, mean = np.array([(d.full[0, 0], d.mean[0, 0]) for d in layer_distances(net, images, pair)]).T
    fluctuation = np.array([v[0, 0] for v in kernel_fluctuation(net, images, pair)])
    # 2400 nets: |z| < 5 fails once in 1e6. The next order is 1/width of what the first adds, less than an error.
    assert (np.abs(measured.mean(axis=0) - (mean + (full - mean + fluctuation) / WIDTH)) < 5 * error).all()
    # Without the fluctuation of the kernel the deepest layer is missed.
    assert measured[:, -1].mean() - (mean + (full - mean) / WIDTH)[-1] > 5 * error[-1]


def test_the_first_layer_has_a_fixed_kernel() -> None:
    images = [image[:, None] for image in two_images()]
    first, *_ = kernel_fluctuation(WideNet(1, Pooling.of(2, 2, 2)), images, [(0, 1)])
    assert first.tolist() == [[0.0]]


def test_equal_images_have_equal_channel_means() -> None:
    x = two_images()[0][:, None]
    for part in kernel_fluctuation(WideNet(1, Pooling.of(2, 2, 3)), [x, x.copy()], [(0, 1)]):
        assert abs(part[0, 0]) < 1e-6


def test_infinite_width_leaves_the_mean_activations_alone() -> None:
    task = sd.Task(size=16, xi=5)
    options: dict[str, Any] = {"filter_size": 3, "stride": 1, "depth": 2, "channel_mean": True, "n": 400}
    wide, wider = (at_initialisation(task, width=width, **options) for width in (10**8, 10**9))
    np.testing.assert_allclose(wide.D, wider.D, rtol=1e-5)
    narrow = at_initialisation(task, width=1, **options)
    assert (narrow.Delta > wide.Delta).all()


def test_channel_means_of_wide_nets_are_as_the_theory_says() -> None:
    task = sd.Task(size=16, xi=5)
    options: dict[str, Any] = {"filter_size": 2, "stride": 2, "depth": 2}
    t = at_initialisation(task, **options, width=128, channel_mean=True, n=2000)
    nets = [sd.nets.PoolingNet(dim=1, width=128, seed=seed, **options) for seed in range(8)]
    measured = [sd.sensitivities(net, task, n=600, seed=seed, channel_mean=True) for seed, net in enumerate(nets)]
    curves = np.array([s.D for s in measured])
    # Student's t with 7 degrees of freedom: |t| < 9 fails once in 2e4.
    error = np.hypot(curves.std(axis=0, ddof=1) / math.sqrt(len(nets)), t.D_stderr)
    assert (np.abs(curves.mean(axis=0) - t.D) < 9 * error).all()
