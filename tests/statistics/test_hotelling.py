"""Hotelling's joint test: closed forms, invariance, coverage, and the layers it may take."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import scaledetect as sd
from scaledetect.statistics import hotelling, joint_test

FloatArray = NDArray[np.float64]


def rows(n: int, K: int, shift: float = 0.0, seed: int = 0, correlation: float = 0.9) -> FloatArray:
    """Correlated normal layers of scatter .02 to .37."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    values = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * rng.normal(size=(n, K))
    return np.asarray(shift + np.linspace(0.02, 0.37, K) * values)


def test_one_layer_is_students_two_sided_test() -> None:
    x = rows(9, 1, 0.01)
    twin = stats.ttest_1samp(x[:, 0], 0.0)
    found = hotelling(x)
    assert found.statistic == pytest.approx(twin.statistic**2, rel=1e-10)
    assert found.p_value == pytest.approx(twin.pvalue, rel=1e-9)
    assert found.dof == (1, 8)


def test_the_statistic_is_n_times_the_mean_in_units_of_the_covariance() -> None:
    x = rows(12, 3, 0.05)
    covariance = sum(np.outer(row, row) for row in x - x.mean(axis=0)) / 11
    expected = 12 * x.mean(axis=0) @ np.linalg.inv(covariance) @ x.mean(axis=0)
    found = hotelling(x)
    assert found.statistic == pytest.approx(expected, rel=1e-9)
    assert found.p_value == pytest.approx(stats.f.sf(expected * 9 / (3 * 11), 3, 9), rel=1e-9)


def test_it_is_the_largest_squared_t_over_all_combinations_of_layers() -> None:
    """The union-intersection principle: another road to the same number."""
    x = rows(12, 2, 0.05)
    angles = np.linspace(0, math.pi, 200_001)
    combined = x[:, :1] * np.cos(angles) + x[:, 1:] * np.sin(angles) * 0.02
    t = combined.mean(axis=0) / (combined.std(axis=0, ddof=1) / math.sqrt(12))
    assert hotelling(x).statistic == pytest.approx(float(np.square(t).max()), rel=1e-6)


def test_units_and_mixtures_of_layers_are_no_matter() -> None:
    x = rows(15, 4, 0.1)
    mixed = x @ np.random.default_rng(3).normal(size=(4, 4)) * 1e-6
    assert hotelling(mixed).statistic == pytest.approx(hotelling(x).statistic, rel=1e-6)


@pytest.mark.parametrize(("n", "K"), [(40, 13), (12, 4), (50, 7)])
def test_the_truth_is_rejected_as_often_as_stated(n: int, K: int) -> None:
    studies = 600
    p = np.array([hotelling(rows(n, K, seed=seed)).p_value for seed in range(studies)])
    # Kolmogorov's test of uniform p-values: fails once in 10,000 for correct ones.
    assert stats.kstest(p, "uniform").pvalue > 1e-4
    assert abs((p < 0.05).mean() - 0.05) < 4 * math.sqrt(0.05 * 0.95 / studies)


def test_a_chi_squared_in_its_place_rejects_the_truth_a_third_of_the_time() -> None:
    statistics = [hotelling(rows(39, 13, seed=seed)).statistic for seed in range(300)]
    # 0.33 as its share of many simulations, with 4 binomial standard errors.
    rejected = np.asarray(stats.chi2.sf(np.array(statistics), 13)) < 0.05
    assert abs(rejected.mean() - 0.33) < 4 * math.sqrt(0.33 * 0.67 / 300)


def test_a_shift_of_one_layer_is_found() -> None:
    x = rows(40, 5)
    x[:, 2] += 0.1
    assert hotelling(x).p_value < 1e-6


@pytest.mark.parametrize(
    ("n", "K", "layers"),
    [
        (12, 4, (1, 2, 3, 4)),
        (12, 7, (1, 3, 5, 7)),
        (12, 12, (1, 5, 8, 12)),
        (40, 12, tuple(range(1, 13))),
        (6, 7, (1, 7)),
        (5, 7, (7,)),
    ],
)
def test_at_most_a_third_as_many_layers_as_rows_evenly_spaced(n: int, K: int, layers: tuple[int, ...]) -> None:
    found = hotelling(rows(n, K))
    assert found.layers == layers
    assert found.dof == (len(layers), n - len(layers))


