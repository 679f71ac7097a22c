"""Train pooling nets on a task, and measure what the theory speaks of: before training, after it, shuffled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect.perturbations.noise import NOISE_MODES
from scaledetect.reproduce.study import Tables
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from scaledetect.training import TrainConfig

__all__ = ["PoolingJob"]


@dataclass(frozen=True)
class PoolingJob:
    """Pooling nets of several seeds on a task.

    Parameters
    ----------
    name : str
    task : Task
    filter_size, stride, depth, width : int
        Of the nets.
    n_train, n_validation, n_test : int
        Rows of each seed.
    seeds : int
        Root seeds 0 .. seeds - 1.
    draws : int
        Draws of each measurement.
    ridge, zero_multiple, max_epochs
        As in `TrainConfig`.
    """

    name: str
    task: Task
    filter_size: int
    stride: int
    depth: int
    width: int
    n_train: int
    seeds: int
    n_test: int = 200
    n_validation: int = 0
    draws: int = 2000
    ridge: float = 0.0
    zero_multiple: float = 1.0
    max_epochs: int = 1000

    @property
    def config(self) -> TrainConfig:
        """How the nets are trained; with validation rows the target asks for no validation error too, as published."""
        from scaledetect.training import TrainConfig

        return TrainConfig(
            ridge=self.ridge,
            zero_multiple=self.zero_multiple,
            max_epochs=self.max_epochs,
            zero_validation=self.n_validation > 0,
        )

    def describe(self) -> dict[str, Any]:
        """All its numbers, and those of the training."""
        return asdict(self) | {"train": self.config.describe(), "noise": NOISE_MODES}

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """Train, going on from what `folder` holds, and measure: the tables of `measure_members`."""
        from scaledetect.nets import PoolingNet
        from scaledetect.reproduce.measure import measure_members
        from scaledetect.training import train

        net = PoolingNet(
            self.task.dim, filter_size=self.filter_size, stride=self.stride, depth=self.depth, width=self.width
        )
        run = train(
            self.task,
            net,
            n_train=self.n_train,
            n_validation=self.n_validation,
            n_test=self.n_test,
            seeds=range(self.seeds),
            config=self.config,
            output=folder,
            on_epoch=lambda now: say(f"epoch {now.epoch}, loss {now.losses.mean():.2e}, {len(now.seeds)} seeds"),
        )
        return measure_members(run, self.name, self.draws, say)
