"""Which layers are measured, and what they are called."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import scaledetect as sd
from scaledetect.sensitivity import sensitivities

TASK = sd.Task(size=8, xi=3)
Pair = namedtuple("Pair", ["left", "right"])


def layers_of(net: Any, **options: Any) -> tuple[str, ...]:
    return sensitivities(net, TASK, 100, **options).layers


class Blocks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv1d(1, 2, 3), nn.GELU())
        self.block2 = nn.Sequential(nn.Conv1d(2, 2, 3), nn.GELU())
        self.never = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block2(self.block1(x))
        return y


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (None, ("block1.0", "block1.1", "block2.0", "block2.1", "output")),
        ("block1", ("block1",)),
        (["block?"], ("block1", "block2")),
        (["*.1", "output"], ("block1.1", "block2.1", "output")),
        (["block2**"], ("block2.0", "block2.1", "block2")),
        (["**"], ("block1.0", "block1.1", "block1", "block2.0", "block2.1", "block2", "output")),
    ],
)
def test_names_and_patterns(layers: Any, found: tuple[str, ...]) -> None:
    assert layers_of(Blocks(), layers=layers) == found


@pytest.mark.parametrize(
    ("layers", "error", "text"),
    [
        (["never"], ValueError, "did not run"),
        (["*.7"], ValueError, "did not run.*these run: block1.0"),
        (["block1:2"], ValueError, "did not run"),
        (["block3"], KeyError, "did you mean block"),
        ([3], TypeError, "names of layers"),
        ("", KeyError, "unknown layer"),
    ],
)
def test_layers_that_are_not_there(layers: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        layers_of(Blocks(), layers=layers)


@dataclass
class Record:
    logits: Tensor
    name: str


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda x: (x, x + 1), ("output.0", "output.1")),
        (lambda x: {"a": x, "b": [x, {"c": x}]}, ("output.a", "output.b.0", "output.b.1.c")),
        (lambda x: Pair(x, x.long()), ("output.left",)),
        (lambda x: Record(x, "x"), ("output.logits",)),
        (lambda x: (x, x.mean(), None), ("output.0",)),
    ],
)
def test_parts_of_an_output(make: Callable[[Tensor], Any], found: tuple[str, ...]) -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return make(x)

    assert layers_of(Net()) == found
    assert layers_of(Net(), layers="output") == found
    assert layers_of(Net(), layers=found[-1]) == found[-1:]


def test_a_recurrent_layer_hands_over_its_sequence() -> None:
    net = nn.Sequential(nn.LSTM(8, 3, num_layers=2, batch_first=True))
    assert layers_of(net) == ("0.0", "output.0")
    assert layers_of(net, layers="0") == ("0.0",)
    with pytest.raises(ValueError, match=r"0\.1\.0.*first axis"):
        layers_of(net, layers="0.1.0")


def test_attention_is_hooked_at_the_module_that_computes_it() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    found = layers_of(encoder)
    assert "layers.0.self_attn.0" in found
    assert "layers.1.linear2" in found
    assert not any("out_proj" in name for name in found)
    assert torch.backends.mha.get_fastpath_enabled()


def test_tokens_first_are_told() -> None:
    class TokensFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Linear(1, 2)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.mix(x.permute(2, 0, 1))
            return y.transpose(0, 1)

    with pytest.warns(RuntimeWarning, match=r"left out: mix \(8, 2, 2\)$"):
        assert layers_of(TokensFirst()) == ("output",)
    with pytest.raises(ValueError, match=r"'mix'.*\(8, 2, 2\).*first axis must be the image"):
        layers_of(TokensFirst(), layers=["mix"])


def test_parametrised_weights_are_no_layers() -> None:
    net = nn.Sequential(parametrizations.weight_norm(nn.Linear(8, 4)), nn.ReLU())
    assert layers_of(net) == ("0", "1", "output")


def test_a_shared_module_answers_to_each_of_its_names() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(8, 8)
            self.two = self.one

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.two(self.one(x))
            return y

    assert layers_of(Shared()) == ("one", "one:2", "output")
    assert layers_of(Shared(), layers=["two"]) == ("two", "two:2")
    assert layers_of(Shared(), layers=["one:2"]) == ("one:2",)


def test_a_module_called_output_is_meant_by_name() -> None:
    net = nn.Sequential()
    net.add_module("first", nn.Linear(8, 4))
    net.add_module("output", nn.Linear(4, 2))
    assert layers_of(net) == ("first", "output")
    assert layers_of(net, layers="output") == ("output",)


def test_an_error_the_net_catches_spoils_no_name() -> None:
    class Fails(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise ArithmeticError

    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fails, self.after = nn.Sequential(Fails()), nn.Sequential(nn.ReLU())

        def forward(self, x: Tensor) -> Tensor:
            try:
                self.fails(x)
            except ArithmeticError:
                x = self.after(x)
            return x

    assert layers_of(Careful()) == ("after.0", "output")


@pytest.mark.parametrize("how", ["whole", "part", "in place"])
def test_compiled_nets_run_eagerly_and_stay_compiled(how: str) -> None:
    plain, net = Blocks(), Blocks()
    net.load_state_dict(plain.state_dict())
    compiled: Any = net
    if how == "whole":
        compiled = torch.compile(net, backend="eager")
    elif how == "part":
        net.block1 = torch.compile(net.block1, backend="eager")  # type: ignore[assignment]
    else:
        net.block1.compile(backend="eager")
    before = (dict(net._modules), net.block1._compiled_call_impl)
    measured, expected = sensitivities(compiled, TASK, 100), sensitivities(plain, TASK, 100)
    assert measured.layers == expected.layers
    assert measured.D.tolist() == expected.D.tolist()
    assert (dict(net._modules), net.block1._compiled_call_impl) == before


def test_a_net_without_its_shapes_yet_is_refused() -> None:
    with pytest.raises(ValueError, match="run the net on one image first"):
        layers_of(nn.LazyConv1d(2, 3))


class Takes(nn.Module):
    """Fails on all but one shape."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != self.shape:
            raise ValueError(f"expected shape {self.shape}")
        return x


