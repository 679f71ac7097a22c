"""Layers without a sensitivity: constant, or not finite. They are named, and do not spoil the others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.results.jackknife import _leave_out, _normalisation, flaw_of
from scaledetect.sensitivity import sensitivities
from scaledetect.sensitivity.batching import Group
from scaledetect.sensitivity.layer_sums import LayerSums
from scaledetect.sensitivity.row_sums import KernelSums

TASK = sd.Task(size=16, xi=4)


class Parallel(nn.Module):
    """Three layers side by side: a sound one, one that depends on `kind`, a sound one."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.first, self.bad, self.last = kind, nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = {
            "nan": torch.where(x == x.amax(), math.nan, x),
            "inf": torch.where(x == x.amax(), math.inf, x),
            "constant": torch.full_like(x, 0.1),
            "rounding": 1000 + x * 1e-9,
            "mean": 3 * x.mean(dim=2, keepdim=True) / 7,
        }[self.kind]
        self.bad(y)
        self.last(self.first(x) + 1)
        return x


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(kind, dtype) for kind in ("nan", "inf", "constant", "mean") for dtype in (torch.float32, torch.float64)]
    + [("rounding", torch.float32)],
)
def test_a_bad_layer_is_named_and_spoils_no_other(kind: str, dtype: torch.dtype) -> None:
    reason = "not finite" if kind in ("nan", "inf") else "constant"
    with pytest.warns(RuntimeWarning, match=f"{reason}.*: bad$"):
        measured = sensitivities(Parallel(kind), TASK, 200, layers=["first", "bad", "last"], dtype=dtype)
    bad = measured.layers.index("bad")
    assert np.isnan(measured.D[bad])
    assert np.isnan(measured.G[bad])
    assert np.isfinite(np.delete(measured.D, bad)).all()
    assert np.isfinite(np.delete(measured.G, bad)).all()
    assert np.isfinite(np.delete(measured.R, bad)).all()


def test_on_images_the_warning_speaks_of_images() -> None:
    """It said "constant over the task" there too, where there is none."""
    last = nn.Linear(256, 2)
    nn.init.zeros_(last.weight)
    net = nn.Sequential(nn.Flatten(), last)
    with pytest.warns(RuntimeWarning, match=r"^constant over the images \(Delta") as caught:
        sd.image_sensitivities(net, torch.rand(50, 1, 16, 16), layers=["output"])
    assert not any("task" in str(one.message) for one in caught)


