"""Training configuration: loss, step sizes, and the rule for stopping."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from scaledetect._base.arguments import at_least_one, finite, flag, not_negative, one_of, positive
from scaledetect._base.errors import bad_value

__all__ = ["TrainConfig", "refuse_beyond_float32"]

MOST = {"lr": 1e30, "noise_norm": 1e30, "ridge": 1e6, "weight_decay": 1e6}
"""Factors beyond which a step, the width and the other factor with it, is beyond single precision."""

YOUNGER = {"momentum": 0.0, "weight_decay": 0.0, "cosine_share": 1.0}
"""Fields that earlier versions lacked, and the values at which they do what those versions did."""


@dataclass(frozen=True)
class TrainConfig:
    """The numbers of a training run; the defaults are the paper's, without ridge.

    Parameters
    ----------
    batch_size : int, default 8
        Images a step; the last batch of an epoch may be smaller.
    lr : float, default 0.01
        Learning rate, at most 1e30; for `PoolingNet` under ``"sgd"`` it is multiplied by the width H.
    ridge : float, default 0
        Coefficient of sum_k |w_k|^2 / (H K) over the convolution weights of a `PoolingNet`; the paper takes 0.01; at
        most 1e6, and so is `weight_decay`.
    loss : {"hinge", "cross_entropy"}, default "hinge"
        mean max(0, 1 - y f) of a net with one output, or the cross-entropy of one with two.
    optimizer : {"sgd", "adam"}, default "sgd"
        With `momentum`, or Adam with the defaults of torch.
    schedule : {"constant", "cosine"}, default "constant"
        Learning rate over epochs; the cosine falls from `lr` in the first one towards 0 after the last, `max_epochs`,
        or after `cosine_share` of them.
    max_epochs : int, default 1000
    target_loss : float, default 0
        An epoch whose mean loss, each batch taken before its step, is not above this has *reached* the target.
        Without ridge and at 0 nothing moves in such an epoch, so that the whole training set has loss 0.
    zero_multiple : float, default 1
        Go on to this multiple of the first epoch that reached the target. With ridge the published code takes 500.
    zero_validation : bool, default False
        The target is reached only with no wrong validation row either, as the published code asks with ridge.
    dtype : {"float32", "float64"}, default "float32"
    momentum : float, default 0
        Of ``"sgd"``, at least 0 and below 1.
    weight_decay : float, default 0
        Coefficient of |w|^2 / 2 over matrices and filters; vectors (biases, norms) have none.
    cosine_share : float, default 1
        Share of the epochs over which the cosine falls, above 0 and at most 1; the epochs after it keep the rate of its
        last one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5 and appendix.

    Examples
    --------
    >>> from scaledetect import TrainConfig
    >>> TrainConfig(ridge=0.01, zero_multiple=500).lr
    0.01
    """

    batch_size: int = 8
    lr: float = 0.01
    ridge: float = 0.0
    loss: Literal["hinge", "cross_entropy"] = "hinge"
    optimizer: Literal["sgd", "adam"] = "sgd"
    schedule: Literal["constant", "cosine"] = "constant"
    max_epochs: int = 1000
    target_loss: float = 0.0
    zero_multiple: float = 1.0
    zero_validation: bool = False
    dtype: Literal["float32", "float64"] = "float32"
    momentum: float = 0.0
    weight_decay: float = 0.0
    cosine_share: float = 1.0

    def __post_init__(self) -> None:
        one_of("loss", self.loss, ("hinge", "cross_entropy"))
        one_of("optimizer", self.optimizer, ("sgd", "adam"))
        one_of("schedule", self.schedule, ("constant", "cosine"))
        one_of("dtype", self.dtype, ("float32", "float64"))
        put = partial(object.__setattr__, self)
        for name in ("batch_size", "max_epochs"):
            put(name, at_least_one(name, getattr(self, name)))
        for name in ("ridge", "target_loss", "momentum", "weight_decay"):
            put(name, not_negative(name, getattr(self, name)))
        for name in ("lr", "cosine_share"):
            put(name, positive(name, getattr(self, name)))
        refuse_beyond_float32(self)
        put("zero_multiple", finite("zero_multiple", self.zero_multiple))
        if self.zero_multiple < 1:
            raise bad_value("zero_multiple", self.zero_multiple, "must be at least 1")
        put("zero_validation", flag("zero_validation", self.zero_validation))
        if self.momentum >= 1:
            raise bad_value("momentum", self.momentum, "must be below 1")
        if self.momentum and self.optimizer != "sgd":
            raise bad_value("momentum", self.momentum, f"goes with optimizer='sgd', not {self.optimizer!r}")
        if self.cosine_share > 1:
            raise bad_value("cosine_share", self.cosine_share, "must be at most 1")
        if self.cosine_share != 1 and self.schedule != "cosine":
            raise bad_value("cosine_share", self.cosine_share, f"goes with schedule='cosine', not {self.schedule!r}")

    def describe(self) -> dict[str, Any]:
        """Plain data for runs and records that are kept; without fields that those kept by earlier versions lack."""
        return {name: value for name, value in asdict(self).items() if YOUNGER.get(name) != value}

    def factor(self, epoch: int) -> float:
        """What the schedule multiplies the learning rate by in `epoch`, counted from 1."""
        if self.schedule == "constant":
            return 1.0
        falling = max(1, round(self.cosine_share * self.max_epochs))
        return 0.5 * (1 + math.cos(math.pi * (min(epoch, falling) - 1) / falling))

    def last_epoch(self, reached: int | None) -> int:
        """The epoch at which training ends, given the first one that reached the target."""
        if reached is None:
            return self.max_epochs
        return min(self.max_epochs, math.ceil(self.zero_multiple * reached))


def refuse_beyond_float32(config: object) -> None:
    """Raise ValueError for a factor of a configuration that is above its `MOST`."""
    for name, most in MOST.items():
        value = getattr(config, name, 0.0)
        if value > most:
            raise bad_value(name, value, f"must be at most {most:g}, or steps are no numbers of float32")
