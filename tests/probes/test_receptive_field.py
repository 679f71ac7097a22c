"""Effective receptive fields: the theory's, finite differences, limits, and a net left as it was found."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.nets import ConstantFilterNet, circular_conv
from scaledetect.probes import effective_receptive_field

CASES = [
    (1, 2, 2, 6, 64),
    (1, 3, 3, 3, 27),
    (1, 2, 1, 6, 64),
    (1, 3, 1, 8, 64),
    (1, 3, 2, 4, 128),
    (1, 4, 2, 4, 256),
    (1, (5, 2, 4), (1, 2, 3), 3, 120),
    (2, 2, 2, 3, 16),
    (2, 3, 1, 4, 28),
    (3, 2, 2, 2, 8),
    (3, 3, 1, 2, 9),
]


@pytest.mark.parametrize(("dim", "filter_size", "stride", "depth", "size"), CASES)
def test_equals_the_exact_field_of_constant_filters(
    dim: int, filter_size: Any, stride: Any, depth: int, size: int
) -> None:
    net = ConstantFilterNet(dim, filter_size, stride, depth).double()
    fields = effective_receptive_field(net, sd.Task(dim=dim, size=size, xi=3), n=3)
    assert fields.layers == net.pooling.layers
    np.testing.assert_allclose(fields.A, net.pooling.A, rtol=1e-12)


def test_saturates_at_the_size_of_the_image() -> None:
    task = sd.Task(size=8, xi=3)
    slow = effective_receptive_field(ConstantFilterNet(1, 3, 1, 60).double(), task, n=2).A
    assert slow[-1] == pytest.approx(8, rel=1e-5)
    assert (np.diff(slow) > 0).all()
    fast = effective_receptive_field(ConstantFilterNet(1, 2, 2, 6).double(), task, n=2).A
    np.testing.assert_allclose(fast, [2, 4, 8, 8, 8, 8], rtol=1e-12)


@pytest.mark.parametrize("size", [7, 8])
def test_a_fully_connected_layer_sees_the_image_alike(size: int) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * size**2, 5))
    nn.init.constant_(net.get_parameter("1.weight"), 0.3)
    fields = effective_receptive_field(net, torch.rand(4, 3, size, size), layers=["1", "output"])
    np.testing.assert_allclose(fields.A, size, rtol=1e-6)


def random_net() -> nn.Sequential:
    """Smooth, so that differences have a meaning everywhere."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.Tanh(), nn.Conv2d(4, 3, 2)).double()


def naive_weights(net: nn.Module, images: Tensor, channel_mean: Any) -> NDArray[np.float64]:
    """Central differences, pixel by pixel."""
    step, w = 1e-5, np.zeros(images.shape[2:])
    with torch.no_grad():
        for c, u, v in itertools.product(*map(range, images.shape[1:])):
            up, down = images.clone(), images.clone()
            up[:, c, u, v] += step
            down[:, c, u, v] -= step
            w[u, v] += float(((channel_mean(up) - channel_mean(down)) / (2 * step)).abs().mean())
    return w


def test_equals_finite_differences() -> None:
    net, images = random_net(), torch.randn(3, 2, 7, 7, dtype=torch.float64)
    fields = effective_receptive_field(net, images, layers=["1", "2"], dither=0, batch_size=2)
    # Maps of 4 and of 3 sites a side; the central ones are number 2, at pixel 2.5 * 7 / 4 - 0.5, and number 1, at 3.
    for k, (depth, site, centre) in enumerate(((2, 2, 3.875), (3, 1, 3.0))):
        w = naive_weights(net, images, lambda x, depth=depth, site=site: net[:depth](x)[:, :, site, site].mean(dim=1))
        np.testing.assert_allclose(fields.weights[k], w, atol=1e-8)
        offsets = np.array([((u - centre + 3.5) % 7) - 3.5 for u in range(7)])
        total, variance = w.sum(), 0.0
        mean = np.array([(w.sum(axis=1) * offsets).sum(), (w.sum(axis=0) * offsets).sum()]) / total
        for u, v in itertools.product(range(7), repeat=2):
            variance += w[u, v] * ((offsets[u] - mean[0]) ** 2 + (offsets[v] - mean[1]) ** 2) / 2 / total
        assert fields.A[k] == pytest.approx(math.sqrt(1 + 12 * variance), rel=1e-6)


