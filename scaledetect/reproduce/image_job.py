"""Train an image net on a task of two pixels, and measure it: its output, its layers, and with shuffled channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect.perturbations.noise import Noise
from scaledetect.reproduce.study import Tables
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from torch import nn

    from scaledetect.training import TrainConfig, TrainingRun

__all__ = ["ImageNetJob"]


@dataclass(frozen=True)
class ImageNetJob:
    """One net of the zoo on a task: Adam on the cross-entropy, its rate falling to 0 as a cosine.

    Parameters
    ----------
    net : str
        Name of the net.
    task : Task
    n_train, n_test : int
        Rows.
    seed : int
        Root seed.
    lr : float
    steps : int
        Batches, about; the number of epochs follows.
    batch_size : int
    draws : int
        Draws of each measurement.
    layers : bool
        Whether all layers are measured, those of the initial and of the shuffled net too; else the output alone.
    """

    net: str
    task: Task
    n_train: int
    seed: int
    lr: float
    steps: int
    batch_size: int = 32
    n_test: int = 2048
    draws: int = 1000
    layers: bool = False

    @property
    def name(self) -> str:
        """Net, training rows and seed."""
        return f"{self.net.replace('_', '-')}-P{self.n_train}-seed{self.seed}"

    @property
    def config(self) -> TrainConfig:
        """How the net is trained."""
        from scaledetect.training import TrainConfig

        epochs = max(1, round(self.steps * self.batch_size / self.n_train))
        return TrainConfig(
            loss="cross_entropy", optimizer="adam", lr=self.lr, schedule="cosine", batch_size=self.batch_size,
            max_epochs=epochs, target_loss=1e-3,
        )  # fmt: skip

    def describe(self) -> dict[str, Any]:
        """All its numbers, and those of the training."""
        found = asdict(self) | {"train": asdict(self.config), "noise": asdict(Noise())}
        # Results made before batch norms were calibrated are none of this job.
        return found | {"initial_batch_norm": "calibrated"} if self.layers else found

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """Train, going on from what `folder` holds, and measure.

        - ``nets``: one row: errors, and D, G, R of the output.
        - ``layers``: where asked for, a row for each layer of the initial, the trained and the shuffled net.
        """
        import pandas as pd

        from scaledetect.training import train

        run = train(
            self.task,
            self.net,
            n_train=self.n_train,
            n_test=self.n_test,
            seeds=self.seed,
            config=self.config,
            output=folder,
            on_epoch=lambda now: say(f"epoch {now.epoch} of {now.max_epochs}, loss {now.losses.mean():.2e}"),
        )
        (member,) = run.members
        about = {"net": self.net, "n_train": self.n_train, "seed": self.seed}
        if member.status == "diverged":
            return {"nets": pd.DataFrame([{**about, "status": member.status, "epochs": member.epochs}])}
        say("measuring")
        trained = self._measured(member.net)
        output = {name: trained[-1][name] for name in ("D", "D_stderr", "G", "G_stderr", "R", "R_stderr")}
        score = {"status": member.status, "epochs": member.epochs, "train_error": member.train_error}
        tables = {"nets": pd.DataFrame([{**about, **score, "test_error": member.test_error, **output}])}
        if self.layers:
            rows = [{**about, "curve": "trained", **row} for row in trained]
            rows += [
                {**about, "curve": curve, **row} for curve, net in self._others(run) for row in self._measured(net)
            ]
            tables["layers"] = pd.DataFrame(rows)
        return tables

    def _others(self, run: TrainingRun) -> list[tuple[str, nn.Module]]:
        from scaledetect.probes import shuffle_channels
        from scaledetect.sampling.seeds import factor_seed

        shuffled = shuffle_channels(run.member(self.seed).net, factor_seed(self.seed, "measure"))
        return [("initial", run.initial_net(self.seed)), ("shuffled", shuffled)]

    def _measured(self, net: nn.Module) -> list[dict[str, Any]]:
        """A row a layer, or one for the output."""
        from scaledetect.sampling.seeds import factor_seed
        from scaledetect.sensitivity import sensitivities

        layers = None if self.layers else ["output"]
        s = sensitivities(net, self.task, self.draws, layers=layers, seed=factor_seed(self.seed, "measure"))
        depth = len(s)
        names = ("D", "D_stderr", "G", "G_stderr", "R", "R_stderr")
        return [
            {"layer": layer, "depth": (k + 1) / depth, **{name: getattr(s, name)[k] for name in names}}
            for k, layer in enumerate(s.layers)
        ]
