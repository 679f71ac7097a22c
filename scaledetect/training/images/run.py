"""Training of several seeds on images: checks before any work, and the members one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from scaledetect._base.arguments import integer
from scaledetect._base.checklist import in_words
from scaledetect._base.errors import RefusalError, bad_type, bad_value
from scaledetect.images import ImageData
from scaledetect.nets import NetFactory, NetSpec
from scaledetect.sampling.seeds import factor_seed
from scaledetect.training.images.config import ImageTrainConfig
from scaledetect.training.images.loop import ImageTraining
from scaledetect.training.images.result import ImageTrainingRun
from scaledetect.training.loop import TrainProgress
from scaledetect.training.run_spec import check_last_batch, check_repeats, check_seeds, describe_net
from scaledetect.training.store import RunFolder

__all__ = ["ImagePlan", "train_on_images"]


@dataclass(frozen=True)
class ImagePlan:
    """Everything a run on images is a function of."""

    data: ImageData
    spec: NetSpec | NetFactory
    n_train: int
    n_test: int
    seeds: tuple[int, ...]
    config: ImageTrainConfig

    @classmethod
    def of(
        cls,
        data: ImageData,
        net: object,
        n_train: int | None,
        n_test: int | None,
        seeds: int | Iterable[int],
        config: object,
    ) -> ImagePlan:
        """Check all of it; errors name the argument."""
        if not isinstance(config, ImageTrainConfig):
            raise bad_type("config", config, "must be a scaledetect.ImageTrainConfig, as training is on images")
        sizes = [_size("n_train", n_train, data.train_labels), _size("n_test", n_test, data.test_labels)]
        numbers = check_seeds(seeds)
        spec = _spec(net, data)
        first = factor_seed(numbers[0], "init")
        built = spec.build(first)
        if isinstance(spec, NetFactory):
            check_repeats(spec, built, first)
        _check_net(built, data)
        check_last_batch(built, sizes[0], config.batch_size)
        return cls(data, spec, sizes[0], sizes[1], numbers, config)

    def describe(self) -> dict[str, Any]:
        """Plain data: two runs of the same description are the same run."""
        data = {"name": self.data.name, "sha256": self.data.digest}
        first = self.spec.build(factor_seed(self.seeds[0], "init")) if isinstance(self.spec, NetFactory) else None
        return {
            "data": data, "net": describe_net(self.spec, first), "n_train": self.n_train, "n_test": self.n_test,
            "seeds": self.seeds, "config": asdict(self.config),
        }  # fmt: skip


def train_on_images(
    data: ImageData,
    net: object,
    *,
    n_train: int | None,
    n_test: int | None,
    seeds: int | Iterable[int],
    config: object,
    output: str | Path | None,
    on_epoch: Callable[[TrainProgress], object] | None,
    device: torch.device,
    checkpoint_every: float,
) -> ImageTrainingRun:
    """Train a net on images; arguments are those of `scaledetect.train`, whose checks are done."""
    plan = ImagePlan.of(data, net, n_train, n_test, seeds, config)
    if plan.config.bfloat16 and device.type != "cuda":
        raise bad_value("bfloat16", True, f"needs a GPU, and the device is {str(device)!r}", "leave it out")
    members = []
    with nullcontext() if output is None else RunFolder(output, plan.describe()) as folder:
        for seed in plan.seeds:
            if folder is not None and folder.member_file(seed).exists():
                members.append(folder.load_member(seed, spec=plan.spec))
                continue
            training = ImageTraining(
                data,
                plan.spec,
                seed,
                plan.n_train,
                plan.n_test,
                plan.config,
                device,
                folder,
                on_epoch,
                checkpoint_every,
            )
            members.append(training.run())
    return ImageTrainingRun(data, plan.spec, plan.n_train, plan.n_test, plan.config, tuple(members))


def _size(name: str, value: int | None, labels: np.ndarray[Any, Any]) -> int:
    if value is None:
        return len(labels)
    return integer(name, value, 1, len(labels), way_out="the data set has no more images")


def _spec(net: object, data: ImageData) -> NetSpec | NetFactory:
    if isinstance(net, NetSpec):
        return net
    if isinstance(net, str):
        return NetSpec(net, {"in_channels": data.train_images.shape[1], "n_classes": len(data.classes)})
    return NetFactory(net)  # type: ignore[arg-type] # which refuses what is none


def _check_net(net: nn.Module, data: ImageData) -> None:
    """Raise unless the net takes the images and returns a number for each class."""
    images = torch.from_numpy(data.test_images[:2])
    wanted = (len(images), len(data.classes))
    label = f"{data.name!r} has images of shape {tuple(images.shape[1:])} and {wanted[1]} classes"
    was_training = net.training
    try:
        with torch.no_grad():
            output = net.eval()(images)
    except Exception as error:  # what a net raises on images of another shape is of no one kind
        if isinstance(error, RefusalError):
            raise bad_value("net", type(net).__name__, f"{label}, and it refuses them ({error})") from error
        raise bad_value("net", type(net).__name__, f"{label}, and it fails on them ({in_words(error)})") from error
    finally:
        net.train(was_training)
    if not isinstance(output, torch.Tensor) or tuple(output.shape) != wanted:
        found = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        raise bad_value("net", type(net).__name__, f"{label}, and it returns {found} for {wanted[0]} of them")
