"""Sample complexity, its exponent, and the learner that knows nothing: against numbers worked out by other means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import scaledetect as sd
from scaledetect.statistics.sample_complexity import (
    SampleComplexity,
    exponent_in_size,
    know_nothing_error,
    sample_complexity,
)


def test_the_value_is_where_the_mean_curve_crosses() -> None:
    found = sample_complexity({64: {0: 0.5, 1: 0.3}, 256: {0: 0.0, 1: 0.0}}, 0.1)
    assert found.value == pytest.approx(64 * 4**0.75)
    logs = [math.log(64) + math.log(4) * (e - 0.1) / e for e in (0.3, 0.5)]
    stderr = np.std(logs, ddof=1) / math.sqrt(2)  # of two values the jackknife is the usual error
    assert found.stderr == pytest.approx(stderr)
    assert found.high == pytest.approx((found.value or 0) * math.exp(stats.t.ppf(0.975, 1) * stderr))
    assert (found.largest, found.at_most, found.n_seeds) == (256, False, 2)


def test_what_is_not_reached_or_reached_at_once_is_said_so() -> None:
    never = sample_complexity({32: {0: 0.5}, 64: {0: 0.2}}, 0.1)
    assert (never.value, never.largest, never.low, never.high) == (None, 64, None, None)
    at_once = sample_complexity({32: {0: 0.05, 1: 0.0}, 64: {0: 0.0, 1: 0.0}}, 0.1)
    assert (at_once.value, at_once.at_most) == (32, True)
    one = sample_complexity({32: {0: 0.5}, 64: {0: 0.0}}, 0.1)
    assert one.value is not None and one.high is None
    # The mean of three seeds reaches it, and without the good one it does not.
    open_end = sample_complexity({32: {0: 0.5, 1: 0.5, 2: 0.5}, 64: {0: 0.0, 1: 0.14, 2: 0.14}}, 0.1)
    assert open_end.value is not None and open_end.high is None
    with pytest.raises(ValueError, match="holds no test error"):
        sample_complexity({32: {}}, 0.1)


def test_the_jackknife_is_that_of_the_curves_without_one_seed_each() -> None:
    """60 seeds, some of which lack at some sizes, one size with a single seed; each curve made anew."""
    generator = np.random.default_rng(0)
    curve = {
        size: {seed: float(generator.uniform(0, top)) for seed in range(60) if generator.random() < 0.8}
        for size, top in ((32, 1.0), (64, 0.6), (128, 0.2), (256, 0.1))
    }
    curve[48] = {7: 0.4}
    left = [{size: {k: e for k, e in found.items() if k != out} for size, found in curve.items()} for out in range(60)]
    logs = [math.log(sample_complexity(one, 0.2).value or math.nan) for one in left]
    stderr = math.sqrt(59 * np.var(logs))
    assert sample_complexity(curve, 0.2).stderr == pytest.approx(stderr, rel=1e-12)


def made(value: float, stderr: float = 0.1, n: int = 5) -> SampleComplexity:
    return SampleComplexity(0.1, value, value * 0.8, value * 1.2, stderr, 4096, False, n)


def test_the_exponent_is_that_of_a_power_law_and_its_interval_holds_it() -> None:
    """500 studies of five seeds at four sizes: the 95 % interval holds the exponent 1.1 in 95 % but for 5 % or less.

    The standard error of that share is 1 %.
    """
    sizes = [64, 128, 256, 512]
    exact = exponent_in_size(sizes, [made(3 * size**1.1) for size in sizes])
    assert exact is not None and exact.value == pytest.approx(1.1)
    generator, held = np.random.default_rng(0), 0
    for _ in range(500):
        logs = np.log(3) + 1.1 * np.log(sizes)[:, None] + generator.normal(scale=0.2, size=(4, 5))
        points = [made(math.exp(row.mean()), float(row.std(ddof=1) / math.sqrt(5))) for row in logs]
        fit = exponent_in_size(sizes, points)
        assert fit is not None
        held += fit.low <= 1.1 <= fit.high
    assert abs(held / 500 - 0.95) < 0.05


def test_two_sizes_and_bounds_make_no_exponent() -> None:
    assert exponent_in_size([64, 128], [made(10), made(20)]) is None
    bound = SampleComplexity(0.1, 32, None, None, 0.0, 4096, True, 5)
    assert exponent_in_size([64, 128, 256], [bound, made(10), made(20)]) is None


def test_knowing_nothing_is_worse_than_chance_by_as_much_as_counting_labels_by_site_is() -> None:
    """Counted on 100 studies of the stream; |z| < 5."""
    task = sd.Task(dim=1, size=64, xi=16, labelling="block")
    errors = []
    for seed in range(100):
        counts = np.zeros(64)
        pairs, y = sd.sample_pairs(task, 256, seed=seed, split="train")
        np.add.at(counts, pairs[..., 0], y[:, None])
        pairs, y = sd.sample_pairs(task, 480, seed=seed, split="test")
        score = counts[pairs[..., 0]].sum(axis=1)
        errors.append(np.where(score == 0, 0.5, (score > 0) != (y > 0)).mean())
    expected = know_nothing_error(task.n_near, task.n_far, 64, 256)
    assert expected > 0.53
    assert abs(np.mean(errors) - expected) < 5 * np.std(errors) / math.sqrt(100)
    assert know_nothing_error(10**15, 10**15, 10**6, 10) == pytest.approx(0.5, abs=1e-6)
