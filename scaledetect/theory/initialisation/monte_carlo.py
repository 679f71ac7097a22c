"""Monte Carlo over images and noise, block by block: numerators of D and G, and the normalisation, of every layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect._base.progress import Report
from scaledetect.perturbations.noise import Noise
from scaledetect.task.task import Task
from scaledetect.theory.initialisation.channel_means import kernel_fluctuation
from scaledetect.theory.initialisation.draws import CLEAN, DEFORMED, NOISY, OTHER, draw_images
from scaledetect.theory.initialisation.wide_net import WideNet, layer_distances

__all__ = ["BLOCKS", "Draws", "channel_mean_sums", "channel_sums"]

BLOCKS = 50
"""Equal blocks of draws, whose scatter gives the standard errors."""

DEFORMATION, NOISE, SPREAD = (CLEAN, DEFORMED), (CLEAN, NOISY), (CLEAN, OTHER)
"""The pairs of versions behind the numerators of D and G, and behind Delta."""

MOST_BETWEEN = 4096
"""Sites N of an image beyond which the kernel between sites is refused: it takes 30 N^2 bytes a draw."""

KERNEL_BUDGET = 60_000_000
"""Kernels between sites in all, about 0.2 microseconds each: as many draws as they allow have V worked out."""

MOST_KERNELS = 2_000_000_000
"""Kernels between sites for the fewest draws, four in each block, beyond which channel means are refused."""

VERSIONS = 7
"""Pairs of versions between whose sites V needs the kernel: each of the four with itself, and those of both numerators
and of the normalisation."""


@dataclass(frozen=True)
class Draws:
    """What is drawn: `n` images of `task`, a multiple of 4 `BLOCKS`, and noise of strength `sigma`, from `seed`."""

    task: Task
    noise: Noise
    sigma: float
    n: int
    seed: int
    report: Report = lambda done, total: None


def channel_sums(draws: Draws, net: WideNet, pairs: Sequence[tuple[int, int]]) -> FloatArray:
    """E |h(x) - h(y)|^2 per channel of `pairs` of versions, in each block: shape (BLOCKS, K, n_pairs)."""
    return _block_means(draws, net, pairs)[0]


def channel_mean_sums(draws: Draws, net: WideNet, width: int) -> FloatArray:
    """E |m(x) - m(y)|^2, m the mean over `width` channels, of all three pairs: shape (BLOCKS, K, 3).

    It is T + (S - T + V) / width, with V over the first draws of each block, as many as `KERNEL_BUDGET` allows.
    """
    _check_kernels(draws.task, net)
    pairs = (DEFORMATION, NOISE, SPREAD)
    full, mean = _block_means(draws, net, pairs)
    return mean + (full - mean + _fluctuations(draws, net, pairs)) / width


def _block_means(draws: Draws, net: WideNet, pairs: Sequence[tuple[int, int]]) -> tuple[FloatArray, FloatArray]:
    """S and T of `Distances`, averaged over the draws of each block."""
    full, mean = np.zeros((2, BLOCKS, net.pooling.depth, len(pairs)))
    size, start = draws.n // BLOCKS, 0
    needed = sorted({version for pair in pairs for version in pair})
    places = [(needed.index(i), needed.index(j)) for i, j in pairs]
    for versions in draw_images(draws.task, draws.noise, draws.sigma, draws.seed, 0, draws.n):
        images = [versions[version] for version in needed]
        block = np.arange(start, start + images[0].shape[-1]) // size
        for k, distances in enumerate(layer_distances(net, images, places)):
            np.add.at(full[:, k], block, distances.full.T)
            np.add.at(mean[:, k], block, distances.mean.T)
        start += len(block)
        draws.report(start, draws.n)
    return full / size, mean / size


def _fluctuations(draws: Draws, net: WideNet, pairs: Sequence[tuple[int, int]]) -> FloatArray:
    """V, averaged over the first draws of each block: shape (BLOCKS, K, n_pairs)."""
    task, size = draws.task, draws.n // BLOCKS
    some = min(size, max(4, KERNEL_BUDGET // _kernels_of_a_draw(task, net) // BLOCKS // 4 * 4))
    found = np.zeros((BLOCKS, net.pooling.depth, len(pairs)))
    step = max(1, int(2_000_000 / task.n_sites**2))
    for block in range(BLOCKS):
        for versions in draw_images(task, draws.noise, draws.sigma, draws.seed, block * size, some):
            for first in range(0, versions[0].shape[-1], step):
                images = [version[..., first : first + step] for version in versions]
                for k, part in enumerate(kernel_fluctuation(net, images, pairs)):
                    found[block, k] += part.sum(axis=1) / some
    return found


def _kernels_of_a_draw(task: Task, net: WideNet) -> int:
    sites = [int(side**net.dim) for side in net.pooling.sizes(task.size)]
    return VERSIONS * sum(n * n for n in sites)


def _check_kernels(task: Task, net: WideNet) -> None:
    if task.n_sites > MOST_BETWEEN:
        limit = f"needs the kernel between all sites, and takes at most {MOST_BETWEEN} of them, not {task.n_sites}"
        raise bad_value("channel_mean", True, limit, "take a smaller task, or measure it")
    kernels = 4 * BLOCKS * _kernels_of_a_draw(task, net)
    if kernels > MOST_KERNELS:
        limit = f"needs {kernels:.1e} kernels between sites, and takes at most {MOST_KERNELS:.0e}"
        raise bad_value("channel_mean", True, limit, "lower size or depth, raise a stride, or measure it")
