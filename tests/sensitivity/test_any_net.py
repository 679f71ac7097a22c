"""Nets of many kinds against the twin that stores every activation, computed without a hook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers.activations import Twin, naive_images
from torch import Tensor, nn
from torch.nn import functional

import scaledetect as sd
from scaledetect.perturbations.diffeo import diffeo
from scaledetect.sensitivity import image_sensitivities, sensitivities

TASK = sd.Task(dim=2, size=6, xi=3, gap=1, periodic=False)
Steps = dict[str, Tensor]


class Random(nn.Module):
    """A net with random weights whose `steps` computes all activations with functions only."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.build()

    def build(self) -> None:
        raise NotImplementedError

    def steps(self, x: Tensor) -> Steps:
        raise NotImplementedError


class Conv(Random):
    def build(self) -> None:
        self.net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.GELU(), nn.Conv2d(3, 2, 2, stride=2), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.net(x)
        return y

    def steps(self, x: Tensor) -> Steps:
        one, two = (layer for layer in self.net if isinstance(layer, nn.Conv2d))
        a = functional.conv2d(x, one.weight, one.bias)
        b = functional.gelu(a)
        c = functional.conv2d(b, two.weight, two.bias, stride=2)
        return {"net.0": a, "net.1": b, "net.2": c, "net.3": c.flatten(1), "output": c.flatten(1)}


class Residual(Random):
    """In-place ReLU called twice, and an addition into a branch."""

    def build(self) -> None:
        self.conv1, self.conv2 = nn.Conv2d(1, 3, 1), nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        y = self.conv2(x)
        y += x
        z: Tensor = self.relu(y)
        return z

    def steps(self, x: Tensor) -> Steps:
        a = functional.conv2d(x, self.conv1.weight, self.conv1.bias)
        b = a.clamp(min=0)
        c = functional.conv2d(b, self.conv2.weight, self.conv2.bias, padding=1)
        d = (b + c).clamp(min=0)
        return {"conv1": a, "relu": b, "conv2": c, "relu:2": d, "output": d}


class Transformer(Random):
    """Rows of the image are its tokens; the layer's fused path would run past every module inside."""

    def build(self) -> None:
        self.layer = nn.TransformerEncoderLayer(6, 2, dim_feedforward=5, batch_first=True)
        for parameter in self.layer.parameters():
            nn.init.normal_(parameter, std=0.5)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x.flatten(1, 2))
        return y

    def steps(self, x: Tensor) -> Steps:
        x, net = x.flatten(1, 2), self.layer
        attention = self.attention(x)
        norm1 = self.normalised(x + attention, net.norm1)
        linear1 = norm1 @ net.linear1.weight.T + net.linear1.bias
        linear2 = linear1.clamp(min=0) @ net.linear2.weight.T + net.linear2.bias
        norm2 = self.normalised(norm1 + linear2, net.norm2)
        named = {
            "self_attn.0": attention, "dropout1": attention, "norm1": norm1, "linear1": linear1,
            "relu": linear1.clamp(min=0), "dropout": linear1.clamp(min=0),
            "linear2": linear2, "dropout2": linear2, "norm2": norm2,
        }  # fmt: skip
        return {**{f"layer.{name}": f for name, f in named.items()}, "output": norm2}

    def attention(self, x: Tensor) -> Tensor:
        module = self.layer.self_attn
        q, k, v = (x @ module.in_proj_weight.T + module.in_proj_bias).chunk(3, dim=2)
        heads = []
        for a, b, c in zip(q.chunk(2, 2), k.chunk(2, 2), v.chunk(2, 2), strict=True):
            heads.append(torch.softmax(a @ b.transpose(1, 2) / 3**0.5, dim=2) @ c)
        return torch.cat(heads, 2) @ module.out_proj.weight.T + module.out_proj.bias

    @staticmethod
    def normalised(x: Tensor, norm: nn.LayerNorm) -> Tensor:
        centred = x - x.mean(2, keepdim=True)
        scaled = centred / (centred.square().mean(2, keepdim=True) + norm.eps).sqrt()
        return scaled * norm.weight + norm.bias


