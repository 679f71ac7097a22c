"""Displacement fields at the ends of what sizes, temperatures and displacements may be, and just beyond."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch

import scaledetect as sd
from scaledetect.perturbations.diffeo import Diffeo, fields, warp
from scaledetect.perturbations.diffeo.temperature import SLACK, check_cutoff, largest_cutoff


@pytest.mark.parametrize("images", [(), (5,), (2, 2), (3, 1, 2)])
def test_fields_may_take_all_of_the_memory_that_is_allowed(
    images: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    coefficients = np.ones((*images, 3, 3))
    n_bytes = math.prod(images) * 16**2 * 8
    monkeypatch.setattr(fields, "MOST_BYTES", n_bytes)
    assert sd.displacement_field(coefficients, 16, temperature=2e-3).nbytes == n_bytes
    monkeypatch.setattr(fields, "MOST_BYTES", n_bytes - 1)
    with pytest.raises(ValueError, match=r"^size=16: the fields would take"):
        sd.displacement_field(coefficients, 16, temperature=2e-3)


def test_temperatures_are_allowed_to_both_ends_of_their_range_and_no_further() -> None:
    coefficients = np.ones((1, 2, 3, 3))
    low, high = sd.diffeo_temperature_range(32, 3)
    for temperature in (low * (1 - SLACK), low, high, high * (1 + SLACK)):
        assert sd.displacement_field(coefficients, 32, temperature=temperature).shape == (1, 2, 32, 32)
    for temperature in (0.999 * low, 1.001 * high, 1.9 * high):
        with pytest.raises(ValueError, match=r"^temperature="):
            sd.displacement_field(coefficients, 32, temperature=temperature)


def test_displacements_are_allowed_to_both_ends_of_their_range_and_no_further() -> None:
    images, most = np.zeros((1, 1, 16, 16)), 16 / (np.pi * 3)
    for delta in (0.5 * (1 - SLACK), 0.5, most, most * (1 + SLACK)):
        assert sd.diffeo(images, delta=delta).shape == images.shape
    assert SLACK == 1e-9
    for delta in (0.4995, 1.001 * most, 1.9 * most):
        with pytest.raises(ValueError, match=r"^delta="):
            sd.diffeo(images, delta=delta)


def test_coefficients_of_one_field_have_two_axes() -> None:
    one = sd.displacement_field(np.ones((3, 3)), 16, temperature=2e-3)
    assert one.shape == (16, 16)
    np.testing.assert_array_equal(one, sd.displacement_field(np.ones((5, 3, 3)), 16, temperature=2e-3)[4])
    for shape in ((3,), (3, 4), (2, 4, 3)):
        with pytest.raises(ValueError, match=r"^coefficients="):
            sd.displacement_field(np.ones(shape), 16, temperature=2e-3)
    scalars: list[Any] = [np.ones(()), torch.ones(())]
    for ones in scalars:
        with pytest.raises(ValueError, match=r"^coefficients='array of shape \(\)'"):
            sd.displacement_field(ones, 16, temperature=2e-3)


def test_a_transform_takes_ranges_up_to_both_ends_and_no_further() -> None:
    images = torch.zeros(1, 32, 32)
    ends = {"temperature": sd.diffeo_temperature_range(32, 3), "delta": (0.5, 32 / (3 * math.pi))}
    for name, (low, high) in ends.items():
        inside = (
            low,
            high,
            low * (1 - SLACK),
            high * (1 + SLACK),
            low * (1 - 9e-10),
            high * (1 + 9e-10),
            (high, 2 * high),
            (low / 2, low),
            (low / 2, 2 * high),
        )
        for value in inside:
            assert Diffeo(cutoff=3, **{name: value})(images).shape == images.shape
        for value in (low * (1 - 2e-9), high * (1 + 2e-9), (1.9 * high, 2 * high), (low / 3, low / 2)):
            with pytest.raises(ValueError, match=rf"^{name}=.*must reach into"):
                Diffeo(cutoff=3, **{name: value})(images)
    one = Diffeo(cutoff=(3, 3), delta=(1.0, 1.0))
    assert one == Diffeo((3, 3), None, (1.0, 1.0))
    with pytest.raises(FrozenInstanceError):
        one.cutoff = 4  # type: ignore[misc]
    for bad in ((), (2,), (2, 3, 4)):
        with pytest.raises(ValueError, match=r"^cutoff=.*two numbers"):
            Diffeo(cutoff=bad)  # type: ignore[arg-type]
    for transform in (Diffeo(cutoff=2), Diffeo(cutoff=20), Diffeo(cutoff=(2, 20))):
        assert transform(images).shape == images.shape
    with pytest.raises(ValueError, match=r"^cutoff=21"):
        Diffeo(cutoff=(2, 21))(images)


def test_a_strength_drawn_fills_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uniform over what is allowed of the range: its mean and its ends."""
    drawn: list[float] = []

    def note(images: Any, *, temperature: float, cutoff: int, seed: int) -> Any:
        drawn.append(temperature)
        return images

    monkeypatch.setattr("scaledetect.perturbations.diffeo.transform.diffeo", note)
    low, high = sd.diffeo_temperature_range(32, 3)
    torch.manual_seed(0)
    for _ in range(1000):
        Diffeo(cutoff=3, temperature=(low / 5, 3 * high))(torch.zeros(1, 32, 32))
    share = (np.array(drawn) - low) / (high - low)
    assert 0 <= share.min() < 0.01 < 0.99 < share.max() <= 1
    assert abs(share.mean() - 0.5) < 5 / math.sqrt(12 * 1000)