def test_only_a_perturbed_version_is_not_finite() -> None:
    class Log(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.sqrt(x)

    with pytest.warns(RuntimeWarning, match="not finite.*: output"):
        measured = sensitivities(Log(), TASK, 200, layers=["output"])
    assert np.isnan(measured.D[0])
    assert np.isfinite(measured.Delta[0])


def test_ratio_is_missing_only_where_the_noise_response_is_zero() -> None:
    """A layer that sees where pixels are but no noise has D and no R; one that sees noise only has R = 0."""

    class Where(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.place, self.small = nn.Identity(), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            self.small(torch.where(x.abs() < 1, x, 0.0) + x.amax(dim=2, keepdim=True).round())
            y: Tensor = self.place((x > 1).to(x.dtype))
            return y

    measured = sensitivities(Where(), TASK, 200, noise=sd.Noise(sigma=1e-6), layers=["place"])
    assert measured.D[0] > 0
    assert measured.G[0] == 0
    assert np.isnan(measured.R[0])
    assert measured.G_events is not None
    assert measured.G_events[0] == 0
    assert measured.rare[0]


def test_small_fluctuations_in_float32_are_still_measured() -> None:
    """A layer whose fluctuations are a thousandth of its mean, as at the start of training, is no constant."""
    with torch.no_grad():
        plain = nn.Conv1d(1, 1, 1)
        plain.weight.fill_(1e-3)
        plain.bias.fill_(1.0)  # type: ignore[union-attr]
    measured = sensitivities(plain, TASK, 200, noise=sd.Noise(sigma=1.0))
    exact = sensitivities(plain, TASK, 200, noise=sd.Noise(sigma=1.0), dtype=torch.float64)
    np.testing.assert_allclose(measured.D, exact.D, rtol=1e-3)
    np.testing.assert_allclose(measured.G, exact.G, rtol=1e-3)


class Offset(nn.Module):
    """A layer of fluctuations about a constant: E|f|^2 is (offset / scale)^2 times as large, or so."""

    def __init__(self, offset: float, scale: float) -> None:
        super().__init__()
        self.offset, self.scale = offset, scale

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.offset + self.scale * (x / x.amax())
        return y


@pytest.mark.parametrize(
    ("dtype", "name", "works"),
    [(torch.bfloat16, "bfloat16", 0.5), (torch.float16, "float16", 0.05)],
    ids=["bfloat16", "float16"],
)
def test_half_precision_measures_what_it_can_and_names_the_way_out(dtype: torch.dtype, name: str, works: float) -> None:
    """Rounding is eps^2 E|f|^2 / 6 or so in Delta: 100 eps^2 leaves D right to 2 %; far below all is rounding."""
    exact = sensitivities(Offset(1.0, works), TASK, 200, noise=sd.Noise(sigma=1.0), dtype=torch.float64)
    measured = sensitivities(Offset(1.0, works), TASK, 200, noise=sd.Noise(sigma=1.0), dtype=dtype)
    np.testing.assert_allclose(measured.D, exact.D, rtol=0.02)
    small = Offset(1.0, works / 20)
    with pytest.warns(RuntimeWarning, match=rf"constant.*100 eps\^2.*eps of {name}; measure with dtype=torch\.float32"):
        coarse = sensitivities(small, TASK, 200, noise=sd.Noise(sigma=1.0), dtype=dtype)
    assert np.isnan(coarse.D[0])
    fine = sensitivities(small, TASK, 200, noise=sd.Noise(sigma=1.0), dtype=torch.float32)
    assert np.isfinite(fine.D[0])


def test_overflow_in_float16_names_the_way_out() -> None:
    class Large(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * 60_000

    with pytest.warns(RuntimeWarning, match=r"not finite; measure with dtype=torch\.float32, so D and G are NaN"):
        assert np.isnan(sensitivities(Large(), TASK, 100, dtype=torch.float16).D[0])
    assert np.isfinite(sensitivities(Large(), TASK, 100, dtype=torch.float32).D[0])


def test_channels_are_averaged_in_float32_at_least() -> None:
    """The mean of 4,096 channels of float16 near 1 is right to the rounding of each, 2^-11, and not to that of sums."""

    class Wide(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            ramp = torch.linspace(0.5, 1.5, 4096, dtype=torch.float64).reshape(1, -1, 1)
            return (ramp * (1 + x.double() / 8)).to(x.dtype)

    options: dict[str, Any] = {"noise": sd.Noise(sigma=1.0), "channel_mean": True}
    half, exact = (sensitivities(Wide(), TASK, 100, dtype=t, **options) for t in (torch.float16, torch.float64))
    np.testing.assert_allclose(half.D, exact.D, rtol=2e-3)
    np.testing.assert_allclose(half.Delta, exact.Delta, rtol=2e-3)


@pytest.mark.parametrize(
    ("eps", "threshold", "rule"),
    [
        (2.0**-52, 1000 * 2.0**-52, "1000 eps E|f|^2, eps of float64)"),
        (2.0**-23, 100 * 2.0**-46, "100 eps^2 E|f|^2, eps of float32)"),
        (2.0**-10, 100 * 2.0**-20, "100 eps^2 E|f|^2, eps of float16; measure with dtype=torch.float32)"),
        (2.0**-7, 100 * 2.0**-14, "100 eps^2 E|f|^2, eps of bfloat16; measure with dtype=torch.float32)"),
    ],
)
def test_the_threshold_of_a_constant_layer(eps: float, threshold: float, rule: str) -> None:
    """1000 eps of float64 or 100 eps^2 of the layer's type, whichever is larger, itself included."""
    for energy in (1.0, 8.0):
        assert flaw_of(1.0, 1.0, threshold * energy * (1 + 1e-12), energy, eps) is None
        assert flaw_of(1.0, 1.0, threshold * energy, energy, eps) == f"constant over the images (Delta <= {rule}"
    assert flaw_of(0.0, 0.0, 1.0, 1.0, eps) is None
    assert flaw_of(0.0, 0.0, 0.0, 0.0, eps) is not None


def test_the_energy_of_a_layer_is_that_of_all_draws() -> None:
    f = torch.arange(1.0, 13.0, dtype=torch.float64).view(12, 1)
    layer = LayerSums(blocks=4, classes=1, channel_mean=False, rows=KernelSums())
    layer.add(f.repeat(3, 1), Group(0, 3))
    sums = layer.finish()
    *_, energy = _normalisation(sums, _leave_out(sums.counts))
    assert energy == pytest.approx(float(f.square().mean()), rel=1e-12)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_one_number_that_is_not_finite_is_a_flaw(place: int, value: float) -> None:
    numbers = [1.0, 1.0, 1.0]
    numbers[place] = value
    deformed, noisy, delta = numbers
    assert flaw_of(deformed, noisy, delta, 1.0, 2.0**-23) == "activations are not finite"
