"""Layers without a sensitivity: constant, or not finite. They are named, and do not spoil the others."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.sensitivity import sensitivities

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
