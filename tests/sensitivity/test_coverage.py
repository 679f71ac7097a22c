"""Standard errors of a random net, of which theory says nothing, cover as Student's t says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

import scaledetect as sd
from scaledetect.sensitivity import sensitivities

SEEDS, N = 400, 1000


def random_net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return nn.Sequential(
            nn.Conv1d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv1d(4, 2, 3, stride=2, padding=1), nn.ReLU()
        )


@pytest.mark.slow
def test_error_bars_cover_as_student_says() -> None:
    """D against enumeration; G against one run 400 times longer, its error added. Within 4 binomial sigma."""
    net, task, options = random_net(), sd.Task(size=16, xi=4), {"layers": ["3"]}
    exact = sensitivities(net, task, "all", **options)  # type: ignore[arg-type]
    long = sensitivities(net, task, SEEDS * N, seed=10**6, **options)  # type: ignore[arg-type]
    runs = [sensitivities(net, task, N, seed=seed, **options) for seed in range(SEEDS)]  # type: ignore[arg-type]
    student = stats.t(runs[0].n_blocks - 1)
    expected = SEEDS * (student.cdf(1) - student.cdf(-1))
    slack = 4 * np.sqrt(expected * (1 - expected / SEEDS))
    for name, reference in (("D", exact), ("G", long)):
        inside = sum(bool(abs(run.z(reference)[name][0]) < 1) for run in runs)
        assert abs(inside - expected) < slack, (name, inside, expected, slack)
    assert abs(long.z(exact)["D"][0]) < 5