def test_the_layers_named_are_the_layers_tested() -> None:
    x = rows(12, 7, 0.1)
    found = hotelling(x, layers=(6, 2))
    assert found.layers == (2, 6)
    assert found.statistic == pytest.approx(hotelling(x[:, [1, 5]]).statistic, rel=1e-12)


def test_layers_that_are_not_finite_are_left_out_and_named() -> None:
    x = rows(12, 4)
    x[3, 1] = math.nan
    x[0, 3] = -math.inf
    found = hotelling(x)
    assert (found.layers, found.left_out) == ((1, 3), (2, 4))
    assert found.p_value == hotelling(x[:, [0, 2]]).p_value


def test_bad_input_is_named() -> None:
    x = rows(12, 5)
    with pytest.raises(ValueError, match=r"layers=\(1, 2, 3, 4, 5\): must be at most 4 with 12 rows"):
        hotelling(x, layers=(1, 2, 3, 4, 5))
    with pytest.raises(ValueError, match=r"different numbers within 1\.\.5"):
        hotelling(x, layers=(0,))
    with pytest.raises(TypeError, match="must be integers"):
        hotelling(x, layers=(1.5,))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"differences=\(2, 5\)"):
        hotelling(x[:2])
    with pytest.raises(ValueError, match="scatter over rows must be positive"):
        hotelling(np.ones((12, 2)))
    with pytest.raises(ValueError, match="choose fewer layers"):
        hotelling(np.column_stack([x[:, 0], 2 * x[:, 0]]))
    with pytest.raises(ValueError, match="at least one layer must be finite"):
        hotelling(np.full((12, 2), math.nan))
    x[0, 0] = math.nan
    with pytest.raises(ValueError, match=r"layers \(1,\) are not finite"):
        hotelling(x, layers=(1, 2))


TASK = sd.Task(size=16, xi=4, labelling="block")


@pytest.fixture(scope="module")
def measured() -> sd.Sensitivities:
    return sd.sensitivities(sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3), TASK, 10_000)


@pytest.fixture(scope="module")
def exact() -> sd.Sensitivities:
    return sd.theory.sensitivities(TASK, filter_size=2, stride=2, depth=3)


def test_of_one_layer_the_joint_test_is_its_z(measured: sd.Sensitivities, exact: sd.Sensitivities) -> None:
    # D is exactly 0 from layer 2 on: only the first can be tested.
    test = joint_test(measured, exact)
    assert (test.layers, test.left_out, test.n_rows) == ((1,), (2, 3), 50)
    assert test.statistic == pytest.approx(measured.z(exact)["D"][0] ** 2, rel=1e-9)
    assert test.p_value == pytest.approx(2 * stats.t.sf(abs(measured.z(exact)["D"][0]), 49), rel=1e-9)


def test_the_joint_test_finds_a_bias_that_no_single_z_shows(
    measured: sd.Sensitivities, exact: sd.Sensitivities
) -> None:
    fine = joint_test(measured, exact, "G")
    assert fine.layers == (1, 2, 3)
    assert fine.p_value > 1e-3  # at level .001, the draws are fixed
    # Layers move together: a prediction that is too high in one and too low in the next is seen at once.
    bent = sd.Sensitivities.from_arrays(
        D=measured.D, G=measured.G + 1.5 * measured.G_stderr * [1, -1, 1], layers=exact.layers
    )
    assert np.abs(measured.z(bent)["G"]).max() < 1.6
    assert joint_test(measured, bent, "G").p_value < 1e-4


def test_what_the_joint_test_cannot_decide_is_told(measured: sd.Sensitivities, exact: sd.Sensitivities) -> None:
    with pytest.raises(ValueError, match="it is no measurement"):
        joint_test(exact, exact)
    with pytest.raises(ValueError, match="errors of its own"):
        joint_test(measured, measured)
    with pytest.raises(ValueError, match="other layers"):
        joint_test(measured, sd.Sensitivities.from_arrays(D=[1.0]))
    with pytest.raises(ValueError, match="seen often enough in no layer"):
        joint_test(measured, sd.Sensitivities.from_arrays(G=exact.G, layers=exact.layers), "D")
