"""Sums of layers too large to keep a vector for each block: exact values, and error bars from sketches."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from helpers.activations import Twin, naive_images
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.results import BlockSums
from scaledetect.sensitivity import image_sensitivities, merge, sensitivities
from scaledetect.sensitivity.batching import Group
from scaledetect.sensitivity.layer_sums import LayerSums
from scaledetect.sensitivity.row_sums import KernelSums, RowSums, TorchSums

TASK = sd.Task(dim=2, size=16, xi=4)
NAMES = ("D", "G", "R", "Delta")


class Wide(nn.Module):
    """Four layers of 2,048 numbers, three times what a sketch has: maps, and a dense one whose numbers all differ."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.conv = nn.Conv2d(1, 8, 3, padding=1)
            self.dense = nn.Linear(256, 2048)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        self.relu(self.conv(x))
        y: Tensor = self.dense(x.flatten(1)).tanh()
        return y

    def steps(self, x: Tensor) -> dict[str, Tensor]:
        conv, dense = self.conv(x), self.dense(x.flatten(1))
        return {"conv": conv, "relu": conv.relu(), "dense": dense, "tanh": dense.tanh(), "output": dense.tanh()}


@cache
def expected(n: int) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """Values and errors of each layer by naive sums over the activations of `n` draws of seed 3."""
    net = Wide().double()
    with torch.no_grad():
        steps = [net.steps(torch.as_tensor(x)) for x in naive_images(TASK, n, sd.Noise(), 3)]
    clean, deformed, noisy = ({name: np.asarray(f) for name, f in step.items()} for step in steps)
    twins = {name: Twin(clean[name], deformed[name], noisy[name]) for name in clean}
    return {name: (twin.values(), twin.errors()) for name, twin in twins.items()}


def assert_values_exact_errors_close(found: sd.Sensitivities) -> None:
    """Values to 1e-10; errors of D, G and R within 4 %, of Delta, a quarter of a percent itself, within 20 %.

    The jackknife of 50 blocks knows an error to 10 %, 1/sqrt(98); with both, to 11 %. What sketches of m numbers add
    to the error of Delta is some 4/(n sqrt(m)) of it: it tells where Delta hardly scatters.
    """
    for k, name in enumerate(found.layers):
        values, errors = expected(found.n)[name]
        for key in NAMES:
            assert getattr(found, key)[k] == pytest.approx(values[key], rel=1e-10), (name, key)
            off = 0.2 if key == "Delta" else 0.04
            assert getattr(found, f"{key}_stderr")[k] == pytest.approx(errors[key], rel=off), (name, key)


@pytest.mark.parametrize(("n", "batch_size"), [(100, None), (400, 21)])
def test_a_sketched_layer_has_exact_values_and_close_errors(n: int, batch_size: int | None) -> None:
    found = sensitivities(Wide().double(), TASK, n, seed=3, batch_size=batch_size, keep_sums=True)
    assert found.sums is not None
    assert {sums.sketches.shape for sums in found.sums.values()} == {(50, 2, 655)}
    assert_values_exact_errors_close(found)


def test_shards_of_sketched_layers_merge() -> None:
    parts = [sensitivities(Wide().double(), TASK, 200, seed=3, start=start, keep_sums=True) for start in (0, 200)]
    assert_values_exact_errors_close(merge(parts))


def test_a_population_of_sketched_layers_is_exact() -> None:
    """Every number of a layer repeated ten times leaves D as it is and multiplies Delta by ten."""
    task = sd.Task(dim=1, size=8, xi=3)

    class Repeated(nn.Module):
        def __init__(self, times: int) -> None:
            super().__init__()
            self.times = times

        def forward(self, x: Tensor) -> Tensor:
            return (x.flatten(1).cumsum(1).sin() + 1).repeat(1, self.times)

    few = sensitivities(Repeated(1), task, "all", dtype=torch.float64)
    many = sensitivities(Repeated(1000), task, "all", dtype=torch.float64)
    np.testing.assert_allclose(many.D, few.D, rtol=1e-12)
    np.testing.assert_allclose(many.Delta, 1000 * few.Delta, rtol=1e-12)
    np.testing.assert_allclose(many.G_stderr, few.G_stderr, rtol=1e-9)


