"""D, G and R against depth: nets before and after training, beside the theory of constant filters."""

from __future__ import annotations

from dataclasses import replace

from scaledetect.reproduce.depth_figure import draw_depth
from scaledetect.reproduce.exploratory import exploratory
from scaledetect.reproduce.pooling_job import PoolingJob
from scaledetect.reproduce.study import Job, Size, Study
from scaledetect.task.task import Task

__all__ = ["STUDY"]

BLOCK = Task(dim=1, size=64, xi=16, labelling="block")
DISTANCE = Task(dim=1, size=32, xi=8)
BLOCK_2D = Task(dim=2, size=16, xi=8, labelling="block")
DISTANCE_2D = Task(dim=2, size=16, xi=5, gap=1, periodic=False)
PAPER_BLOCK = Task(dim=1, size=128, xi=32, labelling="block")
PAPER_DISTANCE = Task(dim=1, size=128, xi=32)
BACKGROUND = Task(dim=1, size=64, xi=16, labelling="block", background_noise=0.5)

RIDGE, ZERO_MULTIPLE = 0.01, 500.0
"""Those of the published code."""


def _jobs(size: Size) -> tuple[Job, ...]:
    return _laptop() if size == "laptop" else _paper()


def _laptop() -> tuple[PoolingJob, ...]:
    block = PoolingJob("block-F2-s2", BLOCK, 2, 2, depth=6, width=128, n_train=400, seeds=10)
    few = replace(block, seeds=5, width=64)
    distance = PoolingJob("distance-F3-s1", DISTANCE, 3, 1, depth=6, width=64, n_train=200, seeds=5)
    small = replace(few, seeds=3, width=16, depth=4, n_train=200, draws=1000, max_epochs=200)
    return (
        distance,
        block,
        replace(distance, name="distance-F5-s1", filter_size=5, depth=4),
        replace(block, name="block-F2-s2-narrow", width=16),
        replace(few, name="block-F2-s2-ridge", ridge=RIDGE, zero_multiple=20.0, max_epochs=600),
        replace(few, name="block-F2-s2-strong-ridge", ridge=10 * RIDGE, zero_multiple=20.0, max_epochs=600),
        replace(few, name="block-F2-s2-background", task=BACKGROUND),
        replace(few, name="block-F4-s2", filter_size=4, depth=5, draws=1000),
        replace(few, name="block-F3-s2", filter_size=3, depth=5, draws=1000),
        replace(small, name="block-2d-F2-s2", task=BLOCK_2D),
        replace(small, name="distance-2d-F3-s1", task=DISTANCE_2D, filter_size=3, stride=1),
    )


def _paper() -> tuple[PoolingJob, ...]:
    """The protocol of the published scripts; what they leave open is L = 128, xi = 32, K = 7, H = 1000."""
    block = PoolingJob(
        "block-F2-s2", PAPER_BLOCK, 2, 2, depth=7, width=1000, n_train=1024, n_validation=128, seeds=10, draws=10_000,
        ridge=RIDGE, zero_multiple=ZERO_MULTIPLE, max_epochs=100_000,
    )  # fmt: skip
    return replace(block, name="distance-F2-s1", task=PAPER_DISTANCE, stride=1), block


STUDY = Study("depth-1d", "Sensitivities against depth, before and after training", "7", _jobs, draw_depth, exploratory)
