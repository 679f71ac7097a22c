"""Image nets: sizes derived by hand, their layers, their inputs, their seeds; and nets by name."""

from __future__ import annotations

import itertools
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import scaledetect as sd
from scaledetect._base.errors import UnknownNameError
from scaledetect.nets import VGG, EfficientNetB0, FullyConnected, LeNet, ResNet

IMAGE_NETS = [
    name
    for name in sd.nets.names()
    if not name.startswith(("constant_filter", "pooling", "mlp", "global_average", "transformer"))
]
SMALL_NETS = ["lenet", "vgg11", "vgg11_bn", "resnet18", "efficientnet_b0", "fc4"]


def layers_of(net: nn.Module) -> tuple[str, ...]:
    return cast(tuple[str, ...], net.sensitivity_layers)


def size(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


# ---------------------------------------------------------------------- sizes, for 3 channels and 10 classes


def test_size_of_lenet() -> None:
    # 5 x 5 filters and biases: 3 * 6 * 25 + 6 = 456, 6 * 16 * 25 + 16 = 2416. 32 -> 28 -> 14 -> 10 -> 5 sites a side.
    # Linear: 400 * 120 + 120 = 48120, 120 * 84 + 84 = 10164, 84 * 10 + 10 = 850.
    assert size(LeNet()) == 456 + 2416 + 48120 + 10164 + 850 == 62006


def test_size_of_alexnet() -> None:
    # 3 x 3: 27 * 64 + 64 = 1792, 576 * 192 + 192 = 110784, 1728 * 384 + 384 = 663936, 3456 * 256 + 256 = 884992,
    # 2304 * 256 + 256 = 590080. 32 -> 16 (stride) -> 8 -> 4 -> 2 sites a side, so 1024 numbers reach the linear layers:
    # 1024 * 4096 + 4096 = 4198400, 4096^2 + 4096 = 16781312, 4096 * 10 + 10 = 40970.
    by_hand = 1792 + 110784 + 663936 + 884992 + 590080 + 4198400 + 16781312 + 40970
    assert size(sd.nets.get("alexnet")) == by_hand == 23272266


# Convolutions from a to b channels hold 9 a b + b: 3 to 64 1792, 64 to 64 36928, 64 to 128 73856, 128 to 128 147584,
# 128 to 256 295168, 256 to 256 590080, 256 to 512 1180160, 512 to 512 2359808; the linear layer 512 * 10 + 10 = 5130.
VGG_SIZES = {
    "vgg11": 1792 + 73856 + 295168 + 590080 + 1180160 + 3 * 2359808 + 5130,
    "vgg13": 1792 + 36928 + 73856 + 147584 + 295168 + 590080 + 1180160 + 3 * 2359808 + 5130,
    "vgg16": 1792 + 36928 + 73856 + 147584 + 295168 + 2 * 590080 + 1180160 + 5 * 2359808 + 5130,
    "vgg19": 1792 + 36928 + 73856 + 147584 + 295168 + 3 * 590080 + 1180160 + 7 * 2359808 + 5130,
}
# A batch norm holds two numbers a channel.
VGG_CHANNELS = {
    "vgg11": 64 + 128 + 2 * 256 + 4 * 512,
    "vgg13": 2 * 64 + 2 * 128 + 2 * 256 + 4 * 512,
    "vgg16": 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512,
    "vgg19": 2 * 64 + 2 * 128 + 4 * 256 + 8 * 512,
}


@pytest.mark.parametrize(
    ("name", "published"), [("vgg11", 9225610), ("vgg13", 9410122), ("vgg16", 14719818), ("vgg19", 20029514)]
)
def test_size_of_vgg(name: str, published: int) -> None:
    assert size(sd.nets.get(name)) == VGG_SIZES[name] == published
    assert size(sd.nets.get(f"{name}_bn")) == published + 2 * VGG_CHANNELS[name]


def test_size_of_resnet18_and_34() -> None:
    # No biases; a norm of c channels holds 2 c. Stem: 27 * 64 + 128 = 1856.
    # A plain block of c channels: 2 (9 c^2 + 2 c); one that comes from c / 2: 4.5 c^2 + 2 c, then 9 c^2 + 2 c, and the
    # shortcut c^2 / 2 + 2 c.
    plain = {c: 18 * c**2 + 4 * c for c in (64, 128, 256, 512)}
    first = {c: 14 * c**2 + 6 * c for c in (128, 256, 512)}
    ends = 1856 + 5130
    assert size(ResNet("resnet18")) == ends + 2 * plain[64] + sum(first[c] + plain[c] for c in first) == 11173962
    assert size(sd.nets.get("resnet34")) == ends + 3 * plain[64] + sum(
        first[c] + blocks * plain[c] for c, blocks in zip(first, (3, 5, 2), strict=True)
    )
    assert size(sd.nets.get("resnet34")) == 21282122


def test_size_of_resnet50() -> None:
    # A bottleneck of width w, 4 w channels at its ends: 4 w^2 + 9 w^2 + 4 w^2, norms 2 (w + w + 4 w). Its first one
    # comes from 2 w channels (64 = w in the first group): 2 w^2 in place of 4 w^2, and a shortcut 8 w^2 + 8 w.
    plain = {w: 17 * w**2 + 12 * w for w in (64, 128, 256, 512)}
    first = {w: 15 * w**2 + 12 * w + 8 * w**2 + 8 * w for w in (128, 256, 512)}
    first[64] = 14 * 64**2 + 12 * 64 + 4 * 64**2 + 8 * 64
    blocks = {64: 2, 128: 3, 256: 5, 512: 2}
    # The linear layer takes 2048 channels.
    by_hand = 1856 + sum(first[w] + blocks[w] * plain[w] for w in plain) + 2048 * 10 + 10
    assert size(sd.nets.get("resnet50")) == by_hand == 23520842


def test_size_of_efficientnet() -> None:
    def block(a: int, b: int, side: int, expansion: int) -> int:
        h, r = expansion * a, a // 4
        expand = a * h + 2 * h if expansion > 1 else 0
        depthwise, attention = side**2 * h + 2 * h, (h * r + r) + (r * h + h)
        return expand + depthwise + attention + h * b + 2 * b

    widths = [(32, 16), (16, 24), (24, 24), (24, 40), (40, 40), (40, 80), (80, 80), (80, 80), (80, 112), (112, 112)]
    widths += [(112, 112), (112, 192), (192, 192), (192, 192), (192, 192), (192, 320)]
    sides = [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3]
    blocks = [block(a, b, side, 1 if a == 32 else 6) for (a, b), side in zip(widths, sides, strict=True)]
    # Stem 27 * 32 + 64 = 928; linear 320 * 10 + 10 = 3210.
    assert size(EfficientNetB0()) == 928 + sum(blocks) + 3210 == 3598598


@pytest.mark.parametrize("depth", [2, 4, 6])
def test_size_of_fully_connected(depth: int) -> None:
    # 3072 * 64 + 64 = 196672; 64 * 64 + 64 = 4160 between; 64 * 10 without bias.
    assert size(sd.nets.get(f"fc{depth}")) == 196672 + (depth - 2) * 4160 + 640


# ---------------------------------------------------------------------- sizes at another width


def test_width_scales_the_channels_of_vgg() -> None:
    # At width 1/4: 3 to 16, 32, 64, 64, 128, 128, 128, 128 channels, 9 a b + b each, and 128 * 10 + 10.
    channels = (3, 16, 32, 64, 64, 128, 128, 128, 128)
    by_hand = sum(9 * a * b + b for a, b in itertools.pairwise(channels)) + 128 * 10 + 10
    assert size(sd.nets.get("vgg11", width=0.25)) == by_hand == 578410
    assert size(sd.nets.get("vgg11_bn", width=0.25)) == by_hand + 2 * sum(channels[1:])


def test_width_scales_the_channels_of_lenet_and_alexnet() -> None:
    # Twice LeNet: 12 and 32 channels, 240 and 168 units.
    twice = (3 * 12 * 25 + 12) + (12 * 32 * 25 + 32) + (800 * 240 + 240) + (240 * 168 + 168) + (168 * 10 + 10)
    assert size(LeNet(width=2)) == twice
    # A half of a channel is rounded up: 6, 16, 120, 84 become 2, 4, 30, 21.
    quarter = (3 * 2 * 25 + 2) + (2 * 4 * 25 + 4) + (100 * 30 + 30) + (30 * 21 + 21) + (21 * 10 + 10)
    assert size(LeNet(width=0.25)) == quarter
    # AlexNet at 1/4: 16, 48, 96, 64, 64 channels and 1024 hidden units; 2 x 2 sites reach them.
    channels = (3, 16, 48, 96, 64, 64)
    linear = (256 * 1024 + 1024) + (1024**2 + 1024) + (1024 * 10 + 10)
    assert (
        size(sd.nets.get("alexnet", width=0.25)) == sum(9 * a * b + b for a, b in itertools.pairwise(channels)) + linear
    )


def test_width_scales_the_channels_of_residual_nets() -> None:
    # The sums of the test of ResNet18 with groups of 16, 32, 64, 128 channels.
    plain, first = {c: 18 * c**2 + 4 * c for c in (16, 32, 64, 128)}, {c: 14 * c**2 + 6 * c for c in (32, 64, 128)}
    ends = 27 * 16 + 32 + 1290
    by_hand = ends + 2 * plain[16] + sum(first[c] + plain[c] for c in first)
    assert size(ResNet("resnet18", width=0.25)) == by_hand
    # Groups that round to the same width keep their strides.
    assert ResNet((1, 1, 1, 1), width=1e-3)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_width_scales_the_channels_of_efficientnet() -> None:
    shapes = {name: tuple(weight.shape) for name, weight in EfficientNetB0(width=0.25).named_parameters()}
    outputs = [shapes[f"block{k}.project.conv.weight"][0] for k in (1, 2, 4, 6, 9, 12, 16)]
    assert outputs == [4, 6, 10, 20, 28, 48, 80]
    assert shapes["block2.depthwise.conv.weight"] == (24, 1, 3, 3)
    assert shapes["block2.attention.factors.squeeze.weight"] == (1, 24, 1, 1)


@pytest.mark.parametrize("name", [name for name in SMALL_NETS if not name.startswith("fc")])
def test_width_one_is_the_published_net(name: str) -> None:
    plain, one = sd.nets.get(name), sd.nets.get(name, width=1.0)
    shapes = {key: tensor.shape for key, tensor in plain.state_dict().items()}
    assert {key: tensor.shape for key, tensor in one.state_dict().items()} == shapes
    assert size(sd.nets.get(name, width=0.1)) < size(plain) / 20


# ---------------------------------------------------------------------- what they compute


def batch_normalised(x: Tensor, norm: nn.Module) -> Tensor:
    state = norm.state_dict()
    return functional.batch_norm(x, state["running_mean"], state["running_var"], state["weight"], state["bias"])


def test_vgg_is_the_chain_of_its_layers() -> None:
    net, x = VGG((4, "M", 6, 5), in_channels=2, n_classes=3, batch_norm=True).eval(), torch.randn(2, 2, 32, 32)
    state, y = net.state_dict(), x
    for k in (1, 2, 3):
        y = functional.conv2d(y, state[f"layer{k}.conv.weight"], state[f"layer{k}.conv.bias"], padding=1)
        y = batch_normalised(y, net.get_submodule(f"layer{k}.norm")).clamp(min=0)
        y = y.reshape(2, 4, 16, 2, 16, 2).amax(dim=(3, 5)) if k == 1 else y
    y = y.flatten(1) @ state["linear.weight"].T + state["linear.bias"]
    torch.testing.assert_close(net(x), y)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_residual_block_adds_its_input(bottleneck: bool) -> None:
    net = ResNet((1, 1, 1, 2), bottleneck=bottleneck).eval()
    x = torch.rand(2, 2048 if bottleneck else 512, 4, 4)
    last = net.get_submodule("block5")
    y = x
    for k in (1, 2, 3) if bottleneck else (1, 2):
        conv = last.get_submodule(f"branch.conv{k}")
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is None
        y = batch_normalised(functional.conv2d(y, conv.weight, padding=conv.weight.shape[-1] // 2), bn(last, k))
        y = y.clamp(min=0) if k < (3 if bottleneck else 2) else y
    torch.testing.assert_close(last(x), (x + y).clamp(min=0))


def bn(block: nn.Module, k: int) -> nn.Module:
    return block.get_submodule(f"branch.norm{k}")


def test_resnet_halves_the_map_three_times() -> None:
    seen: dict[str, tuple[int, ...]] = {}
    net = ResNet((1, 1, 1, 1), bottleneck=True)
    for name in net.sensitivity_layers[:-1]:
        net.get_submodule(name).register_forward_hook(lambda _m, _x, y, name=name: seen.update({name: tuple(y.shape)}))
    net(torch.zeros(2, 3, 32, 32))
    assert list(seen.values()) == [
        (2, 64, 32, 32),
        (2, 256, 32, 32),
        (2, 512, 16, 16),
        (2, 1024, 8, 8),
        (2, 2048, 4, 4),
    ]


def test_fully_connected_is_scaled_as_the_ntk() -> None:
    net, x = FullyConnected(3, in_channels=1, width=5), torch.randn(2, 1, 32, 32)
    s = {name: value.double() for name, value in net.state_dict().items()}
    h = x.double().flatten(1)
    for name, fan_in in (("layer1.linear", 1024), ("layer2.linear", 5)):
        h = (h @ s[f"{name}.weight"].T / fan_in**0.5 + s[f"{name}.bias"]).clamp(min=0)
    torch.testing.assert_close(net(x).double(), h @ s["linear.weight"].T / 5, rtol=1e-5, atol=1e-6)
    wide = FullyConnected(2, in_channels=1, width=400).state_dict()["layer1.linear.weight"]
    assert abs(float(wide.std()) - 1) < 5 / (2 * wide.numel()) ** 0.5


# ---------------------------------------------------------------------- layers, inputs, seeds


@pytest.mark.parametrize("name", IMAGE_NETS)
def test_names_its_layers_in_order(name: str) -> None:
    net = sd.nets.get(name, in_channels=1, n_classes=3).eval()
    layers = layers_of(net)
    fired: list[str] = []
    least: list[float] = []
    for layer in layers[:-1]:

        def hook(_module: nn.Module, _x: object, y: Tensor, layer: str = layer) -> None:
            fired.append(layer)
            least.append(float(y.min()))

        net.get_submodule(layer).register_forward_hook(hook)
    with torch.no_grad():
        output = net(torch.randn(2, 1, 32, 32))
    assert (*fired, "output") == layers
    assert output.shape == (2, 3)
    assert "efficientnet" in name or min(least) == 0, "maps after ReLU"


@pytest.mark.parametrize("name", SMALL_NETS)
def test_no_module_overwrites_the_output_of_another(name: str) -> None:
    net = sd.nets.get(name, in_channels=1)
    kept: list[tuple[Tensor, Tensor]] = []
    for module in net.modules():
        module.register_forward_hook(lambda _m, _x, y: kept.append((y, y.detach().clone())))
    net(torch.randn(2, 1, 28, 28)).sum().backward()
    assert len(kept) > 5
    assert all(torch.equal(output, copy) for output, copy in kept)


@pytest.mark.parametrize("name", SMALL_NETS)
@pytest.mark.parametrize("sides", [(28, 28), (31, 7), (1, 32)])
def test_smaller_images_are_padded_with_zeros(name: str, sides: tuple[int, int]) -> None:
    net, x = sd.nets.get(name, in_channels=2).eval(), torch.randn(2, 2, *sides)
    framed = torch.zeros(2, 2, 32, 32)
    top, left = (32 - sides[0]) // 2, (32 - sides[1]) // 2
    framed[:, :, top : top + sides[0], left : left + sides[1]] = x
    assert torch.equal(net(x), net(framed))


@pytest.mark.parametrize(
    "shape", [(2, 1, 32, 32), (2, 3, 33, 32), (2, 3, 32, 40), (2, 3, 32), (3, 32, 32), (2, 3, 0, 9)]
)
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(n, 3, height, width\), sides from 1 to 32 pixels"):
        LeNet()(torch.zeros(shape))


def test_refuses_integers() -> None:
    with pytest.raises(TypeError, match=r"x\.float\(\)"):
        LeNet()(torch.zeros((1, 3, 32, 32), dtype=torch.int64))


@pytest.mark.parametrize("name", SMALL_NETS)
def test_a_seed_decides_the_weights_and_nothing_else(name: str) -> None:
    before = torch.get_rng_state()
    one, same, other = (sd.nets.get(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(99)
    again = sd.nets.get(name, seed=1).state_dict()
    for key, value in one.items():
        assert torch.equal(value, same[key])
        assert torch.equal(value, again[key])
    assert any(not torch.equal(value, other[key]) for key, value in one.items())


@pytest.mark.parametrize("name", [name for name in SMALL_NETS if not name.startswith("fc")])
@pytest.mark.parametrize("initialisation", ["he", "he-convolutions"])
def test_he_initialisation_has_variance_two_over_fan_in(name: str, initialisation: str) -> None:
    net = sd.nets.get(name, initialisation=initialisation, seed=1)
    filters = {key: weight for key, weight in net.named_parameters() if weight.ndim == 4 and weight.numel() > 5000}
    assert filters or name == "lenet"
    for weight in filters.values():
        # A variance estimated from n normal numbers has the relative error sqrt(2/n); five of them for each layer.
        ratio = float(weight.detach().var()) * weight[0].numel() / 2
        assert abs(ratio - 1) < 5 * (2 / weight.numel()) ** 0.5
    parameters = dict(net.named_parameters())
    drawn = ("conv.bias", "linear.bias") if initialisation == "he" else ("conv.bias",)
    assert not any(bias.any() for key, bias in parameters.items() if key.endswith(drawn))
    # The output layer has torch's weights where only convolutions are drawn anew.
    born = dict(sd.nets.get(name, seed=1).named_parameters())
    *_, last = (key for key, weight in parameters.items() if weight.ndim == 2)
    assert torch.equal(parameters[last], born[last]) == (initialisation == "he-convolutions")
    assert (not parameters[last.replace("weight", "bias")].any()) == (initialisation == "he")


def test_weights_are_drawn_on_the_cpu_whatever_the_default_device() -> None:
    with torch.device("meta"):
        net = LeNet(seed=3)
    assert torch.equal(net.linear.weight, LeNet(seed=3).linear.weight)


def test_runs_in_double_precision() -> None:
    assert VGG("vgg11", in_channels=1).double()(torch.zeros(1, 1, 28, 28, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: VGG(("M",)), "no convolution"),
        (lambda: VGG((8, *"MMMMMM")), "five times"),
        (lambda: VGG((8, 0)), "configuration=0: must be at least 1"),
        (lambda: VGG((8, "A")), "must be an integer"),
        (lambda: VGG("vgg12"), "did you mean"),
        (lambda: ResNet("resnet20"), "did you mean"),
        (lambda: ResNet((1, 1, 1)), "4 groups"),
        (lambda: ResNet("resnet18", bottleneck=True), "decides it"),
        (lambda: FullyConnected(1), "depth=1: must be from 2"),
        (lambda: LeNet(in_channels=0), "in_channels=0"),
        (lambda: LeNet(n_classes=True), "n_classes=True"),
        (lambda: LeNet(seed=-1), "seed=-1"),
        (lambda: LeNet(initialisation="xavier"), "initialisation='xavier'"),  # type: ignore[arg-type]
        (lambda: LeNet(width=0), "width=0: must be positive"),
        (lambda: VGG(width=1e9), "width=1000000000.0: makes a layer of"),
        (lambda: VGG(width=1e307), "makes a layer of inf channels"),
        (lambda: ResNet(width=True), "width=True"),
    ],
)
def test_refuses_bad_numbers(build: object, match: str) -> None:
    assert callable(build)
    with pytest.raises((TypeError, ValueError, KeyError), match=match):
        build()


# ---------------------------------------------------------------------- by name


def test_every_name_builds() -> None:
    assert {"constant_filter", "lenet", "vgg11_bn", "resnet50", "fc6"} <= set(sd.nets.names())
    assert sd.nets.names() == sorted(sd.nets.names())
    assert isinstance(sd.nets.get("constant_filter", dim=2, depth=3), sd.nets.ConstantFilterNet)


def test_an_unknown_name_lists_the_close_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown net 'vgg11bn': did you mean vgg11_bn"):
        sd.nets.get("vgg11bn")


@pytest.mark.parametrize(("name", "option"), [("vgg11", "batch_norm"), ("resnet18", "bottleneck"), ("lenet", "depth")])
def test_an_unknown_option_lists_those_there_are(name: str, option: str) -> None:
    with pytest.raises(
        TypeError,
        match=rf"{option}=1: '{name}' takes no such option; it takes in_channels, n_classes, width, .*seed",
    ):
        sd.nets.get(name, **{option: 1})
