"""Configuration of training on images: optimiser, schedule, augmentation, noise, and which net is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from scaledetect._base.arguments import at_least_one, flag, integer, not_negative, one_of, positive
from scaledetect._base.errors import bad_value
from scaledetect.training.config import refuse_beyond_float32

__all__ = ["ImageTrainConfig"]


@dataclass(frozen=True)
class ImageTrainConfig:
    """The numbers of a training run on images; the defaults are the paper's, but for the net that is kept.

    Parameters
    ----------
    epochs : int, default 250
    batch_size : int, default 128
        Images a step; the last batch of an epoch may be smaller.
    lr : float, default 0.1
        Learning rate, at most 1e30, as `noise_norm` is; `weight_decay` is at most 1e6.
    optimizer : {"sgd", "adam"}, default "sgd"
        With `momentum`, or Adam with the defaults of torch.
    momentum : float, default 0.9
        Of ``"sgd"``, at least 0 and below 1.
    weight_decay : float, default 5e-4
        Coefficient of |w|^2 / 2 over matrices and filters; vectors (biases, norms) have none.
    schedule : {"cosine", "constant"}, default "cosine"
        Learning rate over epochs.
    cosine_share : float, default 0.8
        Share of the epochs over which the cosine falls from `lr` towards 0, above 0 and at most 1; the epochs after it
        keep the rate of its last one.
    crop : int, default 4
        Each time it is shown an image is shifted by up to this many pixels along each axis, black coming in at the
        border (a random crop of the padded image); 0 for none.
    flip : bool, default True
        Each time it is shown an image is mirrored with probability 1/2.
    noise_norm : float, default 0
        sigma: white noise of E|eta|^2 = sigma^2 per image is added to the training images, and to the test images.
    noise : {"anew", "fixed"}, default "anew"
        ``"anew"``: drawn whenever an image is shown, after crop and flip. ``"fixed"``: one draw belongs to each
        training image, and is cropped and mirrored with it. A test image always has one draw.
    keep : {"last", "best_test_error"}, default "last"
        The net that is kept: that of the last epoch, or that of the lowest error on the test images among all epochs,
        as the paper does; such an error is not one on unseen images.
    bfloat16 : bool, default False
        Forward passes of training in bfloat16 (autocast); on a GPU only.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, appendix, and the published scripts.

    Examples
    --------
    >>> from scaledetect import ImageTrainConfig
    >>> ImageTrainConfig(epochs=10).factor(1)
    1.0
    """

    epochs: int = 250
    batch_size: int = 128
    lr: float = 0.1
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["cosine", "constant"] = "cosine"
    cosine_share: float = 0.8
    crop: int = 4
    flip: bool = True
    noise_norm: float = 0.0
    noise: Literal["anew", "fixed"] = "anew"
    keep: Literal["last", "best_test_error"] = "last"
    bfloat16: bool = False

    def __post_init__(self) -> None:
        one_of("optimizer", self.optimizer, ("sgd", "adam"))
        one_of("schedule", self.schedule, ("cosine", "constant"))
        one_of("noise", self.noise, ("anew", "fixed"))
        one_of("keep", self.keep, ("last", "best_test_error"))
        put = partial(object.__setattr__, self)
        for name in ("epochs", "batch_size"):
            put(name, at_least_one(name, getattr(self, name)))
        for name in ("lr", "cosine_share"):
            put(name, positive(name, getattr(self, name)))
        for name in ("momentum", "weight_decay", "noise_norm"):
            put(name, not_negative(name, getattr(self, name)))
        refuse_beyond_float32(self)
        put("crop", integer("crop", self.crop, 0, 1024))
        for name in ("flip", "bfloat16"):
            put(name, flag(name, getattr(self, name)))
        if self.momentum >= 1:
            raise bad_value("momentum", self.momentum, "must be below 1")
        if self.cosine_share > 1:
            raise bad_value("cosine_share", self.cosine_share, "must be at most 1")

    def factor(self, epoch: int) -> float:
        """What the schedule multiplies the learning rate by in `epoch`, counted from 1."""
        if self.schedule == "constant":
            return 1.0
        falling = max(1, round(self.cosine_share * self.epochs))
        return 0.5 * (1 + math.cos(math.pi * (min(epoch, falling) - 1) / falling))
