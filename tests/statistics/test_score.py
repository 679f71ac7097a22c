"""Score of a prediction: a naive twin, misses and hits, and simulations of whole studies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scaledetect.statistics import Score, score

FloatArray = NDArray[np.float64]

LN10 = math.log(10) ** 2


def study(rng: np.random.Generator, n: int = 40, K: int = 7, *, correlation: float = 0.9) -> FloatArray:
    """True curves of n nets about 1: correlated layers whose logarithms scatter more and more with depth."""
    common = rng.normal(size=(n, 1))
    values = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * rng.normal(size=(n, K))
    return np.asarray(np.exp(np.linspace(0.02, 0.37, K) * values))


def naive(predicted: FloatArray, measured: FloatArray) -> float:
    """The definition, by loops, for numbers that are all positive."""
    total = 0.0
    for k in range(measured.shape[1]):
        d = [math.log(predicted[i, k] / measured[i, k]) for i in range(len(measured))]
        mean = sum(d) / len(d)
        variance = sum((one - mean) ** 2 for one in d) / (len(d) - 1) / len(d)
        total += mean**2 - variance
    return float(total / measured.shape[1])


def test_it_is_the_definition() -> None:
    rng = np.random.default_rng(0)
    x, y = study(rng, 6, 4), study(rng, 6, 4)
    found = score(x, y)
    assert found.square == pytest.approx(naive(x, y), rel=1e-10)
    without = [naive(np.delete(x, i, axis=0), np.delete(y, i, axis=0)) for i in range(6)]
    mean = sum(without) / 6
    assert found.stderr == pytest.approx(math.sqrt(5 / 6 * sum((one - mean) ** 2 for one in without)), rel=1e-9)
    assert found.layer_squares == pytest.approx([naive(x[:, [k]], y[:, [k]]) for k in range(4)], rel=1e-9)
    assert (found.n_seeds, found.misses, found.hits, found.unmeasured) == (6, 0, 0, 0)


def test_a_prediction_for_all_seeds_is_the_same_one_for_each() -> None:
    y = study(np.random.default_rng(1), 5, 3)
    x = np.array([0.5, 1.0, 1.1])
    stderr = 0.1 * y
    assert score(x, y, measured_stderr=stderr) == score(np.tile(x, (5, 1)), y, measured_stderr=stderr)


def test_the_score_of_single_nets_is_its_definition() -> None:
    rng = np.random.default_rng(2)
    x, y = study(rng, 6, 4), study(rng, 6, 4)
    stderr = 0.1 * study(rng, 6, 4)
    d = [[math.log(x[i, k] / y[i, k]) for k in range(4)] for i in range(6)]
    terms = np.array([[d[i][k] ** 2 - (stderr[i, k] / y[i, k]) ** 2 for k in range(4)] for i in range(6)])
    found = score(x, y, measured_stderr=stderr)
    assert found.net_square == pytest.approx(terms.mean(), rel=1e-10)
    # The jackknife of a mean is its standard error.
    assert found.net_stderr == pytest.approx(terms.mean(axis=1).std(ddof=1) / math.sqrt(6), rel=1e-9)
    assert math.isnan(score(x, y).net_square) and math.isnan(score(x, y).net_value)


def test_off_by_a_factor_without_scatter_is_the_square_of_its_logarithm() -> None:
    y = np.tile([0.5, 0.1, 2.0], (4, 1))
    found = score(3 * y, y, measured_stderr=np.zeros_like(y))
    assert found.square == found.net_square == pytest.approx(math.log(3) ** 2, rel=1e-12)
    assert found.value == found.net_value == pytest.approx(math.log(3), rel=1e-12)
    assert found.stderr == pytest.approx(0.0, abs=1e-12)
    assert score(y / 3, y).square == pytest.approx(found.square, rel=1e-12)


def test_a_miss_costs_a_factor_of_ten_and_a_zero_against_a_measured_zero_nothing() -> None:
    y = np.tile([0.5, 0.2, 0.0, 0.0], (4, 1))
    found = score([math.nan, 0.0, 0.0, 0.3], y, measured_stderr=0.01 * y)
    assert found.layer_squares == pytest.approx((LN10, LN10, 0.0, LN10), abs=1e-12)
    assert found.square == found.net_square == pytest.approx(3 * LN10 / 4, rel=1e-12)
    assert (found.misses, found.hits, found.unmeasured) == (12, 4, 0)
    assert found.within_10_percent == 0.25


def test_a_layer_missed_for_some_seeds_costs_its_share() -> None:
    y = np.ones((4, 1))
    x = np.array([[2.0], [2.0], [2.0], [math.nan]])
    found = score(x, y)
    assert found.square == pytest.approx(0.75 * math.log(2) ** 2 + 0.25 * LN10, rel=1e-12)
    assert score(np.where(np.isnan(x), x, 1.0), y).within_10_percent == 0.75


def test_what_was_not_measured_is_not_scored() -> None:
    rng = np.random.default_rng(3)
    x, y = study(rng, 6, 3), study(rng, 6, 3)
    gone = np.column_stack([y, np.full(6, math.nan)])
    more = score(np.column_stack([x, np.ones(6)]), gone)
    assert more.square == pytest.approx(score(x, y).square, rel=1e-12)
    assert more.stderr == pytest.approx(score(x, y).stderr, rel=1e-9)
    assert more.unmeasured == 6 and math.isnan(more.layer_squares[3])
    y[0, 1] = math.nan
    layer = naive(x[1:, [1]], y[1:, [1]])
    assert score(x, y).layer_squares[1] == pytest.approx(layer, rel=1e-9)


def test_the_share_of_layers_within_10_percent_is_by_the_geometric_mean() -> None:
    y = np.array([[1.0, 1.0, 1.0, 1.0], [4.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    typical = 4 ** (1 / 3)
    assert score([typical, 1.099, 1.101, 0.899], y).within_10_percent == 0.5
    assert score([2.0, 0.901, 0.95, 1.05], y).within_10_percent == 0.75


def test_the_value_shown_is_never_negative() -> None:
    y = np.exp([[0.3], [-0.3], [0.3], [-0.3]])
    found = score([1.0], y)
    assert found.square < 0
    assert found.value == 0.0


# Whole studies, as they come: ln-scatter .02 to .37, layers independent or nearly all alike.

STUDIES = 500
SHAPES = [(40, 7, 0.9), (40, 7, 0.0), (40, 1, 0.0)]


def studies(n: int, K: int, correlation: float, factor: float = 1.0, seed: int = 0) -> list[Score]:
    rng = np.random.default_rng(seed)
    prediction = np.full(K, factor)
    return [score(prediction, study(rng, n, K, correlation=correlation)) for _ in range(STUDIES)]


def columns(found: list[Score]) -> tuple[FloatArray, FloatArray]:
    return np.array([s.square for s in found]), np.array([s.stderr for s in found])


def at_least(coverage: float) -> float:
    """Four binomial standard errors below a coverage."""
    return coverage - 4 * math.sqrt(coverage * (1 - coverage) / STUDIES)


def is_unbiased(squares: FloatArray, truth: float) -> bool:
    return abs(float(squares.mean()) - truth) < 4 * float(squares.std(ddof=1)) / math.sqrt(len(squares))


@pytest.mark.parametrize(("n", "K", "correlation"), SHAPES)
def test_a_perfect_theory_told_the_task_has_zero_within_its_error(n: int, K: int, correlation: float) -> None:
    squares, errors = columns(studies(n, K, correlation))
    assert is_unbiased(squares, 0.0)
    # Stated: 0.90 at least on both sides, 0.99 from above.
    assert (np.abs(squares) <= 2 * errors).mean() > at_least(0.90)
    assert (squares <= 2 * errors).mean() > at_least(0.99)


@pytest.mark.parametrize(("n", "K", "correlation"), SHAPES)
@pytest.mark.parametrize("factor", [1.2, 0.5])
def test_a_theory_that_is_off_by_a_factor_has_the_square_of_its_logarithm(
    n: int, K: int, correlation: float, factor: float
) -> None:
    squares, errors = columns(studies(n, K, correlation, factor))
    truth = math.log(factor) ** 2
    assert is_unbiased(squares, truth)
    # Stated: 0.89 at least; two errors of a normal number would cover 0.954.
    assert (np.abs(squares - truth) <= 2 * errors).mean() > at_least(0.89)


@pytest.mark.parametrize("factor", [1.0, 1.2])
def test_a_theory_told_the_net_is_scored_net_by_net_without_the_noise_of_the_measurement(factor: float) -> None:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(STUDIES):
        truth = study(rng)
        stderr = 0.05 * truth
        measured = truth + stderr * rng.normal(size=truth.shape)
        found.append(score(factor * truth, measured, measured_stderr=stderr * measured / truth))
    squares = np.array([s.net_square for s in found])
    errors = np.array([s.net_stderr for s in found])
    # The logarithm's second order: a relative error of e adds terms of e^4 and shifts the mean by e^2/2.
    shift = 0.05**2 / 2 * 2 * abs(math.log(factor)) + 2 * 0.05**4
    gap = abs(float(squares.mean()) - math.log(factor) ** 2)
    assert gap < 4 * float(squares.std()) / math.sqrt(STUDIES) + shift
    assert (np.abs(squares - math.log(factor) ** 2) <= 2 * errors).mean() > at_least(0.94)
    # Told the net, what seeds share cancels: the noise of the measurement alone is left, not the .37 of the nets.
    both, _ = columns(found)
    assert is_unbiased(both - 2 * math.log(factor) * 0.05**2 / 2, math.log(factor) ** 2)
    assert both.std() < 0.2 * columns(studies(40, 7, 0.9, factor))[0].std()


def test_more_seeds_change_a_score_within_its_error_only() -> None:
    rng = np.random.default_rng(6)
    prediction = np.full(7, 1.3)
    gaps, errors, small, large = [], [], [], []
    for _ in range(STUDIES):
        y = study(rng, 80)
        one, two = score(prediction, y[:20]), score(prediction, y)
        gaps.append(abs(two.square - one.square))
        errors.append(one.stderr)
        small.append(one.square)
        large.append(two.square)
    truth = math.log(1.3) ** 2
    assert is_unbiased(np.array(small), truth) and is_unbiased(np.array(large), truth)
    assert (np.array(gaps) <= 2 * np.array(errors)).mean() > at_least(0.89)
    # Four times as many seeds: half the error, to the 15 % that 500 studies tell.
    assert np.std(large) / np.std(small) == pytest.approx(0.5, rel=0.2)


def test_a_score_that_kept_the_noise_would_not_be_zero() -> None:
    """The variance taken off matters: without it a perfect theory is far from 0."""
    rng = np.random.default_rng(7)
    kept = [float(np.square(np.log(study(rng)).mean(axis=0)).mean()) for _ in range(STUDIES)]
    assert not is_unbiased(np.array(kept), 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": [1.0, math.inf]}, "predicted=.*must be finite and not negative"),
        ({"predicted": [1.0, -0.1]}, "predicted=.*must be finite and not negative; NaN says"),
        ({"predicted": [1.0, 1.0, 1.0]}, r"predicted=\(3,\): must have shape \(2,\) or \(3, 2\)"),
        ({"predicted": np.ones((2, 2))}, r"predicted=\(2, 2\)"),
        ({"measured": np.ones((2, 2))}, "at least three seeds"),
        ({"measured": [1.0, 1.0]}, r"measured=\(2,\)"),
        ({"measured": np.full((3, 2), -1.0)}, "measured=.*not negative"),
        ({"measured": np.full((3, 2), math.nan)}, "must be defined for one seed and layer at least"),
        ({"measured_stderr": np.ones((3, 1))}, r"measured_stderr=\(3, 1\)"),
        ({"measured_stderr": np.full((3, 2), math.nan)}, "measured_stderr=.*finite and not negative"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"predicted": [1.0, 1.0], "measured": np.ones((3, 2)), **change}
    with pytest.raises(ValueError, match=message):
        score(arguments.pop("predicted"), arguments.pop("measured"), **arguments)
