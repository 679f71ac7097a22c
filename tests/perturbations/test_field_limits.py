"""Displacement fields at the ends of what sizes, temperatures and displacements may be, and just beyond."""

from __future__ import annotations

import math

import numpy as np
import pytest

import scaledetect as sd
from scaledetect.perturbations.diffeo import fields


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
    for temperature in (low, high):
        assert sd.displacement_field(coefficients, 32, temperature=temperature).shape == (1, 2, 32, 32)
    for temperature in (0.999 * low, 1.001 * high, 1.9 * high):
        with pytest.raises(ValueError, match=r"^temperature="):
            sd.displacement_field(coefficients, 32, temperature=temperature)


def test_displacements_are_allowed_to_both_ends_of_their_range_and_no_further() -> None:
    images, most = np.zeros((1, 1, 16, 16)), 16 / (np.pi * 3)
    for delta in (0.5, most):
        assert sd.diffeo(images, delta=delta).shape == images.shape
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
