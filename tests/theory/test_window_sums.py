"""Sums of a pair weight over two windows that overlap, site by site."""

from __future__ import annotations

import itertools
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from scaledetect.theory._window_sums import WindowPairs
from scaledetect.theory._windows import _pairs_from_sites, _seen_from_sites

Array = np.ndarray[Any, Any]
Site = tuple[int, ...]


def window(start: Site, side: int, size: int) -> set[Site]:
    return {
        tuple((s + t) % size for s, t in zip(start, step, strict=True))
        for step in itertools.product(range(side), repeat=len(start))
    }


@pytest.mark.parametrize(
    ("size", "side", "dim"),
    # Rings as small as a window, smaller and larger than four windows, and no multiple of any.
    [(3, 3, 1), (4, 3, 1), (5, 3, 1), (7, 2, 1), (9, 2, 1), (13, 3, 1), (17, 3, 1), (6, 1, 1), (3, 2, 2), (9, 2, 2)],
)
def test_sums_over_windows_and_their_overlap(size: int, side: int, dim: int) -> None:
    rng = np.random.default_rng(0)
    pairs, sites = WindowPairs(size, side, dim), list(itertools.product(range(size), repeat=dim))
    weights = rng.random((size,) * (2 * dim))
    weights += weights.transpose([*range(dim, 2 * dim), *range(dim)])
    degree = rng.random((size,) * dim)
    assert pairs.displacements.tolist() == sorted({d % size for d in range(1 - side, side)})

    def pair_sum(first: set[Site], second: set[Site]) -> float:
        return float(sum(weights[p + q] for p in first for q in second))

    seen = _pairs_from_sites(weights, pairs.site_displacements)
    first = pairs.first_sums(seen)
    found = {
        "in C": pairs.overlap_sums(_seen_from_sites(degree, np.arange(side))),
        "A and B": pairs.both_sums(first),
        "A and C": pairs.overlap_sums(first),
        "C and C": pairs.overlap_pair_sums(seen),
    }
    places = list(itertools.product(range(len(pairs.displacements)), repeat=dim))
    for place in places:
        apart = [int(pairs.displacements[k]) for k in place]
        assert [int(pairs.displacements[k]) for k in pairs.opposite(place)] == [-d % size for d in apart]
        for i in sites if dim == 1 else sites[::7]:
            a, b = window(i, side, size), window(tuple(s + d for s, d in zip(i, apart, strict=True)), side, size)
            c = a & b
            expected = {
                "in C": sum(degree[p] for p in c),
                "A and B": pair_sum(a, b),
                "A and C": pair_sum(a, c),
                "C and C": pair_sum(c, c),
            }
            for name, value in expected.items():
                assert found[name][place + i] == pytest.approx(value, rel=1e-12), (name, place, i)


def test_pairs_of_windows_stay_as_they_are() -> None:
    pairs = WindowPairs(5, 2, 1)
    assert pairs == WindowPairs(5, 2, 1)
    with pytest.raises(FrozenInstanceError):
        pairs.size = 3  # type: ignore[misc]
