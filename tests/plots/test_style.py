"""Ticks of logarithmic axes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from scaledetect.plots.style import legible_ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0.0215, 0.084), (0.019, 0.1), (0.9, 1.2), (3.1, 3.4), (0.02, 0.9), (7, 300)]
)
def test_a_narrow_axis_has_several_numbers_that_do_not_run_into_each_other(low: float, high: float) -> None:
    axes = Figure().subplots()
    axes.set(xscale="log", xlim=(low, high))
    legible_ticks(axes.xaxis)
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 2 <= len(ticks) <= 8
    assert all(np.log(b / a) > 0.1 * np.log(high / low) for a, b in pairwise(ticks))
