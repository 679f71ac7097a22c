"""Numbers that sum up a learning curve, against curves whose area and crossing are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaledetect.statistics.learning_curve import area_under_curve, crossing

P = [32, 64, 128, 512]


def test_a_constant_error_is_its_area() -> None:
    assert area_under_curve(P, [0.3] * 4) == pytest.approx(0.3, rel=1e-14)


def test_a_line_on_the_logarithmic_axis() -> None:
    """e = a - b log P: its area is its mean, which is its middle; it crosses a level at exp((a - level) / b)."""
    a, b = 0.9, 0.11
    error = [a - b * math.log(p) for p in P]
    assert area_under_curve(P, error) == pytest.approx(a - b * math.log(math.sqrt(P[0] * P[-1])))
    for level in (0.3, 0.4, error[2]):
        assert crossing(P, error, level) == pytest.approx(math.exp((a - level) / b))


def test_area_against_quadrature() -> None:
    error = [0.5, 0.2, 0.25, 0.02]
    x = np.linspace(math.log(P[0]), math.log(P[-1]), 400_001)
    assert area_under_curve(P, error) == pytest.approx(np.interp(x, np.log(P), error).mean(), abs=1e-6)


def test_neither_depends_on_a_common_factor() -> None:
    error = [0.5, 0.3, 0.12, 0.01]
    assert area_under_curve([7 * p for p in P], error) == pytest.approx(area_under_curve(P, error))
    assert crossing([7 * p for p in P], error) == pytest.approx(7 * crossing(P, error))  # type: ignore[operator]


def test_crossings() -> None:
    assert crossing(P, [0.5, 0.4, 0.3, 0.2]) is None
    assert crossing(P, [0.5, 0.4, 0.3, 0.1]) == pytest.approx(512)
    assert crossing(P, [0.05, 0.4, 0.3, 0.2]) == 32  # an upper bound
    assert crossing(P, [0.5, 0.0, 0.3, 0.0]) == pytest.approx(2 ** (5 + 0.8))  # the first of two
    assert crossing([100], [0.0]) == 100
    assert crossing([100], [0.2]) is None


@pytest.mark.parametrize(
    ("counts", "error", "says"),
    [
        ([1, 2], [0.1], "must have one number for each of P"),
        ([], [], "at least one"),
        ([2, 1], [0.1, 0.1], "must be positive and rise"),
        ([1, 1], [0.1, 0.1], "must be positive and rise"),
        ([0, 1], [0.1, 0.1], "must be positive and rise"),
        ([1, 2], [0.1, math.nan], "must be finite"),
    ],
)
def test_refusals(counts: list[float], error: list[float], says: str) -> None:
    for function in (area_under_curve, crossing):
        with pytest.raises(ValueError, match=says):
            function(counts, error)


def test_an_area_needs_two_points() -> None:
    with pytest.raises(ValueError, match="at least two"):
        area_under_curve([10], [0.1])
