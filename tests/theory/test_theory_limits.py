"""Sizes that the theory takes are those that its documentation states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scaledetect import Noise, Task, theory
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


def test_the_net_that_is_meant_where_none_is_given_is_the_same_everywhere() -> None:
    task = Task(size=256, xi=64)
    numbers: Any = {"filter_size": 2, "stride": 2, "depth": 6, "noise": Noise()}
    found = theory.sensitivities(task)
    assert found.layers == tuple(f"layer{k}" for k in range(1, 7))
    assert found.to_dict() == theory.sensitivities(task, **numbers).to_dict()
    share, same = theory.coherent_share(task), theory.coherent_share(task, **numbers)
    assert share.layers == found.layers
    assert share.share.tolist() == same.share.tolist()
    assert theory.exponents() == theory.exponents(filter_size=2, stride=2, dim=1)
    assert theory.lattice_sensitivities() == theory.lattice_sensitivities(filter_size=2, stride=2, depth=6, dim=1)
