"""Sensitivities by their definition: every pair of the population under every two moves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from functools import cache

from naive.population import Pair, Site, Spec, list_pairs
from naive.samples import move_site, move_table

Net = Callable[[list[float]], list[float]]
"""From the pixels of an image in row-major order to the numbers of a layer."""


def draw_image(sites: Iterable[Site], task: Spec, value: float) -> list[float]:
    """Active pixels of the given value; where they coincide they add up."""
    image = [0.0] * task.sites
    for site in sites:
        image[sum(c * task.size ** (task.dim - 1 - axis) for axis, c in enumerate(site))] += value
    return image


def squared_distance(f: list[float], g: list[float]) -> float:
    return math.fsum((a - b) ** 2 for a, b in zip(f, g, strict=True))


def population_sensitivities(net: Net, task: Spec, value: float) -> tuple[float, float]:
    """(D, Delta) of a layer, exact: no sampling, no formula but the definitions."""

    @cache
    def f(pair: Pair) -> list[float]:
        return net(draw_image(pair, task, value))

    classes = list_pairs(task)
    weighted = [(pair, 0.5 / len(pairs)) for pairs in classes for pair in pairs]
    numerator = math.fsum(
        weight * chance_p * chance_q * squared_distance(f((move_site(p, a, task), move_site(q, b, task))), f((p, q)))
        for (p, q), weight in weighted
        for (a, chance_p), (b, chance_q) in itertools.product(move_table(task.dim), repeat=2)
    )
    mean = [math.fsum(weight * f(pair)[i] for pair, weight in weighted) for i in range(len(f(weighted[0][0])))]
    delta = 2 * math.fsum(weight * squared_distance(f(pair), mean) for pair, weight in weighted)
    return numerator / delta, delta


def without_interaction(net: Net, value: float) -> Net:
    """The net that adds what each active pixel alone does to the empty image: two pixels that meet add up."""

    @cache
    def alone(site: int, sites: int) -> list[float]:
        return net([value if i == site else 0.0 for i in range(sites)])

    def additive(image: list[float]) -> list[float]:
        empty = alone(-1, len(image))
        total = list(empty)
        for site, pixel in enumerate(image):
            for _ in range(round(pixel / value)):
                total = [t + a - e for t, a, e in zip(total, alone(site, len(image)), empty, strict=True)]
        return total

    return additive
