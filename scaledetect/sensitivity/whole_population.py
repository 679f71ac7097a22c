"""A whole population with all its moves: D and Delta without sampling."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.errors import bad_value
from scaledetect.perturbations.move_law import move_pixels, move_probabilities, moves
from scaledetect.results import BlockSums
from scaledetect.results.jackknife import Estimate, deviations, flaw_of
from scaledetect.sampling.rendering import render_pairs
from scaledetect.sampling.samplers import pairs_at
from scaledetect.sensitivity.batching import Group, runs
from scaledetect.sensitivity.passes import Passes
from scaledetect.sensitivity.task_draws import TaskDraws
from scaledetect.task.population import class_sizes
from scaledetect.task.task import Task

__all__ = ["MOST_IMAGES", "check_population", "estimate_population", "measure_population"]

MOST_IMAGES = 2_000_000
"""Forward images beyond which a population is refused."""

Pairs = NDArray[np.int64]


def check_population(task: Task, noise_blocks: int) -> int:
    """Number of pairs of a population small enough to run as a whole, each clean, moved in all ways, and noisy."""
    if task.background_noise > 0:
        raise bad_value(
            "n", "all", f"background_noise={task.background_noise} makes every image unique", "give a number"
        )
    n_pairs = sum(class_sizes(task.population))
    versions = 1 + len(moves(task.dim)) ** 2 + noise_blocks
    if n_pairs * versions > MOST_IMAGES:
        raise bad_value(
            "n",
            "all",
            f"{n_pairs} pairs of pixels in {versions} versions are {n_pairs * versions} forward images, "
            f"and at most {MOST_IMAGES} are run",
            "take a smaller task, or give a number",
        )
    return n_pairs


def measure_population(
    passes: Passes, draws: TaskDraws, noise_blocks: int, *, batch_size: int | None
) -> dict[str, BlockSums]:
    """Sums over all pairs: one block, weighted over moves by their probability; noise afresh in each noise block."""
    task, sizes = draws.task, class_sizes(draws.task.population)
    rows = passes.probe(draws(0, 8).clean, blocks=1, classes=2, noise_blocks=noise_blocks)
    for far, size in enumerate(sizes):
        most = batch_size or rows
        for start, n in runs(0, size, most):
            # In a balanced stream the even samples are near and the odd ones far.
            pairs, y = pairs_at(task, 2 * np.arange(start, start + n, dtype=np.int64) + far, seed=draws.seed)
            _add(passes, draws, pairs, y, first=far * sizes[0] + start, noise_blocks=noise_blocks, most=most)
    return {name: layer.finish() for name, layer in passes.layers.items()}


def estimate_population(sums: BlockSums) -> Estimate:
    """D and Delta without error; G and R with that of the noise, of which each block is an independent draw."""
    (counts,), (squared,), (moved,) = sums.counts, sums.squares, sums.deformed
    means = sums.totals / counts[:, None]
    mean = means.mean(axis=0)
    squares = (squared / counts).mean()
    blocks = len(sums.noisy)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        delta = np.float64(2 * (squares - mean @ mean))  # Python's own raises where it is 0
        energy = float(squares + (2 * mean + sums.reference) @ sums.reference)
        deformed = float((moved / counts).mean())
        noisy = (sums.noisy / counts).mean(axis=1)
        left_out = np.concatenate([[noisy.mean()], (noisy.sum() - noisy) / (blocks - 1)])
        curves = {"D": np.full(blocks + 1, deformed / delta), "G": left_out / delta, "R": deformed / left_out}
        curves["Delta"] = np.full(blocks + 1, delta)
        flaw = flaw_of(deformed, left_out[0], float(delta), energy, sums.eps)
        if flaw is not None:
            curves["D"] = curves["G"] = np.full(blocks + 1, np.nan)
        if left_out[0] == 0:
            curves["R"] = np.full(blocks + 1, np.nan)
        sizes = np.ones(blocks, dtype=np.int64)
        errors = {name: deviations(curve, sizes) for name, curve in curves.items()}
    for name in ("D", "Delta"):
        errors[name] = np.where(np.isfinite(curves[name][1:]), 0.0, np.nan)
    return Estimate(
        values={name: float(curve[0]) for name, curve in curves.items()},
        deviations=errors,
        deformed_events=-1,
        noisy_events=sums.noisy_events,
        flaw=flaw,
    )


def _add(
    passes: Passes,
    draws: TaskDraws,
    pairs: Pairs,
    y: NDArray[np.int8],
    *,
    first: int,
    noise_blocks: int,
    most: int,
) -> None:
    """Pairs of one class, of numbers `first` on in the population: clean, under every move, and under noise.

    As many blocks of noise go through the net together as make up `most` images.
    """
    task, far, n = draws.task, int(y[0] < 0), len(y)
    n_pairs = sum(class_sizes(task.population))
    passes.run(render_pairs(pairs, task, dtype=draws.dtype), lambda sums, f: sums.clean(f, Group(far, n)))
    for moved, weight in _moves(pairs, task):
        images = render_pairs(moved, task, dtype=draws.dtype)
        passes.run(images, lambda sums, f, weight=weight: sums.deformed(f, Group(far, n), weight))  # type: ignore[misc]
    for start, count in runs(0, noise_blocks, max(1, most // n)):
        blocks = range(start, start + count)
        noisy = np.concatenate([draws.of_pairs(pairs, y, start=block * n_pairs + first).noisy for block in blocks])
        groups = [Group(2 * block + far, n) for block in blocks]
        passes.run(noisy, lambda sums, f, groups=groups: sums.noisy(f, groups))  # type: ignore[misc]


def _moves(pairs: Pairs, task: Task) -> Iterator[tuple[Pairs, float]]:
    """The pairs after each of the moves of both pixels, with its probability."""
    law = list(zip(moves(task.dim), move_probabilities(task.dim), strict=True))
    for (one, p), (other, q) in itertools.product(law, law):
        yield move_pixels(pairs, np.stack([one, other]), task), float(p * q)
