"""Enumeration by windows equals the sum over all pairs of images and all moves, on small lattices.

The oracle shares no code with its subject: it takes whole images, by K and its angle, with windows built site by site.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import naive
import numpy as np
import pytest
from helpers.specs import task_of
from numpy.typing import NDArray

from scaledetect.results import Pooling
from scaledetect.theory import at_initialisation
from scaledetect.theory.initialisation.enumeration import exact_sums
from scaledetect.theory.initialisation.wide_net import WideNet

FloatArray = NDArray[np.float64]
Sides = tuple[int, ...]

# (task, filter sides, strides, gain): wraps that no stride divides, filters wider than the ring, layers of one site.
CASES: tuple[tuple[naive.Spec, Sides, Sides, str], ...] = (
    (naive.Spec(1, 8, 6), (2, 2, 2), (2, 2, 2), "critical"),
    (naive.Spec(1, 9, 6), (3, 3, 3), (1, 1, 1), "critical"),
    (naive.Spec(1, 9, 6), (2, 3, 2, 2), (2, 2, 2, 2), "paper"),
    (naive.Spec(1, 10, 8, labelling="block"), (3, 4, 2), (3, 1, 2), "paper"),
    (naive.Spec(1, 8, 8, labelling="block"), (2, 2, 3), (2, 2, 1), "critical"),
    (naive.Spec(1, 8, 5, 1, periodic=False), (4, 2, 5), (1, 3, 1), "critical"),
    (naive.Spec(1, 5, 4), (7, 3), (2, 1), "critical"),
    (naive.Spec(2, 4, 4), (2, 2), (2, 2), "paper"),
    (naive.Spec(2, 4, 4, labelling="block"), (3, 2), (1, 2), "critical"),
    (naive.Spec(2, 4, 5, periodic=False), (2, 2), (3, 1), "critical"),
    (naive.Spec(2, 3, 4, norm="l1"), (2, 2), (1, 1), "critical"),
    (naive.Spec(3, 3, 4, labelling="block"), (2, 2), (2, 1), "paper"),
)


def windows(side: int, dim: int, filter_size: int, stride: int) -> list[list[int]]:
    """Sites below each site, as numbers in row-major order."""
    left = (filter_size - 1) // 2
    line = [[(r - left + o) % side for o in range(filter_size)] for r in range(0, side, stride)]
    found = []
    for axes in itertools.product(line, repeat=dim):
        found.append([sum(c * side ** (dim - 1 - i) for i, c in enumerate(site)) for site in itertools.product(*axes)])
    return found


def product_of_rectified(x: FloatArray, y: FloatArray, both: FloatArray) -> FloatArray:
    scale = np.sqrt(x * y)
    t = np.arccos(np.clip(both / scale, -1, 1))
    return np.asarray(scale / (2 * math.pi) * (np.sin(t) + (math.pi - t) * np.cos(t)))


def distances(spec: naive.Spec, x: FloatArray, y: FloatArray, net: tuple[Sides, Sides, str]) -> FloatArray:
    """S of each pair of images, rows of `x` and `y` (n, sites); shape (K, n)."""
    kxx, kyy, kxy = x * x, y * y, x * y
    side, found = spec.size, []
    for filter_size, stride in zip(*net[:2], strict=True):
        square = 2.0 if net[2] == "critical" else float(filter_size**spec.dim)
        below = windows(side, spec.dim, filter_size, stride)
        kxx, kyy, kxy = (np.stack([1 + k[:, w].mean(axis=1) for w in below], axis=1) for k in (kxx, kyy, kxy))
        q = product_of_rectified(kxx, kyy, kxy)
        found.append(square * (kxx / 2 + kyy / 2 - 2 * q).sum(axis=1))
        kxx, kyy, kxy = square * kxx / 2, square * kyy / 2, square * q
        side = -(-side // stride)
    return np.array(found)


def image(spec: naive.Spec, pair: naive.Pair) -> FloatArray:
    x = np.zeros((spec.size,) * spec.dim)
    for site in pair:
        x[site] += math.sqrt(spec.sites / 2)
    return x.ravel()


def destinations(spec: naive.Spec, site: naive.Site) -> dict[naive.Site, float]:
    found: dict[naive.Site, float] = {}
    for move, probability in naive.move_table(spec.dim):
        to = naive.move_site(site, move, spec)
        found[to] = found.get(to, 0.0) + probability
    return found


def by_hand(spec: naive.Spec, net: tuple[Sides, Sides, str]) -> tuple[FloatArray, FloatArray]:
    pairs, weights = [], []
    for one in naive.list_pairs(spec):
        pairs += sorted(one)
        weights += [0.5 / len(one)] * len(one)
    before, after, chance = [], [], []
    for pair, weight in zip(pairs, weights, strict=True):
        p, q = (destinations(spec, site) for site in pair)
        for (to_p, chance_p), (to_q, chance_q) in itertools.product(p.items(), q.items()):
            before.append(image(spec, pair))
            after.append(image(spec, (to_p, to_q)))
            chance.append(weight * chance_p * chance_q)
    shift = distances(spec, np.array(before), np.array(after), net) @ np.array(chance)
    images, w = np.array([image(spec, pair) for pair in pairs]), np.array(weights)
    i, j = (index.ravel() for index in np.indices((len(w), len(w))))
    return shift, distances(spec, images[i], images[j], net) @ (w[i] * w[j])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_windows_give_the_sum_over_all_images_and_moves(case: tuple[naive.Spec, Sides, Sides, Any]) -> None:
    spec, sides, strides, gain = case
    shift, delta = by_hand(spec, (sides, strides, gain))
    found = exact_sums(task_of(spec), WideNet(spec.dim, Pooling(sides, strides), gain))
    # Equal images: arccos in the oracle loses half of the digits of what is zero, which is 1e-8 of K.
    np.testing.assert_allclose(found.shift, shift, rtol=1e-10)
    np.testing.assert_allclose(found.delta, delta, rtol=1e-10)


def test_the_first_layer_is_that_of_two_numbers() -> None:
    # F = s = 1: a site sees its own pixel, active with probability p = 2 / N: Delta_1 = N 2 p (1 - p) S(0, a).
    spec = naive.Spec(1, 8, 6)
    found = exact_sums(task_of(spec), WideNet(1, Pooling((1,), (1,)), "critical"))
    one = distances(naive.Spec(1, 1, 6), np.array([[0.0]]), np.array([[2.0]]), ((1,), (1,), "critical"))[0, 0]
    assert found.delta[0] == pytest.approx(8 * 2 * 0.25 * 0.75 * one, rel=1e-9)


def test_what_is_not_feasible_is_left_to_monte_carlo() -> None:
    task = task_of(naive.Spec(2, 16, 8))
    t = at_initialisation(task, depth=4, n=400)
    assert (t.Delta_stderr > 0).tolist() == [False, False, False, True]
    assert (t.D_stderr > 0).tolist() == [False, False, False, True]
