"""Sizes that the theory takes are those that its documentation states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scaledetect import Task, theory
from scaledetect.results import Pooling
from scaledetect.theory import _exponents, _fast, _general, _mean_filters
from scaledetect.theory._fast import fast_depth


def test_limits_are_those_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (_fast.FAST_SITES, _general.DENSE_SITES, _mean_filters.KERNEL_SITES) == (2**26, 6144, 2**20)
    assert (_exponents.MATRIX_SIDE, _exponents.MOST_LAYERS) == (2000, 10_000)
    task = Task(size=16, xi=4)
    monkeypatch.setattr(_fast, "FAST_SITES", 16)
    assert theory.sensitivities(task, depth=2).layers == ("layer1", "layer2")
    monkeypatch.setattr(_fast, "FAST_SITES", 15)
    with pytest.raises(ValueError, match=r"^size=16: the theory takes at most 15 sites, not 16"):
        theory.sensitivities(task, depth=2)
    blocks = Task(size=16, xi=4, labelling="block")
    monkeypatch.setattr(_general, "DENSE_SITES", 16)
    assert theory.sensitivities(blocks, depth=2).layers == ("layer1", "layer2")
    monkeypatch.setattr(_general, "DENSE_SITES", 15)
    with pytest.raises(ValueError, match=r"^size=16: "):
        theory.sensitivities(blocks, depth=2)


@pytest.mark.parametrize(
    ("size", "filters", "strides", "depth"),
    [
        (8, (2, 2, 2, 2), (2, 2, 2, 2), 4),
        (12, (2, 2, 2, 2), (2, 2, 2, 2), 3),
        (9, (2, 2), (2, 2), 1),
        (9, (3, 3, 2), (3, 1, 2), 3),
        (9, (3, 3, 2, 2), (3, 1, 2, 2), 3),
    ],
)
def test_the_fast_path_reaches_one_layer_beyond_the_last_that_divides(
    size: int, filters: Any, strides: Any, depth: int
) -> None:
    assert fast_depth(size, Pooling.of(filters, strides, len(filters))) == depth


@pytest.mark.parametrize("filters", ["ab", np.array(2.0), 5, None])
def test_what_is_no_list_of_filters_is_refused(filters: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^filters="):
        theory.mean_filter_sensitivities(Task(size=16, xi=4), filters, stride=2)
