"""Functional activations have rows of their own; layers without a row per image are left out; blocks; TorchScript."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import scaledetect as sd
from scaledetect.activations.capture import Capture
from scaledetect.sensitivity import image_sensitivities, sensitivities

TASK = sd.Task(size=8, xi=3)

# Weights are drawn anew: a ReLU may be off.
pytestmark = pytest.mark.filterwarnings("ignore:constant over the images:RuntimeWarning")


def layers_of(net: Any, **options: Any) -> tuple[str, ...]:
    return sensitivities(net, TASK, 100, **options).layers


class Block(nn.Module):
    """Calls functions, in place and not, and a module that is a function itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv1d(1, 1, 3, padding=1), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.conv(x) + 1, inplace=True)
        x = torch.relu_(x).tanh() + functional.gelu(x) * torch.sigmoid(x)
        y: Tensor = self.act(x.relu_())
        return y


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])
        self.relu, self.never = nn.ReLU(), nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return functional.relu(functional.silu(self.relu(x)))


ROWS = ("conv", "relu", "relu:2", "tanh", "gelu", "sigmoid", "relu:3", "act")


def test_functional_activations_are_named_after_the_module_that_calls_them() -> None:
    expected = (*(f"blocks.{k}.{row}" for k in (0, 1) for row in ROWS), "relu", "silu", "relu()", "output")
    assert layers_of(Net()) == expected
    assert layers_of(Net(), layers=["blocks.*.tanh"]) == ("blocks.0.tanh", "blocks.1.tanh")
    assert layers_of(Net(), layers=["silu", "blocks.1.relu:2", "relu()"]) == ("blocks.1.relu:2", "silu", "relu()")
    with pytest.raises(ValueError, match=r"did not run.*these run: blocks.0.conv, blocks.0.relu"):
        layers_of(Net(), layers=["blocks.0.elu"])


class Modules(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.first, self.second = nn.Conv1d(1, 4, 3), nn.ReLU(), nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(self.conv(x)))
        return y


class Functions(Modules):
    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(functional.relu(self.conv(x)), inplace=True)


def test_a_function_measures_as_the_module_in_its_place() -> None:
    modules, functions = Modules(), Functions()
    functions.load_state_dict(modules.state_dict())
    one, other = sensitivities(modules, TASK, 100), sensitivities(functions, TASK, 100)
    assert one.layers == ("conv", "first", "second", "output")
    assert other.layers == ("conv", "relu", "silu", "output")
    for name in ("D", "G", "Delta", "D_stderr"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


def test_traced_nets_and_the_operators_of_exported_ones_have_their_functions() -> None:
    class Operators(Modules):
        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = torch.ops.aten.silu_.default(torch.ops.aten.relu.default(self.conv(x)))
            return y

    assert layers_of(Operators()) == ("conv", "relu", "silu", "output")
    assert layers_of(torch.fx.symbolic_trace(Functions())) == ("conv", "relu", "silu", "output")
    exported = torch.export.ExportedProgram.__new__(torch.export.ExportedProgram)
    with pytest.raises(TypeError, match=r"is an exported program, no module; give net.module\(\)"):
        layers_of(exported)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
def test_torchscript_is_refused_by_name_and_its_output_can_be_measured() -> None:
    traced = torch.jit.trace(Modules(), torch.zeros(7, 1, 8))  # type: ignore[no-untyped-call]
    with pytest.raises(ValueError, match=r"is TorchScript, .* or lambda x: net\(x\)"):
        layers_of(traced)
    with pytest.raises(ValueError, match="net='0': is TorchScript"):
        layers_of(nn.Sequential(traced))
    assert layers_of(lambda x: traced(x)) == ("output",)


def test_modules_of_torch_and_functions_as_modules_have_one_row() -> None:
    class Swish(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.sigmoid(x)

    net = nn.Sequential(nn.PReLU(), nn.Hardtanh(), nn.LogSigmoid(), Swish(), nn.Softplus(), nn.GLU(1))
    assert sensitivities(net, TASK, 100, prepare=lambda x: x.expand(-1, 2, -1)).layers == (*"012345", "output")
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    assert "relu" in layers_of(encoder)


def test_blocks_are_the_children_of_the_net() -> None:
    assert layers_of(Net(), layers="blocks") == ("blocks.0", "blocks.1", "relu", "output")
    assert layers_of(nn.Sequential(nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU())), layers="blocks") == ("0", "output")
    named = nn.Sequential()
    named.add_module("blocks", nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU()))
    assert layers_of(named, layers=["blocks"]) == ("blocks",)


class Windows(nn.Module):
    """Cuts each image in two, as nets with windows do."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.last = nn.Linear(4, 4), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(functional.relu(self.mix(x.reshape(-1, 4))).reshape(len(x), 8))
        return y


def test_layers_without_a_row_per_image_are_left_out_unless_they_are_named() -> None:
    with pytest.warns(RuntimeWarning, match=r"no row for each image.*left out: mix \(4, 4\), relu \(4, 4\)$"):
        s = sensitivities(Windows(), TASK, 100)
    assert s.layers == ("last", "output")
    assert s.config["skipped"] == {"mix": [4, 4], "relu": [4, 4]}
    for named in ("mix", "relu"):
        with pytest.raises(ValueError, match=rf"'{named}'.*\(4, 4\) for 2 images: the first axis must be the image"):
            layers_of(Windows(), layers=[named])
    with pytest.raises(TypeError, match="no row for each image"):
        layers_of(Windows(), layers=["m*"])


class Grid(nn.Module):
    """A bias of seven rows, whatever the images, as nets with relative positions have."""

    def __init__(self) -> None:
        super().__init__()
        self.bias, self.last = nn.Linear(3, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(x.flatten(1) + self.bias(torch.ones(7, 3)).mean(0))
        return y


def test_as_many_rows_as_images_of_the_first_pass_are_no_rows_for_each_image() -> None:
    with pytest.warns(RuntimeWarning, match=r"no row for each image.*left out: bias \(7, 8\)$"):
        s = sensitivities(Grid(), TASK, 100)
    assert s.layers == ("last", "output")


def test_nets_that_work_in_place_on_their_input_see_each_image_once() -> None:
    class AddsInPlace(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.add_(1)

    found: list[Tensor] = []
    with Capture(AddsInPlace()) as capture:
        capture.run(torch.zeros(5, 3), lambda label, activation: found.append(activation.clone()))
    assert len(found) == 1
    assert torch.equal(found[0], torch.ones(5, 3))


def test_too_few_images_are_told_before_the_net_runs() -> None:
    class Never(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise AssertionError("it ran")

    images = torch.rand(40, 1, 8, 8)
    noise = sd.Noise(match="sample")
    for source in (images, list(torch.split(images, 16)), iter(torch.split(images, 16))):
        with pytest.raises(ValueError, match="images='40 images': the jackknife needs one for each of its 50 blocks"):
            image_sensitivities(Never(), source, noise=noise, delta=0.5, cutoff=2)
