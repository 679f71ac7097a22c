"""The theory equals exhaustive enumeration on small lattices: every pair, every move, every window.

The oracle shares no code with its subject: the net is a matrix built by loops, labels are compared in fractions, the
bivariate moments are closed forms in Owen's T where the theory integrates.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, owens_t

from scaledetect import Noise, Sensitivities, Task, theory
from scaledetect.perturbations.noise import NOISE_MODES

FloatArray = NDArray[np.float64]
Site = tuple[int, ...]

# ---------------------------------------------------------------------- oracle: the task


def near_or_far(task: Task, p: Site, q: Site) -> int:
    """+1, -1, or 0 for pairs in the gap."""
    if task.labelling == "block":
        return 1 if all(a // int(task.xi) == b // int(task.xi) for a, b in zip(p, q, strict=True)) else -1
    gaps = [abs(a - b) for a, b in zip(p, q, strict=True)]
    if task.periodic:
        gaps = [min(z, task.size - z) for z in gaps]
    square = {"l1": sum(gaps) ** 2, "l2": sum(z * z for z in gaps), "linf": max(gaps) ** 2}[task.norm]
    low, high = Fraction(task.xi) - Fraction(task.gap) / 2, Fraction(task.xi) + Fraction(task.gap) / 2
    return 1 if square < low**2 else -1 if square >= high**2 else 0


def pairs_with_weight(task: Task) -> list[tuple[Site, Site, float]]:
    labelled = [(p, q, near_or_far(task, p, q)) for p, q in itertools.combinations(np.ndindex(task.shape), 2)]
    count = {label: sum(1 for *_, y in labelled if y == label) for label in (1, -1)}
    return [(p, q, 0.5 / count[y]) for p, q, y in labelled if y]


def destinations(task: Task, p: Site) -> list[tuple[Site, float]]:
    found = []
    for move in itertools.product((-1, 0, 1), repeat=task.dim):
        axes = sum(map(abs, move))
        if axes == 0:
            continue
        # 3-D values as printed in the specification.
        table = {1: [0.5], 2: [1 / 6, 1 / 12], 3: [0.0877398280459, 0.0372601719541, 0.0033048710344]}
        to = tuple(a + b for a, b in zip(p, move, strict=True))
        if task.labelling == "block":
            inside = all(0 <= a < task.size for a in to)
            to = to if inside and near_or_far(task, p, to) == 1 else p
        elif task.periodic:
            to = tuple(a % task.size for a in to)
        else:
            to = tuple(min(max(a, 0), task.size - 1) for a in to)
        found.append((to, table[task.dim][axes - 1]))
    return found


# ---------------------------------------------------------------------- oracle: the net


def axis_matrix(size: int, filter_size: int, stride: int) -> FloatArray:
    rows = range(0, size, stride)
    matrix = np.zeros((len(rows), size))
    for i, centre in enumerate(rows):
        for offset in range(-((filter_size - 1) // 2), filter_size // 2 + 1):
            matrix[i, (centre + offset) % size] += 1 / filter_size
    return matrix


def layer_matrices(task: Task, filters: tuple[int, ...], strides: tuple[int, ...]) -> list[FloatArray]:
    """The matrix of each layer alone."""
    size, layers = task.size, []
    for filter_size, stride in zip(filters, strides, strict=True):
        one = axis_matrix(size, filter_size, stride)
        full: FloatArray = one
        for _ in range(task.dim - 1):
            full = np.asarray(np.kron(full, one), dtype=np.float64)
        layers.append(full)
        size = len(one)
    return layers


# ---------------------------------------------------------------------- oracle: noise


@cache
def excess_moments(h: float) -> tuple[float, float]:
    """Mean and second moment of ReLU(h + z) - h, z standard normal, by the partial moments of z."""
    density = math.exp(-h * h / 2) / math.sqrt(2 * math.pi)
    below = 0.5 * math.erfc(h / math.sqrt(2))
    mean = density - h * below
    # z where z > -h, and -h elsewhere
    second = (1 - below) - h * density + h * h * below
    return mean, second


@cache
def rectified_product(h: float, k: float, rho: float) -> float:
    """E[ReLU(h + z_1) ReLU(k + z_2)] for |rho| < 1, h, k >= 0."""
    q = math.sqrt(1 - rho * rho)
    density_h, density_k = (math.exp(-u * u / 2) / math.sqrt(2 * math.pi) for u in (h, k))
    if h == 0 and k == 0:
        both = 0.25 + math.asin(rho) / (2 * math.pi)
    else:
        a_h = (k - rho * h) / (h * q) if h else math.inf
        a_k = (h - rho * k) / (k * q) if k else math.inf
        both = 0.5 * (ndtr(h) + ndtr(k)) - owens_t(h, a_h) - owens_t(k, a_k)
    tail = q / (2 * math.pi) * math.exp(-(h * h - 2 * rho * h * k + k * k) / (2 * q * q))
    product = (h * k + rho) * both + tail
    product += h * density_k * ndtr((h - rho * k) / q) + k * density_h * ndtr((k - rho * h) / q)
    return float(product)


def excess_product(h: float, k: float, rho: float) -> float:
    """E of the product of two excesses ReLU(. + z) - ."""
    if rho >= 1 - 1e-12:
        return excess_moments(h)[1]
    mean_h, mean_k = excess_moments(h)[0] + h, excess_moments(k)[0] + k
    return rectified_product(h, k, round(rho, 14)) - h * mean_k - k * mean_h + h * k


def noise_numerators(task: Task, layers: list[FloatArray], mode: str, sigma: float) -> FloatArray:
    total = np.zeros(len(layers))
    for p, q, weight in pairs_with_weight(task):
        image = image_of(task, p, q)
        if mode == "signed":
            second, later = signed_excess(image, layers[0], sigma), layers[1:]
            total[0] += weight * np.trace(second)
        else:
            levels = image / sigma if mode == "rectified_input" else np.zeros_like(image)
            moments = np.array([excess_moments(float(h)) for h in levels])
            second = np.outer(moments[:, 0], moments[:, 0]) * sigma**2
            second[np.diag_indices_from(second)] = moments[:, 1] * sigma**2
            later = layers
        for k, matrix in enumerate(later, start=len(layers) - len(later)):
            second = matrix @ second @ matrix.T
            total[k] += weight * np.trace(second)
    return total


def signed_excess(image: FloatArray, first: FloatArray, sigma: float) -> FloatArray:
    clean, covariance = first @ image, sigma**2 * first @ first.T
    deviation = np.sqrt(np.diag(covariance))
    levels = np.round(clean / deviation, 13)
    second = np.empty_like(covariance)
    for i, j in itertools.combinations_with_replacement(range(len(clean)), 2):
        rho = float(covariance[i, j] / (deviation[i] * deviation[j]))
        h, k = sorted((float(levels[i]), float(levels[j])))
        second[i, j] = second[j, i] = deviation[i] * deviation[j] * excess_product(h, k, rho)
    return second


def image_of(task: Task, *sites: Site) -> FloatArray:
    image = np.zeros(task.shape)
    for site in sites:
        image[site] += task.pixel_value
    return image.ravel()


def moved(task: Task, p: Site) -> tuple[FloatArray, FloatArray]:
    """The images of one pixel after each of its moves, and the probabilities of these."""
    found = destinations(task, p)
    return np.array([image_of(task, to) for to, _ in found]), np.array([chance for _, chance in found])


# ---------------------------------------------------------------------- oracle: the sensitivities


def enumerate_sensitivities(
    task: Task, filters: tuple[int, ...], strides: tuple[int, ...], modes: tuple[str, ...]
) -> dict[str, FloatArray | float]:
    layers = layer_matrices(task, filters, strides)
    nets = [layers[0]]
    for matrix in layers[1:]:
        nets.append(matrix @ nets[-1])
    depth, sites = len(layers), task.n_sites
    shift, square, strength = np.zeros(depth), np.zeros(depth), 0.0
    mean = np.zeros(sites)
    for p, q, weight in pairs_with_weight(task):
        image = image_of(task, p, q)
        mean += weight * image
        square += weight * np.array([np.sum((net @ image) ** 2) for net in nets])
        (one, p_chances), (other, q_chances) = (moved(task, site) for site in (p, q))
        changes = (one[:, None] + other[None]).reshape(-1, sites) - image
        chances = weight * np.outer(p_chances, q_chances).ravel()
        strength += float(chances @ np.sum(changes**2, axis=1))
        shift += np.array([chances @ np.sum((changes @ net.T) ** 2, axis=1) for net in nets])
    delta = 2 * (square - np.array([np.sum((net @ mean) ** 2) for net in nets]))
    sigma = math.sqrt(strength / sites)
    result: dict[str, FloatArray | float] = {"sigma": sigma, "Delta": delta, "D": shift / delta}
    return result | {mode: noise_numerators(task, layers, mode, sigma) / delta for mode in modes}


def check(task: Task, filters: tuple[int, ...], strides: tuple[int, ...], modes: tuple[str, ...], rtol: float) -> None:
    oracle = enumerate_sensitivities(task, filters, strides, modes)
    for mode in modes:
        exact = run(task, filters, strides, mode)
        assert exact.sigma == pytest.approx(oracle["sigma"], rel=rtol)
        np.testing.assert_allclose(exact.Delta, oracle["Delta"], rtol=rtol)
        np.testing.assert_allclose(exact.D, oracle["D"], rtol=rtol, atol=1e-13)
        np.testing.assert_allclose(exact.G, oracle[mode], rtol=rtol)


def run(task: Task, filters: tuple[int, ...], strides: tuple[int, ...], mode: str) -> Sensitivities:
    noise = Noise(mode=mode)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return theory.sensitivities(task, filter_size=filters, stride=strides, depth=len(filters), noise=noise)


# ---------------------------------------------------------------------- the cases


def one_dimensional() -> Iterator[tuple[Task, tuple[int, ...], tuple[int, ...]]]:
    tasks = [
        Task(size=12, xi=4),
        Task(size=11, xi=3, gap=1),
        Task(size=10, xi=2.5, gap=0.5, periodic=False, amplitude="mean"),
        Task(size=12, xi=4, labelling="block", amplitude=1.3),
        Task(size=11, xi=3, labelling="block"),
    ]
    nets = [
        ((2, 2), (2, 2)),
        ((3, 3, 3), (1, 1, 1)),
        ((4, 4), (2, 2)),
        ((2, 3), (3, 1)),
        ((5, 2, 3), (1, 2, 2)),
        # windows that meet twice round the ring
        ((8, 3), (2, 1)),
        # a deeper filter wider than its map
        ((3, 6), (3, 1)),
    ]
    for task, (filters, strides) in itertools.product(tasks, nets):
        yield task, filters, strides


@pytest.mark.parametrize(("task", "filters", "strides"), list(one_dimensional()))
def test_one_dimension_equals_enumeration(task: Task, filters: tuple[int, ...], strides: tuple[int, ...]) -> None:
    check(task, filters, strides, NOISE_MODES, 1e-12)


TWO_DIMENSIONAL = [
    (Task(dim=2, size=5, xi=2), (3, 2), (1, 2)),
    (Task(dim=2, size=6, xi=2.5, norm="l1"), (2, 2), (2, 1)),
    (Task(dim=2, size=5, xi=2, norm="linf", periodic=False), (3, 2), (2, 2)),
    (Task(dim=2, size=6, xi=3, gap=1, periodic=False, amplitude="mean"), (2, 2), (2, 1)),
    (Task(dim=2, size=6, xi=3, labelling="block"), (3, 2), (2, 1)),
    (Task(dim=2, size=5, xi=2, labelling="block"), (2,), (1,)),
]


@pytest.mark.parametrize(("task", "filters", "strides"), TWO_DIMENSIONAL)
def test_two_dimensions_equal_enumeration(task: Task, filters: tuple[int, ...], strides: tuple[int, ...]) -> None:
    check(task, filters, strides, NOISE_MODES, 1e-12)


THREE_DIMENSIONAL = [
    Task(dim=3, size=3, xi=1.5, norm="l1"),
    Task(dim=3, size=3, xi=2, norm="l2", periodic=False),
    Task(dim=3, size=3, xi=2, labelling="block"),
]


@pytest.mark.parametrize("task", THREE_DIMENSIONAL)
def test_three_dimensions_equal_enumeration(task: Task) -> None:
    # The oracle's moves are printed to 13 decimals.
    check(task, (2,), (2,), NOISE_MODES, 3e-12)