class Reuse(Random):
    def build(self) -> None:
        self.mix = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            x = torch.tanh(self.mix(x))
        return x

    def steps(self, x: Tensor) -> Steps:
        kept = {}
        for call in ("", ":2", ":3"):
            kept[f"mix{call}"] = x @ self.mix.weight.T + self.mix.bias
            kept[f"tanh{call}"] = x = 1 - 2 / (torch.exp(2 * kept[f"mix{call}"]) + 1)
        return {**kept, "output": x}


class Returns(Random):
    """A recurrent layer, whose hidden state has no row per image first, and nested outputs."""

    def build(self) -> None:
        self.head = nn.Linear(36, 3)

    def forward(self, x: Tensor) -> dict[str, Any]:
        y = self.head(x.flatten(1))
        return {"logits": y, "hidden": (torch.sin(y), None, [y.exp()]), "labels": y.argmax(1)}

    def steps(self, x: Tensor) -> Steps:
        y = x.flatten(1) @ self.head.weight.T + self.head.bias
        return {"head": y, "output.logits": y, "output.hidden.0": torch.sin(y), "output.hidden.2.0": y.exp()}


NETS: list[type[Random]] = [Conv, Residual, Transformer, Reuse, Returns]
KEYS = ("D", "G", "R", "Delta")


def assert_is_twin(measured: sd.Sensitivities, twins: dict[str, Twin]) -> None:
    assert measured.layers == tuple(twins)
    for k, twin in enumerate(twins.values()):
        values, errors = twin.values(), twin.errors()
        for key in KEYS:
            assert getattr(measured, key)[k] == pytest.approx(values[key], rel=1e-10)
            assert getattr(measured, key + "_stderr")[k] == pytest.approx(errors[key], rel=1e-7)


def twins_of(steps: Callable[[Tensor], Steps], versions: Any, classes: int) -> dict[str, Twin]:
    with torch.no_grad():
        clean, deformed, noisy = (steps(torch.as_tensor(x)) for x in versions)
    return {
        name: Twin(np.asarray(f), np.asarray(deformed[name]), np.asarray(noisy[name]), classes=classes)
        for name, f in clean.items()
    }


@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("batch_size", [None, 33])
def test_equals_the_twin_of_all_pairs(kind: type[Random], batch_size: int | None) -> None:
    net, n = kind().double(), 200
    measured = sensitivities(net, TASK, n, seed=3, batch_size=batch_size)
    assert_is_twin(measured, twins_of(net.eval().steps, naive_images(TASK, n, sd.Noise(), 3), 2))


@pytest.mark.parametrize("kind", NETS)
def test_a_function_is_measured_like_a_net(kind: type[Random]) -> None:
    net = kind().double().eval()
    measured = sensitivities(net.steps, TASK, 100, dtype=torch.float64)
    hooked = sensitivities(net, TASK, 100)
    assert measured.layers == hooked.layers
    np.testing.assert_allclose(measured.D, hooked.D, rtol=1e-9)


@pytest.mark.parametrize("kind", [Conv, Transformer])
def test_images_equal_the_twin_of_all_pairs(kind: type[Random]) -> None:
    net = kind().double()
    images = torch.rand(150, 1, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    options: dict[str, Any] = {"delta": 0.6, "cutoff": 2, "noise": sd.Noise(sigma=0.3), "seed": 5}
    measured = image_sensitivities(net, images, **options)
    met: list[Tensor] = []

    def identity(x: Tensor) -> dict[str, Tensor]:
        met.append(x.clone())
        return {"x": x}

    image_sensitivities(identity, images, **options, dtype=torch.float64, batch_size=450)
    # All versions of all images in the last pass, in another order.
    versions = met[-1].chunk(3)
    order = torch.cdist(images.flatten(1), versions[0].flatten(1)).argmin(dim=1)
    clean, deformed, noisy = (x[order] for x in versions)
    np.testing.assert_array_equal(clean, images)
    np.testing.assert_array_equal(deformed, diffeo(images, delta=0.6, cutoff=2, seed=5))
    assert_is_twin(measured, twins_of(net.eval().steps, (clean, deformed, noisy), 1))
