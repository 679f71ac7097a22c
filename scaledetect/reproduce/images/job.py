"""Train an image net on a data set, and measure it: all layers before and after, shuffled channels, filter spectra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaledetect._base.errors import bad_value
from scaledetect.perturbations.noise import Noise
from scaledetect.reproduce.study import Tables

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from scaledetect.images import ImageData
    from scaledetect.training import ImageTrainConfig, ImageTrainingRun

__all__ = ["ImageDataJob", "layer_rows"]

QUANTITIES = ("D", "D_stderr", "G", "G_stderr", "R", "R_stderr")
NOISE = Noise(match="sample")
"""Of the measurements: as strong as the deformation, image by image."""


@dataclass(frozen=True)
class ImageDataJob:
    """One seed of one net on a data set of images.

    Parameters
    ----------
    net : str
        Name of the net.
    n_train, n_test : int
        Images for training, and for the test error.
    seed : int
        Root seed.
    config : ImageTrainConfig
    options : mapping
        What the net is built with, beside channels, classes and seed.
    data : str, default "cifar10"
    images : int, default 500
        Test images that D and G are measured on.
    """

    net: str
    n_train: int
    n_test: int
    seed: int
    config: ImageTrainConfig
    options: Mapping[str, Any] = field(default_factory=dict)
    data: str = "cifar10"
    images: int = 500

    @property
    def name(self) -> str:
        """Net, training images, epochs, noise and seed."""
        sizes = f"P{self.n_train}-e{self.config.epochs}-sigma{self.config.noise_norm:g}"
        return f"{self.net.replace('_', '-')}-{sizes}-seed{self.seed}"

    def describe(self) -> dict[str, Any]:
        """All its numbers."""
        return asdict(self) | {"measured_with": asdict(NOISE), "initial_batch_norm": "calibrated"}

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        """Train, going on from what `folder` holds, and measure.

        - ``nets``: one row: errors, and D, G, R of the output.
        - ``layers``: a row for each layer of the initial, the trained and the shuffled net.
        - ``spectra``: a row for each convolution and eigenvalue of the initial and the trained net.
        """
        import pandas as pd

        from scaledetect.nets import NetSpec
        from scaledetect.training import train

        data = _load(self.data)
        shape = {"in_channels": data.train_images.shape[1], "n_classes": len(data.classes)}
        run = train(
            data, NetSpec(self.net, {**shape, **self.options}), n_train=self.n_train, n_test=self.n_test,
            seeds=self.seed, config=self.config, output=folder,
            on_epoch=lambda now: say(f"epoch {now.epoch} of {now.max_epochs}, loss {now.losses[0]:.3f}"),
        )  # fmt: skip
        (member,) = run.members
        about: dict[str, Any] = {
            "net": self.net,
            "n_train": self.n_train,
            "sigma": self.config.noise_norm,
            "seed": self.seed,
        }
        score: dict[str, Any] = {"status": member.status, "epochs": member.epochs, "kept": member.reached}
        score |= {"train_error": member.train_error, "test_error": member.test_error}
        if member.status == "diverged":
            return {"nets": pd.DataFrame([{**about, **score}])}
        say("measuring")
        nets = self._nets(run)
        rows = {curve: layer_rows(net, data.test_images[: self.images], self._draws) for curve, net in nets.items()}
        output = {name: rows["trained"][-1][name] for name in QUANTITIES}
        tables = {"nets": pd.DataFrame([{**about, **score, **output}])}
        tables["layers"] = pd.DataFrame([{**about, "curve": c, **row} for c, found in rows.items() for row in found])
        if "shuffled" in nets:
            spectra = [_spectrum(nets[curve]).assign(curve=curve) for curve in ("initial", "trained")]
            table = pd.concat(spectra, ignore_index=True)
            tables["spectra"] = table.assign(**about)[[*about, "curve", *table.columns.drop("curve")]]
        return tables

    @property
    def _draws(self) -> int:
        from scaledetect.sampling.seeds import factor_seed

        return factor_seed(self.seed, "measure")

    def _nets(self, run: ImageTrainingRun) -> dict[str, nn.Module]:
        """By curve; a net without convolutions has no channels to shuffle."""
        from torch import nn

        from scaledetect.probes import shuffle_channels

        trained = run.member(self.seed).net
        nets = {"initial": run.initial_net(self.seed), "trained": trained}
        if any(isinstance(module, nn.Conv2d) for module in trained.modules()):
            nets["shuffled"] = shuffle_channels(trained, self._draws)
        return nets


def layer_rows(net: nn.Module, images: Any, seed: int) -> list[dict[str, Any]]:
    """A row a layer: its number k from 1, depth k/K, and D, G, R with their errors."""
    from scaledetect.sensitivity import image_sensitivities

    s = image_sensitivities(net, images, noise=NOISE, seed=seed)
    return [
        {"layer": layer, "k": k, "depth": k / len(s), **{name: getattr(s, name)[k - 1] for name in QUANTITIES}}
        for k, layer in enumerate(s.layers, start=1)
    ]


def _spectrum(net: nn.Module) -> pd.DataFrame:
    """Filters of one pixel are left out: the constant is all they have."""
    from scaledetect.probes import filter_spectrum

    found = filter_spectrum(net)
    wide = [layer for layer, alone in zip(found.layers, found.pointwise, strict=True) if not alone]
    table = found.to_frame(by="eigenvalue")
    return table[table["layer"].isin(wide)]


@lru_cache(maxsize=1)
def _load(name: str) -> ImageData:
    from scaledetect.images import load

    try:
        return load(name)
    except ConnectionError as error:
        raise bad_value("data", name, " ".join(str(error).split())) from error
