"""The constant-filter net against a plain sum over windows."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from scaledetect.nets import ConstantFilterNet, circular_conv, circular_pad


def naive_layer(x: NDArray[np.float64], side: int, stride: int) -> NDArray[np.float64]:
    """Mean over a window of F^d sites that wraps around, at every stride-th site."""
    size = x.shape[0]
    out = np.zeros([-(-size // stride)] * x.ndim)
    for site in np.ndindex(out.shape):
        for offset in itertools.product(range(side), repeat=x.ndim):
            at = [(stride * s + o - (side - 1) // 2) % size for s, o in zip(site, offset, strict=True)]
            out[site] += x[tuple(at)] / side**x.ndim
    return np.maximum(out, 0)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize(("filter_size", "stride"), [(2, 2), (3, 1), (3, 2), (4, 3), ((5, 2, 7), (1, 2, 3)), (1, 1)])
def test_equals_plain_windows(dim: int, filter_size: int, stride: int, torch_dtype: torch.dtype) -> None:
    size, depth = 7, 3
    net = ConstantFilterNet(dim, filter_size, stride, depth).to(torch_dtype)
    x = np.random.default_rng(dim).normal(size=(size,) * dim)
    y = net(torch.from_numpy(x[None, None]).to(torch_dtype))
    for side, step in zip(net.pooling.filter_size, net.pooling.stride, strict=True):
        x = naive_layer(x, side, step)
    assert y.shape == (1, 1, *[net.pooling.sizes(size)[-1]] * dim)
    np.testing.assert_allclose(y[0, 0].numpy(), x, rtol=1e-5, atol=1e-6 if torch_dtype == torch.float32 else 1e-15)


def test_wraps_more_than_once() -> None:
    x = torch.arange(3.0).view(1, 1, 3)
    padded = circular_pad(x, (9,))[0, 0]
    assert padded.tolist() == [(i - 4) % 3 for i in range(11)]


def test_filters_are_exact_in_every_type_and_frozen() -> None:
    net = ConstantFilterNet(2, 3, 1, 2)
    for dtype in (torch.float32, torch.float64, torch.float16, torch.float64):
        net = net.to(dtype)
        for parameter in net.parameters():
            assert not parameter.requires_grad
            assert (parameter == torch.tensor(1 / 9, dtype=dtype)).all()


def test_given_filters_survive_a_change_of_type() -> None:
    net = ConstantFilterNet(1, 2, 2, 1)
    weight = next(net.parameters())
    weight.copy_(torch.tensor([[[0.25, 0.5]]]))
    assert next(net.double().parameters()).tolist() == [[[0.25, 0.5]]]


def test_building_leaves_the_random_state() -> None:
    before = torch.get_rng_state()
    ConstantFilterNet(2, 3, 2, 3)
    circular_conv(1, 3, 4, filter_size=2, stride=2)
    assert torch.equal(before, torch.get_rng_state())


def test_names_its_layers_as_theory_does() -> None:
    net = ConstantFilterNet(1, (2, 3), (2, 1), 2)
    assert net.sensitivity_layers == net.pooling.layers == ("layer1", "layer2")
    assert {"layer1", "layer1.conv", "layer1.relu", "layer2"} <= set(dict(net.named_modules()))


def test_copies_and_pickles() -> None:
    net, x = ConstantFilterNet(1, 3, 2, 3), torch.rand(2, 1, 12)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(twin(x), net(x))


@pytest.mark.parametrize("shape", [(4, 16), (4, 2, 16), (4, 1, 16, 16), (4, 1, 0)])
def test_refuses_wrong_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"dim=1 takes images of shape \(n, 1, L\)"):
        ConstantFilterNet(1)(torch.zeros(shape))


def test_refuses_integers_and_bad_numbers() -> None:
    with pytest.raises(TypeError, match="floating"):
        ConstantFilterNet(1)(torch.zeros((1, 1, 8), dtype=torch.int64))
    for bad in ({"dim": 4}, {"dim": 0}, {"depth": 0}, {"filter_size": 0}, {"stride": (2, 2)}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            ConstantFilterNet(**bad)


@pytest.mark.parametrize(("dim", "size"), [(1, 13), (2, 9), (3, 7)])
@pytest.mark.parametrize(("filter_size", "stride"), [(1, 1), (2, 2), (3, 1), (3, 2), (4, 3), (5, 7)])
def test_sums_of_shifted_maps_equal_the_convolution(dim: int, size: int, filter_size: int, stride: int) -> None:
    conv = circular_conv(dim, 1, 1, filter_size=filter_size, stride=stride, bias=False).double()
    x = torch.rand((3, 1) + (size,) * dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        conv.weight.fill_(filter_size**-dim)
        product = conv(x)
        conv.weight.requires_grad_(False)
        torch.testing.assert_close(conv(x), product, rtol=1e-13, atol=1e-15)
        conv.weight[(0,) * (dim + 2)] += 1e-3
        assert filter_size == 1 or not torch.allclose(conv(x), product, rtol=1e-6)