@pytest.mark.parametrize(
    ("net", "way_out"),
    [
        (nn.Linear(64, 2), r"x.flatten\(1\)"),
        (Takes(8, 8), r"x.squeeze\(1\)"),
        (Takes(64, 1), "transpose"),
        (nn.Conv2d(3, 2, 3), r"x.expand\(-1, 3, -1, -1\)"),
        (Takes(1, 32, 32), r"functional.pad\(x, \(0, 24, 0, 24\)\)"),
    ],
)
def test_a_form_the_net_takes_is_suggested(net: nn.Module, way_out: str) -> None:
    task = sd.Task(dim=2, size=8, xi=3)
    with pytest.raises(ValueError, match=rf"shape \(2, 1, 8, 8\).*prepare=.*{way_out}") as caught:
        sensitivities(net, task, 100)
    code = str(caught.value).rsplit("prepare=", 1)[1]
    assert len(sensitivities(net, task, 100, prepare=eval(code, {"torch": torch}))) >= 1


def test_what_prepare_returns_is_checked() -> None:
    for prepare, error in ((lambda x: x.numpy(), TypeError), (lambda x: x[:1], ValueError), ("flat", TypeError)):
        with pytest.raises(error, match="prepare"):
            layers_of(nn.Identity(), prepare=prepare)
    with pytest.raises(ValueError, match="what it makes of images"):
        layers_of(nn.Linear(3, 3), prepare=lambda x: x.flatten(1))


def test_an_error_of_the_nets_own_is_passed_on() -> None:
    class Fails(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyError("vocabulary")

    with pytest.raises(KeyError, match="vocabulary"):
        layers_of(Fails())


def test_functions() -> None:
    assert layers_of(lambda x: {"a": x, "b": (x, x)}) == ("a", "b.0", "b.1")
    assert layers_of(lambda x: {"a": x, "b": (x, x)}, layers=["b.*"]) == ("b.0", "b.1")
    assert layers_of(torch.tanh) == ("output",)
    with pytest.raises(ValueError, match="did not run"):
        layers_of(lambda x: {"a": x}, layers=["c"])


def test_two_activations_of_one_name() -> None:
    class Both(nn.Sequential):
        def forward(self, x: Tensor) -> Any:
            return (self[0](x), x)

    with pytest.raises(ValueError, match="name of two activations"):
        layers_of(nn.Sequential(Both(nn.ReLU())), layers=["0.0", "0"])
