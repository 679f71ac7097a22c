"""Power of the tests, against simulations of the tests themselves and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from scaledetect.statistics import direction_power, equivalence_power, tolerance_for_power

STUDIES = 20_000


def simulated(n: int, shift: float, scatter: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard errors of normal samples."""
    values = shift + scatter * np.random.default_rng(seed).normal(size=(STUDIES, n))
    return values.mean(axis=1), values.std(axis=1, ddof=1) / math.sqrt(n)


def agrees(share: float, power: float) -> bool:
    return abs(share - power) < 4 * math.sqrt(power * (1 - power) / STUDIES)


@pytest.mark.parametrize(("n", "effect", "hypotheses"), [(5, 0.5, 1), (10, 0.3, 8), (40, 0.15, 8)])
def test_the_power_for_a_direction_is_the_share_of_simulated_studies_that_confirm(
    n: int, effect: float, hypotheses: int
) -> None:
    power = direction_power(effect, 0.31, n, hypotheses=hypotheses)
    mean, stderr = simulated(n, effect, 0.31, seed=n)
    confirmed = mean / stderr > stats.t.isf(0.05 / hypotheses, n - 1)
    assert 0.1 < power < 0.97
    assert agrees(float(confirmed.mean()), power)


@pytest.mark.parametrize(("n", "width", "offset"), [(3, 3.0, 0.0), (5, 1.2, 0.2), (10, 1.0, 0.0), (40, 0.6, 0.15)])
def test_the_power_for_a_prediction_is_the_share_of_simulated_studies_that_confirm(
    n: int, width: float, offset: float
) -> None:
    scatter = 0.46
    power = equivalence_power(width * scatter, scatter, n, offset=offset * scatter, hypotheses=2)
    mean, stderr = simulated(n, offset * scatter, scatter, seed=n)
    confirmed = np.abs(mean) + stats.t.isf(0.025, n - 1) * stderr < width * scatter
    assert 0.1 < power < 0.98
    assert agrees(float(confirmed.mean()), power)


def test_without_an_effect_the_power_is_the_level() -> None:
    assert direction_power(0.0, 0.3, 12, hypotheses=5) == pytest.approx(0.01, rel=1e-9)


def test_at_the_edge_of_the_tolerance_the_power_is_the_level() -> None:
    assert equivalence_power(2.0, 0.3, 20, hypotheses=8, offset=2.0) == pytest.approx(0.05 / 8, rel=1e-4)


@pytest.mark.parametrize("n", [3, 10, 40])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.99])
def test_a_tolerance_found_for_a_power_has_that_power(n: int, power: float) -> None:
    tolerance = tolerance_for_power(0.115, n, power=power, hypotheses=8)
    assert equivalence_power(tolerance, 0.115, n, hypotheses=8) == pytest.approx(power, abs=1e-9)


def test_with_many_seeds_the_tolerance_is_that_of_the_normal_distribution() -> None:
    """2 Phi(x) - 1 = power at x = tolerance/stderr - z_alpha, as the scatter is then known."""
    n = 100_000
    expected = stats.norm.isf(0.1) + stats.norm.isf(0.05)
    assert tolerance_for_power(1.0, n) * math.sqrt(n) == pytest.approx(expected, rel=1e-3)


def test_a_tolerance_scales_with_the_scatter_and_falls_with_seeds() -> None:
    assert tolerance_for_power(0.62, 40) == pytest.approx(2 * tolerance_for_power(0.31, 40), rel=1e-9)
    assert tolerance_for_power(0.31, 40) < tolerance_for_power(0.31, 10) < tolerance_for_power(0.31, 5)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"scatter=0\.0: must be positive"):
        tolerance_for_power(0.0, 40)
    with pytest.raises(ValueError, match="n_seeds=1: must be at least 2"):
        direction_power(0.1, 0.2, 1)
    with pytest.raises(TypeError, match=r"n_seeds=2\.5"):
        direction_power(0.1, 0.2, 2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"power=1\.0: must lie between 0 and 1"):
        tolerance_for_power(0.2, 40, power=1.0)
    with pytest.raises(ValueError, match=r"tolerance=-1\.0: must be positive"):
        equivalence_power(-1.0, 0.2, 40)
    with pytest.raises(ValueError, match="effect=nan: must be finite"):
        direction_power(math.nan, 0.2, 40)