def test_open_borders_take_pixels_where_they_are() -> None:
    # One site that reads the first and the last of eight pixels: neighbours on a circle about site 7.
    net = nn.Conv1d(1, 8, 8, padding="same", bias=False)
    with torch.no_grad():
        net.weight.zero_()
        net.weight[:, :, 3] = 1
    plain = nn.Sequential(nn.Flatten(2), Corners())
    x = torch.rand(2, 1, 8)
    wrapped = effective_receptive_field(plain, x, layers=["1"]).A[0]
    straight = effective_receptive_field(plain, x, layers=["1"], periodic=False).A[0]
    # Offsets from site 4: -4 and 3, or, the image having 8 pixels, the same; a variance of 3.5^2.
    assert wrapped == pytest.approx(straight) == pytest.approx(math.sqrt(1 + 12 * 3.5**2))
    # Two sites of which number 1, at 5.5, counts: -5.5 wraps to 2.5, and 1.5 stays.
    halves = nn.Sequential(Corners(), nn.AvgPool1d(4))
    assert effective_receptive_field(halves, x, layers=["1"]).A[0] == pytest.approx(math.sqrt(1 + 12 * 0.5**2))
    assert effective_receptive_field(halves, x, layers=["1"], periodic=False).A[0] == pytest.approx(
        math.sqrt(1 + 12 * 3.5**2)
    )