def sums_of(*rows: RowSums, dtype: torch.dtype, width: int, group: int) -> tuple[BlockSums, ...]:
    """Twelve batches, which move the reference twice, of 6 draws in turn over 6 blocks of 2 classes."""
    layers = [LayerSums(blocks=6, classes=2, channel_mean=False, rows=one) for one in rows]
    generator = torch.Generator().manual_seed(0)
    for number in range(12):
        batch = (5 + torch.randn(18, width, generator=generator, dtype=torch.float64)).to(dtype)
        for layer in layers:
            layer.add(batch, Group(6 // group * number % 12, group))
    return tuple(layer.finish() for layer in layers)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("width", "group"), [(7, 1), (5000, 1), (5000, 3), (200_000, 2)])
def test_kernels_and_torch_agree(dtype: torch.dtype, width: int, group: int) -> None:
    one, other = sums_of(KernelSums(), TorchSums(), dtype=dtype, width=width, group=group)
    # Of 200,000 numbers, added one after the other in float32: sqrt(2e5) roundings of 2^-24.
    tolerance = 3e-5 if dtype == torch.float32 else 1e-12
    for name in ("deformed", "noisy", "squares"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=tolerance, err_msg=name)
    for name in ("totals", "sketches", "reference"):
        scale = np.abs(getattr(one, name)).max()
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance * scale, err_msg=name)
    np.testing.assert_array_equal(one.counts, other.counts)
    assert one.counts.sum() == 72
    assert one.deformed_events == other.deformed_events == 72


def test_totals_stay_exact_when_the_reference_moves() -> None:
    """Sums over all blocks are those of the activations, in spite of sketches three times shorter than a vector."""
    (sums,) = sums_of(KernelSums(), dtype=torch.float64, width=20_000, group=1)
    assert sums.sketches.shape[-1] == 1024
    generator = torch.Generator().manual_seed(0)
    batches = [5 + torch.randn(18, 20_000, generator=generator, dtype=torch.float64)[:6] for _ in range(12)]
    v = torch.cat(batches).numpy() - sums.reference
    classes = np.concatenate([(6 * number + np.arange(6)) % 2 for number in range(12)])
    for c in (0, 1):
        np.testing.assert_allclose(sums.totals[c], v[classes == c].sum(axis=0), atol=1e-9)
        assert sums.squares[:, c].sum() == pytest.approx(np.square(v[classes == c]).sum(), rel=1e-12)


def test_layers_of_different_types_share_a_measurement() -> None:
    """Layers in float64, float32 and float16 side by side are those of nets that have one of them."""

    class Cast(nn.Module):
        def __init__(self, *dtypes: torch.dtype) -> None:
            super().__init__()
            self.casts = nn.ModuleDict({str(dtype).split(".")[1]: nn.Identity() for dtype in dtypes})

        def forward(self, x: Tensor) -> Tensor:
            for name, module in self.casts.items():
                module((x / 16).sin().repeat(1, 2, 1, 1).to(getattr(torch, name)))
            return x

    types = (torch.float32, torch.float64, torch.float16, torch.float64, torch.float32)
    mixed = sensitivities(Cast(*types), TASK, 200, dtype=torch.float64)
    assert mixed.layers == ("casts.float32", "casts.float64", "casts.float16", "output")
    for dtype in types[:3]:
        name = f"casts.{str(dtype).split('.')[1]}"
        alone = sensitivities(Cast(dtype), TASK, 200, dtype=torch.float64)
        for key in NAMES:
            assert getattr(mixed, key)[mixed.layers.index(name)] == getattr(alone, key)[0]
    # The types differ as far as they must: rounding of 2^-11 and 2^-24.
    exact = mixed.D[1]
    assert 0 < abs(mixed.D[0] / exact - 1) < 1e-6 < abs(mixed.D[2] / exact - 1) < 1e-3


def test_unequal_blocks_of_images_in_sketched_layers() -> None:
    """130 images in 50 blocks: values are those of 130 images, whatever the batches."""
    images = torch.rand(130, 1, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    options: dict[str, Any] = {"noise": sd.Noise(sigma=0.1), "dtype": torch.float64, "cutoff": 2}
    one, other = (image_sensitivities(Wide(), images, batch_size=size, **options) for size in (None, 20))
    for key in NAMES:
        np.testing.assert_allclose(getattr(one, key), getattr(other, key), rtol=1e-11)
        off = 0.2 if key == "Delta" else 0.04
        np.testing.assert_allclose(getattr(one, f"{key}_stderr"), getattr(other, f"{key}_stderr"), rtol=off)
