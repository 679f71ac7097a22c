"""Train an image net of the literature on a card, and measure it before training, after it, and shuffled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect.cards import load_task
from scaledetect.reproduce.study import Job, Size, Tables

if TYPE_CHECKING:
    from scaledetect.training import TrainConfig

__all__ = ["DeepJob", "deep_jobs"]

CARD = "distance-2d-L28-xi14-gap2-open"


@dataclass(frozen=True)
class DeepJob:
    """One image net, one root seed.

    Parameters
    ----------
    net : str
        A name of `scaledetect.nets.names()`.
    seed : int
    lr : float
    n_train, n_test, epochs, draws : int
        Rows of each split; epochs at most; draws of each measurement.
    """

    net: str
    seed: int
    lr: float = 1e-3
    n_train: int = 1024
    n_test: int = 4096
    epochs: int = 20
    draws: int = 1000

    @property
    def name(self) -> str:
        """The net and the seed."""
        return f"{self.net.replace('_', '-')}-seed-{self.seed}"

    @property
    def config(self) -> TrainConfig:
        """Adam with a cosine schedule on the cross-entropy."""
        from scaledetect.training import TrainConfig

        return TrainConfig(
            batch_size=32,
            lr=self.lr,
            loss="cross_entropy",
            optimizer="adam",
            schedule="cosine",
            max_epochs=self.epochs,
            target_loss=1e-3,
        )

    def describe(self) -> dict[str, Any]:
        """All its numbers, the task and those of the training."""
        return asdict(self) | {"task": asdict(load_task(CARD)), "train": asdict(self.config), "noise": "signed"}

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """Train, going on from what `folder` holds, and measure.

        Tables ``curves``, a row for each layer of the net at initialisation, trained and shuffled, and ``training``.
        """
        import pandas as pd

        from scaledetect.nets import NetSpec
        from scaledetect.probes import shuffle_channels
        from scaledetect.seeds import factor_seed
        from scaledetect.sensitivity import sensitivities
        from scaledetect.training import train

        task = load_task(CARD)
        run = train(
            task,
            NetSpec(self.net, {"in_channels": 1, "n_classes": 2}),
            n_train=self.n_train,
            n_test=self.n_test,
            seeds=self.seed,
            config=self.config,
            output=folder,
            on_epoch=lambda now: say(f"epoch {now.epoch}, loss {now.losses.mean():.2e}"),
        )
        about: dict[str, Any] = {"net": self.net, "seed": self.seed}
        member, rows = run.members[0], []
        if member.status != "diverged":
            draw_seed = factor_seed(self.seed, "measure")
            shuffled = shuffle_channels(member.net, draw_seed)
            nets = {"initial": member.initial_net(), "trained": member.net, "shuffled": shuffled}
            for curve, net in nets.items():
                say(f"measuring, {curve}")
                s = sensitivities(net, task, self.draws, seed=draw_seed).to_frame()
                rows.append(s.assign(**about, curve=curve, test_error=member.test_error))
        training = run.to_frame().assign(net=self.net)
        return {"curves": pd.concat(rows) if rows else pd.DataFrame({"net": []}), "training": training}


RATES = {"alexnet": 3e-4, "vgg11": 3e-4}
"""Learning rates of the nets without batch norm that a larger one leaves at chance."""


def deep_jobs(size: Size, nets: tuple[str, ...]) -> tuple[Job, ...]:
    """The jobs of the named nets: one seed of 1024 images on a laptop, five of 8192 at the size of the paper."""
    seeds = range(1 if size == "laptop" else 5)
    jobs = [DeepJob(net, seed, lr=RATES.get(net, 1e-3)) for seed in seeds for net in nets]
    if size == "paper":
        jobs = [replace(job, n_train=8192, epochs=50, draws=10_000) for job in jobs]
    return tuple(jobs)
