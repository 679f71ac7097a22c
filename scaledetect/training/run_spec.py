"""Specification of a training run, checked before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from numbers import Integral
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from scaledetect._base.arguments import check_seed, integer, integers
from scaledetect._base.checklist import in_words
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.nets import NetFactory, NetSpec, PoolingNet
from scaledetect.nets.images.cifar import SIDE, CifarNet
from scaledetect.perturbations.noise import Noise
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.task import Task, check_task
from scaledetect.training.config import TrainConfig
from scaledetect.training.data import Sizes

__all__ = ["Net", "Plan", "Tracking", "check_last_batch", "check_repeats", "check_seeds", "describe_net"]

Net = PoolingNet | NetSpec | str | Callable[[int], nn.Module]


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
    spec: NetSpec | NetFactory
    sizes: Sizes
    seeds: tuple[int, ...]
    config: TrainConfig
    tracking: Tracking
    start_from: Mapping[int, nn.Module] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        task: Task,
        net: Net,
        sizes: Sizes,
        seeds: int | Iterable[int],
        config: object,
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
        numbers = check_seeds(seeds)
        built = spec.build(factor_seed(numbers[0], "init"))
        if isinstance(spec, NetFactory):
            check_repeats(spec, built, factor_seed(numbers[0], "init"))
        _check_net(built, task, sizes, config)
        if isinstance(spec, NetSpec) and isinstance(built, PoolingNet):
            spec = NetSpec.of(built)  # with the defaults spelt out
        if config.zero_validation and not sizes.validation:
            raise bad_value("zero_validation", True, "asks for validation rows", "raise n_validation, or leave it out")
        beginnings = {} if start_from is None else _beginnings(start_from, numbers, built)
        return cls(task, spec, sizes, numbers, config, _checked(tracking, config.max_epochs), beginnings)

    @property
    def stacked(self) -> bool:
        """Whether all members are trained in one computation."""
        config = self.config
        plain = config.optimizer == "sgd" and not config.momentum and not config.weight_decay
        return self.spec.name == "pooling" and plain

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
        net = describe_net(self.spec, self.initial(self.seeds[0]) if isinstance(self.spec, NetFactory) else None)
        tracking = asdict(self.tracking) if self.tracking.epochs else None
        begun = {"start_from": {str(seed): _digest(net) for seed, net in self.start_from.items()}}
        return {
            "task": asdict(self.task), "net": net, **sizes, "seeds": self.seeds, "config": self.config.describe(),
            "tracking": tracking, "stream_version": STREAM_VERSION, **(begun if self.start_from else {}),
        }  # fmt: skip


def describe_net(spec: NetSpec | NetFactory, first: nn.Module | None) -> dict[str, Any]:
    """Plain data of a net that is built again; of a function of one's own with `first`, a net that it has built."""
    if first is not None:
        # The name alone says little: other code under it builds other weights.
        return {"factory": spec.name, "first_weights": _digest(first)}
    return {"name": spec.name, "options": dict(spec.options)}


def _spec(net: Net, task: Task, config: TrainConfig) -> NetSpec | NetFactory:
    if isinstance(net, NetSpec):
        return net
    if isinstance(net, PoolingNet):
        return NetSpec.of(net)
    if not isinstance(net, str):
        return NetFactory(net)
    if net == "pooling":
        return NetSpec(net, {"dim": task.dim})
    return NetSpec(net, {"in_channels": 1, "n_classes": 1 if config.loss == "hinge" else 2})


def _check_net(net: nn.Module, task: Task, sizes: Sizes, config: TrainConfig) -> None:
    if isinstance(net, PoolingNet):
        _check_pooling(net, task, config)
        return
    if config.ridge:
        raise bad_value("ridge", config.ridge, "is defined for PoolingNet only", "leave it out")
    if isinstance(net, CifarNet):
        _check_cifar(net, task, config)
    else:
        _check_own(net, task, config)
    check_last_batch(net, sizes.train, config.batch_size)


def check_last_batch(net: nn.Module, n_train: int, batch_size: int) -> None:
    """Raise where a net with batch norm would meet a batch of one image."""
    has_statistics = any(isinstance(module, _BatchNorm) for module in net.modules())
    if has_statistics and n_train % batch_size == 1:
        text = f"leaves a batch of one image at the end of n_train={n_train}, and this net normalises over the batch"
        raise bad_value("batch_size", batch_size, text, "choose another")


def _check_cifar(net: CifarNet, task: Task, config: TrainConfig) -> None:
    if task.dim != 2 or task.size > SIDE:
        text = f"takes images of two dimensions and up to {SIDE} pixels; the task has dim={task.dim}, size={task.size}"
        raise bad_value("net", type(net).__name__, text, "choose another card, or a PoolingNet")
    outputs = 1 if config.loss == "hinge" else 2
    if net.in_channels != 1 or net.n_classes != outputs:
        text = f"has in_channels={net.in_channels} and n_classes={net.n_classes}"
        raise bad_value("net", type(net).__name__, f"{text}; loss={config.loss!r} needs 1 and {outputs}")


def _check_own(net: nn.Module, task: Task, config: TrainConfig) -> None:
    """Raise unless a net of one's own maps images of the task to as many outputs as the loss needs."""
    outputs, name = 1 if config.loss == "hinge" else 2, type(net).__name__
    images = torch.zeros(2, 1, *task.shape, dtype=getattr(torch, config.dtype))
    modes = [(module, module.training) for module in net.modules()]
    try:
        with torch.no_grad():
            found = net.to(images.dtype).eval()(images)
    except Exception as error:
        text = f"fails on images of shape {tuple(images.shape)}: {in_words(error)}"
        raise bad_value("net", name, text, "build one that takes (n, 1, L[, L[, L]])") from error
    for module, mode in modes:
        module.training = mode
    shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
    if shape != (2, outputs):
        text = f"returns {shape} for two images, and loss={config.loss!r} needs (2, {outputs})"
        raise bad_value("net", name, text, "end it with a layer of as many outputs")


def check_repeats(factory: NetFactory, net: nn.Module, seed: int) -> None:
    """Raise unless a function of one's own builds the same net twice from one seed."""
    if _digest(net) != _digest(factory.build(seed)):
        text = "builds other weights when it is called with the same seed again"
        raise bad_value("net", factory.name, text, "draw all weights from the seed, or from torch's generator")


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


def check_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """Root seeds as a tuple of different integers from 0 to 2^64 - 1."""
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
