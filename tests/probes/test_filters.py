"""Shuffled, mean-field and Gaussian copies: what they change, what they keep, and what they refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

import scaledetect as sd
from scaledetect.nets import VGG, ConstantFilterNet, circular_conv
from scaledetect.probes import filter_spectrum, gaussian_filters, mean_field_filters, shuffle_channels
from scaledetect.sensitivity import sensitivities

Probe = Callable[[nn.Module], nn.Module]
PROBES: list[Probe] = [shuffle_channels, mean_field_filters, gaussian_filters]


def weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: module.weight.detach() for name, module in net.named_modules() if isinstance(module, nn.Conv2d)}


# ---------------------------------------------------------------------- all three


@pytest.mark.parametrize("probe", PROBES)
def test_the_original_is_left_alone(probe: Probe) -> None:
    net = VGG((4, "M", 4), in_channels=2, batch_norm=True)
    first = net.get_submodule("layer1").eval()
    net.get_parameter("layer2.conv.weight").requires_grad_(False)
    heard: list[int] = []
    first.register_forward_hook(lambda *_: heard.append(1))
    net(torch.randn(2, 2, 8, 8)).sum().backward()
    state, grad = copy.deepcopy(net.state_dict()), net.linear.weight.grad
    modes, random = [module.training for module in net.modules()], torch.get_rng_state()
    storages = {name: value.data_ptr() for name, value in net.state_dict().items()}
    twin = probe(net)
    assert type(twin) is VGG
    assert {name: value.data_ptr() for name, value in net.state_dict().items()} == storages
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[name])
        if not name.endswith("conv.weight"):
            assert torch.equal(value, twin.state_dict()[name])
    assert net.linear.weight.grad is grad
    assert [module.training for module in net.modules()] == [module.training for module in twin.modules()] == modes
    assert [p.requires_grad for p in net.parameters()] == [p.requires_grad for p in twin.parameters()]
    assert torch.equal(torch.get_rng_state(), random)
    with torch.no_grad():
        twin(torch.randn(2, 2, 8, 8))
        assert len(heard) == 2, "hooks come along"
        for parameter in twin.parameters():
            parameter.fill_(7)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items()), "shares no memory"


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_keeps_the_type(probe: Probe, dtype: torch.dtype) -> None:
    twin = probe(VGG((4, 4), in_channels=1).to(dtype))
    assert {value.dtype for value in twin.state_dict().values()} == {dtype}


@pytest.mark.parametrize("probe", [shuffle_channels, gaussian_filters])
def test_a_seed_decides(probe: Callable[[nn.Module, int], nn.Module]) -> None:
    net = VGG((6, 6), in_channels=3)
    one, same, other = (weights(probe(net, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(ValueError, match="seed=-1"):
        probe(net, -1)


def complex_conv() -> nn.Module:
    return nn.Conv1d(1, 1, 2, dtype=torch.complex64)


def pruned_conv() -> nn.Module:
    conv: nn.Module = prune.l1_unstructured(nn.Conv2d(2, 2, 3), "weight", 0.5)  # type: ignore[no-untyped-call]
    return conv


class Stubborn(nn.Conv1d):
    def __deepcopy__(self, memo: Any) -> Any:
        raise RuntimeError("holds a lock")


class Quantised(nn.Module):
    """What `torch.ao.nn.quantized.Conv1d` looks like from outside."""

    class Conv1d(nn.Module):
        def weight(self) -> None: ...

    def __init__(self) -> None:
        super().__init__()
        self.inner = self.Conv1d()


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: nn.Linear(2, 2), "has no torch.nn.Conv1d"),
        (lambda: "net", r"must be a torch\.nn\.Module"),
        (lambda: nn.LazyConv2d(3, 3), "run the net on an image first"),
        (lambda: nn.Conv2d(1, 1, 1, device="meta"), "no values"),
        (complex_conv, "complex"),
        (lambda: Stubborn(1, 1, 2), r"cannot be copied by copy\.deepcopy \(holds a lock\)"),
        (lambda: parametrizations.weight_norm(nn.Conv2d(2, 2, 3)), "computed from other tensors"),
        (pruned_conv, "computed from other tensors"),
        (Quantised, "inner.*is a quantised convolution"),
    ],
)
@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_refuses_what_it_cannot_handle(probe: Probe, build: Callable[[], nn.Module], match: str) -> None:
    with pytest.raises((TypeError, ValueError), match=match):
        probe(build())


def test_a_spectrum_needs_no_plain_weights() -> None:
    conv = parametrizations.weight_norm(nn.Conv2d(2, 2, 3))
    assert filter_spectrum(conv).P[0].sum() == pytest.approx(1)


def test_a_compiled_net_is_unwrapped() -> None:
    net = VGG((4, 4), in_channels=1)
    assert type(shuffle_channels(torch.compile(net, backend="eager"))) is VGG  # type: ignore[arg-type]


def test_ties_stay_tied() -> None:
    first, second = nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)
    second.weight = first.weight
    twin = shuffle_channels(nn.Sequential(first, second, first), seed=1)
    assert isinstance(twin, nn.Sequential)
    assert twin[0] is twin[2]
    assert twin[1].weight is twin[0].weight


# ---------------------------------------------------------------------- shuffling


def test_one_permutation_of_the_inputs_for_all_outputs() -> None:
    for seed in range(5):
        net = VGG((7, 5), in_channels=6)
        shuffled = weights(shuffle_channels(net, seed))
        for name, before in weights(net).items():
            order = [int((before[0, :] == filters).all(dim=(1, 2)).nonzero()) for filters in shuffled[name][0]]
            assert sorted(order) == list(range(before.shape[1]))
            assert torch.equal(shuffled[name], before[:, order])


def test_every_order_comes_up() -> None:
    conv = nn.Conv2d(3, 1, 1, bias=False)
    conv.weight.data = torch.arange(3.0).view(1, 3, 1, 1)
    counts: dict[tuple[float, ...], int] = {}
    for seed in range(600):
        order = tuple(weights(shuffle_channels(conv, seed))[""].flatten().tolist())
        counts[order] = counts.get(order, 0) + 1
    # Six orders, 100 each on average; chi squared with 5 degrees of freedom exceeds 25.7 once in 10^4.
    assert len(counts) == 6
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 25.7


def test_channels_stay_in_their_group() -> None:
    conv = nn.Conv2d(12, 8, 2, groups=2)
    before = weights(conv)[""]
    orders: set[tuple[int, ...]] = set()
    for seed in range(5):
        after = weights(shuffle_channels(conv, seed))[""]
        for rows in (slice(0, 4), slice(4, 8)):
            order = [int((before[rows][0] == filters).all(dim=(1, 2)).nonzero()) for filters in after[rows][0]]
            assert sorted(order) == list(range(6))
            assert torch.equal(after[rows], before[rows][:, order])
            orders.add(tuple(order))
    assert len(orders) == 10, "each group has its own"


@pytest.mark.parametrize("conv", [nn.Conv2d(6, 12, 3, groups=6), nn.Conv2d(1, 12, 3)])
def test_one_input_channel_has_nothing_to_shuffle(conv: nn.Conv2d) -> None:
    assert torch.equal(weights(shuffle_channels(conv))[""], conv.weight)


@pytest.mark.parametrize("name", ["vgg11_bn", "resnet18", "efficientnet_b0"])
def test_shuffling_changes_no_spectrum(name: str) -> None:
    net = sd.nets.get(name)
    shuffled = shuffle_channels(net, seed=3)
    changed = [not torch.equal(a, b) for a, b in zip(weights(net).values(), weights(shuffled).values(), strict=True)]
    assert sum(changed) > len(changed) / 2
    for one, other in zip(filter_spectrum(net).P, filter_spectrum(shuffled).P, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_net_of_equal_channels_does_not_notice() -> None:
    net, x = mean_field_filters(VGG((5, "M", 5), in_channels=1)), torch.randn(3, 1, 32, 32)
    for layer in ("layer1", "layer2"):
        nn.init.zeros_(net.get_parameter(f"{layer}.conv.bias"))
    torch.testing.assert_close(shuffle_channels(net, 1)(x), net(x))


# ---------------------------------------------------------------------- mean field, Gaussian


def test_every_filter_is_the_mean_filter() -> None:
    net = sd.nets.get("efficientnet_b0")
    before, after = weights(net), weights(mean_field_filters(net))
    for name, w in before.items():
        mean = w.double().numpy().mean(axis=(0, 1))
        np.testing.assert_allclose(after[name].numpy(), np.broadcast_to(mean, w.shape), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("groups", [1, 2])
def test_gaussian_filters_have_the_moments_of_each_pixel(groups: int) -> None:
    conv = nn.Conv2d(100, 200, 3, groups=groups)
    with torch.no_grad():
        conv.weight.mul_(torch.arange(1.0, 10.0).view(3, 3)).add_(torch.linspace(-1, 1, 9).view(3, 3))
    old, new = (w.double().numpy() for w in (weights(conv)[""], weights(gaussian_filters(conv, 5))[""]))
    n, std = old.shape[0] * old.shape[1], old.std(axis=(0, 1))
    assert (np.abs(new.mean(axis=(0, 1)) - old.mean(axis=(0, 1))) < 5 * std / n**0.5).all()
    assert (np.abs(new.std(axis=(0, 1)) / std - 1) < 5 / (2 * n) ** 0.5).all()
    standard = (new - old.mean(axis=(0, 1))) / std
    # Gaussian, where the original is uniform; pixels and channels independent.
    assert abs((standard**4).mean() - 3) < 5 * (96 / standard.size) ** 0.5
    correlations = np.corrcoef(standard.reshape(n, 9).T) - np.eye(9)
    assert np.abs(correlations).max() < 5 / n**0.5
    halves = standard.reshape(2, -1)
    assert abs((halves[0] * halves[1]).mean()) < 5 / halves.shape[1] ** 0.5


def test_gaussian_filters_without_spread_are_the_mean_field() -> None:
    net = mean_field_filters(VGG((4, 4), in_channels=1).double())
    for name, w in weights(gaussian_filters(net, 1)).items():
        torch.testing.assert_close(w, weights(net)[name])


# ---------------------------------------------------------------------- theory

TASK = sd.Task(size=64, xi=16)
NOISE = sd.Noise(mode="rectified_noise")


def channels_net(width: int) -> nn.Sequential:
    """Filters that are constant in space, each with a positive weight of its own, F = s = 2, three layers."""
    rng, net = np.random.default_rng(0), nn.Sequential()
    for k, (a, b) in enumerate(((1, width), (width, width), (width, width))):
        conv = circular_conv(1, a, b, filter_size=2, stride=2, bias=False)
        conv.weight.data = torch.from_numpy(rng.uniform(0.1, 1, size=(b, a, 1))).expand(b, a, 2).clone()
        net.add_module(f"conv{k + 1}", conv)
        net.add_module(f"layer{k + 1}", nn.ReLU())
    return net


def test_the_mean_field_of_one_constant_filter_is_itself() -> None:
    net, x = ConstantFilterNet(2, 3, 2, 3), torch.rand(2, 1, 16, 16)
    twin = mean_field_filters(net)
    assert isinstance(twin, ConstantFilterNet)
    assert twin.pooling == net.pooling
    assert torch.equal(twin(x), net(x))


@pytest.mark.parametrize("probe", [lambda net: net, mean_field_filters, shuffle_channels])
def test_constant_filters_follow_the_theory(probe: Probe) -> None:
    layers = ("layer1", "layer2", "layer3")
    measured = sensitivities(probe(channels_net(4)), TASK, 4000, noise=NOISE, layers=layers)
    same_draws = sensitivities(ConstantFilterNet(1, 2, 2, 3).double(), TASK, 4000, noise=NOISE)
    exact = sd.theory.sensitivities(TASK, filter_size=2, stride=2, depth=3, noise=NOISE)
    # On images without negative pixels each channel is a multiple of the one map of the constant-filter net.
    for name in ("D", "G", "R"):
        np.testing.assert_allclose(getattr(measured, name), getattr(same_draws, name), rtol=1e-9)
        assert np.abs(measured.z(exact)[name]).max() < 5