class Corners(nn.Module):
    """Every site is the first pixel plus the last."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[..., :1] + x[..., -1:]).expand_as(x)


def test_results_do_not_depend_on_the_batch_size() -> None:
    net, task = sd.nets.get("lenet", in_channels=1).double(), sd.Task(dim=2, size=28, xi=14, gap=2)
    one, other = (effective_receptive_field(net, task, n=7, batch_size=size) for size in (7, 3))
    np.testing.assert_allclose(one.A, other.A, rtol=1e-10)
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-15)


def test_grows_with_depth_in_a_deep_net() -> None:
    net, task = sd.nets.get("vgg11", in_channels=1), sd.Task(dim=2, size=28, xi=14, gap=2)
    fields = effective_receptive_field(net, task, n=8)
    assert fields.layers == net.sensitivity_layers
    # Random 3 x 3 filters: the mean over 64 channels of |N(0, 1)| scatters by a few per cent about a flat 3 x 3.
    assert fields.A[0] == pytest.approx(3, abs=0.3)
    assert (np.diff(fields.A[:5]) > 0).all()


def test_without_dither_an_empty_background_has_no_derivative() -> None:
    net, images = ConstantFilterNet(1, 2, 2, 2), np.zeros((2, 1, 8), dtype=np.float32)
    assert effective_receptive_field(net, images).A.tolist() == [2, 4]
    with pytest.warns(RuntimeWarning, match=r"A is NaN: layer1, layer2"):
        assert np.isnan(effective_receptive_field(net, images, dither=0).A).all()


def test_a_layer_without_a_map_or_a_derivative_is_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.cut, self.broken = nn.Identity(), nn.Identity(), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            self.tokens(x.flatten(2))
            self.cut(x.detach())
            self.broken(x / 0)
            return x

    with pytest.warns(RuntimeWarning, match=r"A is NaN: tokens, cut, broken$"):
        fields = effective_receptive_field(Odd(), torch.rand(2, 1, 8, 8))
    assert fields.A[-1] == 1


def test_prepare_maps_what_the_net_takes() -> None:
    net, x = sd.nets.get("lenet"), torch.rand(3, 1, 20, 20)
    fields = effective_receptive_field(net, x, prepare=lambda x: x.expand(-1, 3, -1, -1))
    assert fields.weights[0].shape == (20, 20)
    assert fields.A[0] == pytest.approx(5, abs=1)


def test_takes_a_function_that_names_its_layers() -> None:
    net = ConstantFilterNet(1, 2, 2, 3).double()

    def function(x: Tensor) -> dict[str, Tensor]:
        first = net.get_submodule("layer1")(x.double())
        return {"first": first, "second": net.get_submodule("layer2")(first)}

    fields = effective_receptive_field(function, sd.Task(size=32, xi=8), n=2)
    assert fields.layers == ("first", "second")
    np.testing.assert_allclose(fields.A, [2, 4], rtol=1e-6)


def test_in_place_modules_do_no_harm() -> None:
    torch.manual_seed(0)
    conv, x = nn.Conv1d(1, 3, 3, padding=1), torch.rand(4, 1, 16)
    fresh = nn.Sequential(nn.ReLU(), conv, nn.ReLU())
    in_place = nn.Sequential(nn.ReLU(inplace=True), conv, nn.ReLU(inplace=True))
    one, other = (effective_receptive_field(net, x) for net in (fresh, in_place))
    np.testing.assert_array_equal(one.A, other.A)
    assert one.A[0] != one.A[1]


@pytest.mark.parametrize("fails", [False, True])
def test_the_net_is_left_as_it_was_found(fails: bool) -> None:
    net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.ReLU(), nn.Dropout(), nn.Conv1d(2, 2, 3)).double()
    net[1].eval()
    net(torch.rand(2, 1, 16, dtype=torch.float64)).sum().backward()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    grads = {name: parameter.grad for name, parameter in net.named_parameters()}
    values = {name: grad.clone() for name, grad in grads.items() if grad is not None}
    images = torch.rand(4, 3 if fails else 1, 16)
    kept = images.clone()
    modes, random = [module.training for module in net.modules()], torch.get_rng_state()
    if fails:
        with pytest.raises(RuntimeError, match="channels"):
            effective_receptive_field(net, images)
    else:
        effective_receptive_field(net, images)
    assert torch.equal(images, kept)
    assert not images.requires_grad
    assert [module.training for module in net.modules()] == modes
    assert all(not module._forward_hooks for module in net.modules())
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is grads[name] for name, parameter in net.named_parameters())
    assert all(torch.equal(parameter.grad, values[name]) for name, parameter in net.named_parameters())  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_off(off: Any) -> None:
    net = ConstantFilterNet(1, 2, 2, 2)
    with off():
        assert effective_receptive_field(net, torch.rand(2, 1, 8)).A.tolist() == [2, 4]


def test_takes_a_circular_net_of_several_channels() -> None:
    net = nn.Sequential(circular_conv(1, 1, 3, filter_size=3, stride=1), nn.Softplus()).double()
    nn.init.constant_(net.get_parameter("0.weight"), 0.5)
    nn.init.zeros_(net.get_parameter("0.bias"))
    fields = effective_receptive_field(net, torch.zeros(2, 1, 9), dither=0)
    np.testing.assert_allclose(fields.A, 3, rtol=1e-12)
    assert fields.to_frame().columns.tolist() == ["layer", "k", "A"]
    with pytest.raises(ValueError, match="read-only"):
        fields.A[0] = 1


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"images": "cifar10"}, r"must be a scaledetect\.Task, a tensor or an ndarray"),
        ({"images": torch.zeros(8, 8)}, "must have shape"),
        ({"images": torch.zeros(0, 1, 8)}, "images in it"),
        ({"images": np.zeros((1, 1, 8), dtype=complex)}, "real"),
        ({"n": 3}, "there are 2 images"),
        ({"n": 0}, "n=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"dither": -1}, "dither=-1"),
        ({"seed": -1}, "seed=-1"),
        ({"layers": ["layer9"]}, "layer9"),
        ({"net": "vgg"}, r"torch\.nn\.Module"),
    ],
)
def test_refuses(changes: dict[str, Any], match: str) -> None:
    arguments: dict[str, Any] = {"net": ConstantFilterNet(1, 2, 2, 2), "images": torch.zeros(2, 1, 8)} | changes
    with pytest.raises((TypeError, ValueError, KeyError), match=match):
        effective_receptive_field(**arguments)