@pytest.mark.parametrize(("device", "chunk"), [("cpu", 2**16), ("meta", 2**26)])
def test_large_batches_are_warped_by_chunks(device: str, chunk: int) -> None:
    """On a CPU what its caches hold, elsewhere more; the last part may be short. Images without pixels are one part."""
    side = 64 if device == "cpu" else 2**11
    rows = chunk // side**2
    images = torch.zeros(2 * rows + 1, 1, side, side, device=device)
    asked: list[tuple[int, int]] = []

    def field(first: int, last: int) -> torch.Tensor:
        asked.append((first, last))
        return torch.zeros(last - first, 2, side, side, device=device)

    assert warp._by_chunks(images, field).shape == images.shape
    assert asked == [(0, rows), (rows, 2 * rows), (2 * rows, 2 * rows + 1)]
    asked.clear()
    assert warp._by_chunks(images[:rows], field).shape == images[:rows].shape
    assert asked == [(0, rows)]


def test_the_kernel_warps_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images in memory of single or double precision, unless a gradient of them is wanted."""
    images = torch.rand(1, 1, 16, 16)
    calls: list[str] = []
    for name in ("_warp_compiled", "_warp_differentiably"):

        def note(x: Any, *_: Any, name: str = name) -> Any:
            calls.append(name)
            return x

        monkeypatch.setattr(warp, name, note)

    def way(x: Any) -> str:
        sd.diffeo(x, delta=1.0)
        return calls.pop()

    assert {way(images), way(images.double()), way(images.numpy())} == {"_warp_compiled"}
    wanted = images.clone().requires_grad_()
    assert {way(wanted), way(images.half()), way(images.to(torch.bfloat16))} == {"_warp_differentiably"}
    with torch.no_grad():
        assert way(wanted) == "_warp_compiled"


def test_sizes_cutoffs_and_memory_have_their_limits() -> None:
    assert largest_cutoff(4) == 2
    assert largest_cutoff(2**16) == int(2**17 / math.pi)
    for size in (3, 2**16 + 1):
        with pytest.raises(ValueError, match=rf"^size={size}"):
            largest_cutoff(size)
    assert check_cutoff(4096) == check_cutoff(4096, 2**16) == 4096
    for given, side in ((4097, None), (4097, 2**16), (1, None), (21, 32)):
        with pytest.raises(ValueError, match=rf"^cutoff={given}"):
            check_cutoff(given, side)
    # 16 GB of fields are too many by one.
    many = np.broadcast_to(np.ones((3, 3)), (2**34 // (8 * 32**2) + 1, 3, 3))
    with pytest.raises(ValueError, match=r"^size=32: the fields would take 17.2 GB"):
        sd.displacement_field(many, 32, temperature=1e-3)
