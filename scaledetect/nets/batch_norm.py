"""Batch norm before training: running statistics calibrated by one pass over training images."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from scaledetect._base.arguments import integer
from scaledetect._base.errors import bad_type, bad_value

__all__ = ["calibrate_batch_norm"]

Net = TypeVar("Net", bound=nn.Module)


def calibrate_batch_norm(net: Net, images: Tensor | NDArray[Any], *, batch_size: int = 128) -> Net:
    """Set the running statistics of every batch norm of `net` to their averages over one pass of `images`, in weight.

    A batch norm is born with mean 0 and variance 1, with which eval mode makes it the identity: measured so, a net at
    initialisation is the same net without batch norm. Call this on a net that was not trained; a trained one has its
    statistics from training.

    Parameters
    ----------
    net : torch.nn.Module
        Nothing but running statistics changes: modes, momentum, weights and torch's random state are left as they were.
        A net without batch norm is left alone.
    images : torch.Tensor or ndarray of float, shape (n, channels, ...)
        Training images, at least two; they are brought to the device and dtype of the net, batch by batch.
    batch_size : int, default 128
        Images of a batch at most, at least 2. Batches are of equal size, to one image.

    Returns
    -------
    torch.nn.Module
        `net` itself.

    Raises
    ------
    TypeError, ValueError
        Naming the argument; for images on which a statistic is not finite. The statistics are then as they were.

    Notes
    -----
    Averages are cumulative: all batches weigh alike. The variance is, as in torch, the mean of the unbiased variances
    within batches. Dropout is off, as in a measurement.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.Task(dim=2, size=16, xi=5, gap=1, labelling="distance")
    >>> images, _ = sd.sample_images(task, 64, split="train")
    >>> net = sd.nets.calibrate_batch_norm(sd.nets.get("vgg11_bn", in_channels=1, n_classes=2), images)
    >>> int(net.layer1.norm.num_batches_tracked), net.training
    (1, True)
    """
    if not isinstance(net, nn.Module):
        raise bad_type("net", net, "must be a torch.nn.Module")
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm) and module.running_mean is not None]
    if not norms:
        return net
    batches = _batches(images, batch_size)
    with _averaging(net, norms):
        weight = next(net.parameters())
        for batch in batches:
            net(batch.to(weight.device, weight.dtype))
        for module in norms:
            _check_finite(module)
    return net


@contextmanager
def _averaging(net: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """Batch norms that average cumulatively, in a net that is otherwise in eval mode; undone, on errors all of it."""
    modes = [(module, module.training) for module in net.modules()]
    momenta = [(module, module.momentum) for module in norms]
    before = [copy.deepcopy(dict(module._buffers)) for module in norms]
    cuda = sorted({tensor.get_device() for tensor in net.parameters() if tensor.is_cuda})
    with torch.random.fork_rng(devices=cuda), torch.no_grad():
        try:
            for module, _ in modes:
                module.training = False
            for module in norms:
                module.reset_running_stats()
                module.momentum, module.training = None, True
            yield
        except BaseException:
            for module, buffers in zip(norms, before, strict=True):
                for name, value in buffers.items():
                    if value is not None:
                        module.get_buffer(name).copy_(value)
            raise
        finally:
            for module, momentum in momenta:
                module.momentum = momentum
            for module, mode in modes:
                module.training = mode


def _batches(images: Tensor | NDArray[Any], batch_size: int) -> tuple[Tensor, ...]:
    tensor: object = torch.from_numpy(np.ascontiguousarray(images)) if isinstance(images, np.ndarray) else images
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        kind = getattr(images, "dtype", type(images).__name__)
        raise bad_type("images", kind, "must be a floating torch tensor or NumPy array")
    if tensor.ndim < 2 or len(tensor) < 2:
        raise bad_value("images", tuple(tensor.shape), "must have shape (n, channels, ...), with at least two images")
    if integer("batch_size", batch_size) < 2:
        raise bad_value("batch_size", batch_size, "must be at least 2: one image has no variance")
    # 3 images in batches of 2 at most would leave one alone, which has no variance either.
    number = min(math.ceil(len(tensor) / int(batch_size)), len(tensor) // 2)
    return torch.tensor_split(tensor, number)


def _check_finite(module: nn.Module) -> None:
    mean, variance = module.get_buffer("running_mean"), module.get_buffer("running_var")
    if not bool(mean.isfinite().all() and variance.isfinite().all()):
        raise bad_value("images", "images", "give a statistic that is not finite", "check images and weights")
