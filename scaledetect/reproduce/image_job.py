"""Train an image net on a task of two pixels by the published recipe; measure output, layers and shuffled channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect.perturbations.noise import Noise
from scaledetect.reproduce.study import Tables
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from torch import nn

    from scaledetect.training import TrainConfig, TrainingRun

__all__ = ["PUBLISHED_STEP", "ImageNetJob", "published_recipe"]

PUBLISHED_STEP = 0.05

QUANTITIES = ("D", "D_stderr", "G", "G_stderr", "R", "R_stderr")
NOISE = Noise(match="sample")
"""Of the measurements: as strong as the deformation, image by image."""


def published_recipe(epochs: int, lr: float = PUBLISHED_STEP) -> TrainConfig:
    """How the authors' scripts train deep nets on the two-dimensional task; there, 300 epochs of step 0.05.

    Hinge loss, descent with momentum 0.9, weight decay 5e-4 on all but vectors, batches of 128, the step falling as a
    cosine over 0.8 of the epochs. We depart from it in what is kept: the last net, not that of the lowest test error.
    Images are neither cropped nor mirrored, which could move a pixel out of the image.
    """
    from scaledetect.training import TrainConfig

    return TrainConfig(
        loss="hinge", batch_size=128, lr=lr, momentum=0.9, weight_decay=5e-4, schedule="cosine", cosine_share=0.8,
        max_epochs=epochs, zero_multiple=epochs,
    )  # fmt: skip


@dataclass(frozen=True)
class ImageNetJob:
    """One seed of one net of the zoo on a task.

    Parameters
    ----------
    net : str
        Name of the net.
    task : Task
    n_train, n_test : int
        Rows.
    seed : int
        Root seed.
    epochs, lr
        Of `published_recipe`; all epochs are made, also after the loss is 0.
    options : mapping
        What the net is built with, beside channels, classes and seed.
    draws : int
        Draws of each measurement.
    layers : bool
        Whether all layers are measured, those of the initial and of the shuffled net too; else the output alone.
    """

    net: str
    task: Task
    n_train: int
    seed: int
    epochs: int
    lr: float = PUBLISHED_STEP
    options: Mapping[str, Any] = field(default_factory=dict)
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
        return published_recipe(self.epochs, self.lr)

    def describe(self) -> dict[str, Any]:
        """All its numbers, and those of the training."""
        found = asdict(self) | {"train": self.config.describe(), "noise": asdict(NOISE)}
        # Results made before batch norms were calibrated are none of this job.
        return found | {"initial_batch_norm": "calibrated"} if self.layers else found

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """Train, going on from what `folder` holds, and measure.

        - ``nets``: one row: errors, and D, G, R of the output.
        - ``layers``: where asked for, a row for each layer of the initial, the trained and the shuffled net.
        """
        import pandas as pd

        from scaledetect.nets import NetSpec
        from scaledetect.training import train

        run = train(
            self.task,
            NetSpec(self.net, {"in_channels": 1, "n_classes": 1, **self.options}),
            n_train=self.n_train,
            n_test=self.n_test,
            seeds=self.seed,
            config=self.config,
            output=folder,
            on_epoch=lambda now: say(f"epoch {now.epoch} of {now.max_epochs}, loss {now.losses.mean():.2e}"),
        )
        (member,) = run.members
        about: dict[str, Any] = {"net": self.net, "n_train": self.n_train, "sigma": 0.0, "seed": self.seed}
        if member.status == "diverged":
            return {"nets": pd.DataFrame([{**about, "status": member.status, "epochs": member.epochs}])}
        say("measuring")
        trained = self._measured(member.net)
        output = {name: trained[-1][name] for name in QUANTITIES}
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
        seed = factor_seed(self.seed, "measure")
        s = sensitivities(net, self.task, self.draws, noise=NOISE, layers=layers, seed=seed)
        return [
            {"layer": layer, "k": k, "depth": k / len(s), **{name: getattr(s, name)[k - 1] for name in QUANTITIES}}
            for k, layer in enumerate(s.layers, start=1)
        ]
