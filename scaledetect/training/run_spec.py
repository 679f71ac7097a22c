"""Specification of a training run, checked before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from numbers import Integral
from typing import Any

from torch import nn

from scaledetect._base.arguments import check_seed, integer, integers
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.nets import NetSpec, PoolingNet
from scaledetect.nets.images.cifar import SIDE, CifarNet
from scaledetect.perturbations.noise import Noise
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.check_task import check_task
from scaledetect.task.task import Task
from scaledetect.training.config import TrainConfig
from scaledetect.training.data import Sizes

__all__ = ["Plan", "Tracking"]


@dataclass(frozen=True)
class Tracking:
    """Sensitivities to be measured during training: epochs, draws and noise."""

    epochs: tuple[int, ...] = ()
    n: int = 2000
    noise: Noise = Noise()


@dataclass(frozen=True)
class Plan:
    """Everything a run is a function of."""

    task: Task
    spec: NetSpec
    sizes: Sizes
    seeds: tuple[int, ...]
    config: TrainConfig
    tracking: Tracking
    start_from: Mapping[int, nn.Module] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        task: Task,
        net: PoolingNet | NetSpec | str,
        sizes: Sizes,
        seeds: int | Iterable[int],
        config: TrainConfig,
        tracking: Tracking,
        start_from: Mapping[int, nn.Module] | None = None,
    ) -> Plan:
        """Check all of it.

        Raises
        ------
        TypeError, ValueError, KeyError
            Naming the argument.
        """
        check_task(task)
        if not isinstance(config, TrainConfig):
            raise bad_type("config", config, "must be a scaledetect.TrainConfig")
        sizes = sizes.check(task)
        spec = _spec(net, task, config)
        built = spec.build()
        _check_net(built, task, sizes, config)
        if isinstance(built, PoolingNet):
            spec = NetSpec.of(built)  # with the defaults spelt out
        if config.zero_validation and not sizes.validation:
            raise bad_value("zero_validation", True, "asks for validation rows", "raise n_validation, or leave it out")
        numbers = _seeds(seeds)
        beginnings = {} if start_from is None else _beginnings(start_from, numbers, built)
        return cls(task, spec, sizes, numbers, config, _checked(tracking, config.max_epochs), beginnings)

    @property
    def stacked(self) -> bool:
        """Whether all members are trained in one computation."""
        return self.spec.name == "pooling" and self.config.optimizer == "sgd"

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """Seeds of the members that are trained together."""
        return [self.seeds] if self.stacked else [(seed,) for seed in self.seeds]

    def initial(self, seed: int) -> nn.Module:
        """The net of a member before the first step of this run."""
        net = self.spec.build(factor_seed(seed, "init"))
        if seed in self.start_from:
            net.load_state_dict(self.start_from[seed].state_dict())
        return net

    def describe(self) -> dict[str, Any]:
        """Plain data: two runs of the same description are the same run."""
        sizes = {f"n_{name}": value for name, value in asdict(self.sizes).items()}
        net = {"name": self.spec.name, "options": dict(self.spec.options)}
        tracking = asdict(self.tracking) if self.tracking.epochs else None
        begun = {"start_from": {str(seed): _digest(net) for seed, net in self.start_from.items()}}
        return {
            "task": asdict(self.task), "net": net, **sizes, "seeds": self.seeds, "config": asdict(self.config),
            "tracking": tracking, "stream_version": STREAM_VERSION, **(begun if self.start_from else {}),
        }  # fmt: skip


def _spec(net: PoolingNet | NetSpec | str, task: Task, config: TrainConfig) -> NetSpec:
    if isinstance(net, NetSpec):
        return net
    if isinstance(net, PoolingNet):
        return NetSpec.of(net)
    if not isinstance(net, str):
        way_out = "give a PoolingNet, a NetSpec, or the name of a net"
        raise bad_type("net", type(net).__name__, "is no net that can be built again from a seed", way_out)
    if net == "pooling":
        return NetSpec(net, {"dim": task.dim})
    return NetSpec(net, {"in_channels": 1, "n_classes": 1 if config.loss == "hinge" else 2})


def _check_net(net: nn.Module, task: Task, sizes: Sizes, config: TrainConfig) -> None:
    if isinstance(net, PoolingNet):
        _check_pooling(net, task, config)
        return
    assert isinstance(net, CifarNet)
    if task.dim != 2 or task.size > SIDE:
        text = f"takes images of two dimensions and up to {SIDE} pixels; the task has dim={task.dim}, size={task.size}"
        raise bad_value("net", type(net).__name__, text, "choose another card, or a PoolingNet")
    outputs = 1 if config.loss == "hinge" else 2
    if net.in_channels != 1 or net.n_classes != outputs:
        text = f"has in_channels={net.in_channels} and n_classes={net.n_classes}"
        raise bad_value("net", type(net).__name__, f"{text}; loss={config.loss!r} needs 1 and {outputs}")
    if config.ridge:
        raise bad_value("ridge", config.ridge, "is defined for PoolingNet only", "leave it out")
    has_statistics = any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    if has_statistics and sizes.train % config.batch_size == 1:
        text = (
            f"leaves a batch of one image at the end of n_train={sizes.train}, and this net normalises over the batch"
        )
        raise bad_value("batch_size", config.batch_size, text, "choose another")


def _check_pooling(net: PoolingNet, task: Task, config: TrainConfig) -> None:
    if net.dim != task.dim:
        raise bad_value("net", net.dim, f"takes images of dim={net.dim}, and the task has dim={task.dim}")
    if config.loss != "hinge":
        raise bad_value("loss", config.loss, "needs two outputs, and a PoolingNet has one", 'take loss="hinge"')
    if net.pooling.filter_size[0] > task.size:
        raise bad_value(
            "filter_size", net.pooling.filter_size[0], f"the first filter must fit the image, size={task.size}"
        )
    side = task.size
    for k, stride in enumerate(net.pooling.stride, start=1):
        if stride > side:
            text = f"layer {k} would shrink a map of {side} sites below one"
            raise bad_value("stride", net.pooling.stride, text, "lower depth or stride")
        side = -(-side // stride)


def _seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    if isinstance(seeds, Integral):
        return (check_seed(seeds, "seeds"),)
    numbers = integers("seeds", seeds, 0, 2**64 - 1, kind="an integer from 0 to 2^64 - 1, or several")
    if not numbers or len(set(numbers)) < len(numbers):
        raise bad_value("seeds", numbers, "must be at least one, all different")
    return numbers


def _beginnings(start_from: Mapping[int, nn.Module], seeds: tuple[int, ...], like: nn.Module) -> dict[int, nn.Module]:
    """A net for each seed, with the parameters of `like`."""
    if not isinstance(start_from, Mapping):
        raise bad_type("start_from", type(start_from).__name__, "must map each seed to the net it begins with")
    if missing := [seed for seed in seeds if seed not in start_from]:
        raise bad_value("start_from", sorted(start_from), f"has no net for the seeds {missing}", "give one for each")
    shapes = {name: tensor.shape for name, tensor in like.state_dict().items()}
    for seed in seeds:
        net = start_from[seed]
        if not isinstance(net, nn.Module):
            raise bad_type("start_from", type(net).__name__, f"must be a net, at seed {seed}")
        if {name: tensor.shape for name, tensor in net.state_dict().items()} != shapes:
            text = f"at seed {seed} has other parameters than the net that is trained"
            raise bad_value("start_from", type(net).__name__, text, "build both with the same numbers")
    return {seed: start_from[seed] for seed in seeds}


def _digest(net: nn.Module) -> str:
    """SHA-256 (hex) of the parameters, so that a folder knows what its run began with."""
    found = hashlib.sha256()
    for name, tensor in sorted(net.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def _checked(tracking: Tracking, max_epochs: int) -> Tracking:
    from scaledetect.sensitivity.options import MIN_BLOCKS

    if not isinstance(tracking.noise, Noise):
        raise bad_type("noise", tracking.noise, "must be a scaledetect.Noise")
    for epoch in tracking.epochs:
        integer("track", epoch, 0, kind="numbers of epochs, 0 for before training")
        if epoch > max_epochs:
            raise bad_value("track", epoch, f"is past the last epoch, max_epochs={max_epochs}")
    if integer("track_draws", tracking.n) < 1 or tracking.n % (2 * MIN_BLOCKS):
        raise bad_value("track_draws", tracking.n, f"must be a multiple of {2 * MIN_BLOCKS}")
    return Tracking(tuple(sorted({int(epoch) for epoch in tracking.epochs})), int(tracking.n), tracking.noise)
