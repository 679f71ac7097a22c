"""The paper's trained net: its formula, its first weights, and what it refuses."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import scaledetect as sd
from scaledetect.nets import NetSpec, PoolingNet
from scaledetect.nets.pooling import Gain


def by_loops(net: PoolingNet, image: NDArray[np.float64]) -> float:
    """SPEC section 5 for one image, site by site and channel by channel, from the weights alone."""
    h = image[None]
    for layer, side, stride in zip(net.layers, net.pooling.filter_size, net.pooling.stride, strict=True):
        w, b = (layer.conv.get_parameter(name).detach().double().numpy() for name in ("weight", "bias"))
        size = h.shape[1]
        out = -(-size // stride)
        gain = math.sqrt(2) if net.gain == "critical" else math.sqrt(side**net.dim)
        new = np.zeros((len(w), *(out,) * net.dim))
        for site in itertools.product(range(out), repeat=net.dim):
            z = b.copy()
            for offset in itertools.product(range(side), repeat=net.dim):
                place = tuple((i * stride - (side - 1) // 2 + o) % size for i, o in zip(site, offset, strict=True))
                at = h.reshape(len(h), -1)[:, np.ravel_multi_index(place, h.shape[1:])]
                z = z + np.moveaxis(w, (0, 1), (-2, -1))[offset] @ at / math.sqrt(len(h) * side**net.dim)
            new.reshape(len(w), -1)[:, np.ravel_multi_index(site, new.shape[1:])] = gain * np.maximum(z, 0)
        h = new
    beta = net.readout.weight.detach().double().numpy()[0]
    return float(beta @ h.reshape(len(h), -1).mean(1) / len(h) + net.readout.bias.item())


@pytest.mark.parametrize("gain", ["critical", "paper"])
@pytest.mark.parametrize(
    ("dim", "size", "filter_size", "stride", "depth"),
    [(1, 12, 2, 2, 3), (1, 9, 3, 1, 2), (1, 7, (3, 4), (2, 1), 2), (2, 5, (2, 3), (2, 1), 2), (3, 4, 2, 2, 2)],
)
def test_formula(dim: int, size: int, filter_size: int, stride: int, depth: int, gain: Gain) -> None:
    net = PoolingNet(dim, filter_size, stride, depth, width=3, gain=gain, seed=4).double()
    images = np.random.default_rng(0).normal(size=(2, *(size,) * dim))
    found = net(torch.from_numpy(images)[:, None]).detach().numpy()[:, 0]
    assert found == pytest.approx([by_loops(net, image) for image in images], rel=1e-12)


@pytest.mark.parametrize("gain", ["critical", "paper"])
@pytest.mark.parametrize(("filter_size", "stride"), [(2, 2), (3, 1)])
@torch.no_grad()
def test_second_moment_obeys_the_recursion(filter_size: int, stride: int, gain: Gain) -> None:
    X, _ = sd.sample_images(sd.Task(dim=1, size=64, xi=16), 4, replace=True)
    seen = []
    for seed in range(400):
        net, h, moments = PoolingNet(1, filter_size, stride, 4, width=8, gain=gain, seed=seed), torch.from_numpy(X), []
        for layer in net.layers:
            h = layer(h)
            moments.append(h.square().mean().item())
        seen.append(moments)
    expected, q = [], 1.0
    factor = 2.0 if gain == "critical" else float(filter_size)
    for _ in range(4):
        q = factor * (q + 1) / 2
        expected.append(q)
    z = (np.mean(seen, 0) - expected) / (np.std(seen, 0, ddof=1) / math.sqrt(len(seen)))
    assert np.abs(z).max() < 5, z


def test_a_seed_decides_the_weights_and_moves_no_global_state() -> None:
    before = torch.get_rng_state()
    one, same, other = (PoolingNet(width=4, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    weights = torch.cat([p.flatten() for p in PoolingNet(width=64).parameters()])
    assert abs(weights.mean()) < 5 / math.sqrt(weights.numel())
    assert abs(weights.var() - 1) < 5 * math.sqrt(2 / weights.numel())


def test_output_is_nearly_the_bias_at_the_start() -> None:
    X, _ = sd.sample_images(sd.Task(dim=1, size=64, xi=16), 50)
    net = PoolingNet(width=1000, seed=3)
    assert (net(torch.from_numpy(X)) - net.readout.bias).abs().max() < 0.3


def test_measured_layers_are_the_post_relu_maps() -> None:
    net = PoolingNet(depth=3, width=4)
    s = sd.sensitivities(net, sd.Task(dim=1, size=32, xi=8), 200)
    assert s.layers == ("layer1", "layer2", "layer3")
    assert s.A is not None and pytest.approx([2, 4, 8]) == s.A


def test_options_build_its_like() -> None:
    net = PoolingNet(2, (2, 3), (2, 1), 2, width=5, gain="paper")
    like = PoolingNet(**net.options)
    assert [p.shape for p in like.parameters()] == [p.shape for p in net.parameters()]
    assert repr(like) == repr(net)
    spec = NetSpec.of(net)
    assert spec == NetSpec("pooling", net.options) and hash(spec) == hash(NetSpec("pooling", net.options))
    assert eval(repr(spec)) == spec
    built = zip(spec.build(7).parameters(), PoolingNet(**net.options, seed=7).parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in built)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dim": 4}, "dim=4"),
        ({"width": 0}, "width=0"),
        ({"width": 2.5}, "width=2.5"),
        ({"depth": 0}, "depth=0"),
        ({"filter_size": (2, 2), "depth": 3}, "filter_size=(2, 2)"),
        ({"gain": "large"}, "gain='large'"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_refuses(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=r".*") as error:
        PoolingNet(**options)
    assert says in str(error.value)


def test_refuses_images_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"takes images of shape \(n, 1, L\)"):
        PoolingNet(width=2)(torch.zeros(2, 3, 8))
    with pytest.raises(TypeError, match="must be a floating tensor"):
        PoolingNet(width=2)(torch.zeros(2, 1, 8, dtype=torch.int64))


@pytest.mark.parametrize(
    ("name", "options", "error", "says"),
    [
        ("poling", {}, KeyError, "did you mean pooling"),
        ("pooling", {"widht": 3}, ValueError, "it takes dim, filter_size"),
        ("pooling", {"seed": 3}, ValueError, "holds a seed"),
        ("constant_filter", {}, ValueError, "nothing to train"),
    ],
)
def test_spec_refuses(name: str, options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        NetSpec(name, options)
