"""Derivatives of each layer of a net with respect to the pixels of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scaledetect.activations.capture import Capture
from scaledetect.activations.net_input import Prepare, prepared

__all__ = ["Map", "derivatives"]


@dataclass(frozen=True, eq=False)
class Map:
    """Absolute derivatives of one layer's central site with respect to each pixel, summed over images.

    `weights` has the shape of an image without its channels; `sites` are the layer's sites per axis, None where it has
    no map over space.
    """

    weights: NDArray[np.float64]
    sites: tuple[int, ...] | None

    def __add__(self, other: Map) -> Map:
        return Map(self.weights + other.weights, self.sites)


def derivatives(capture: Capture, batch: Tensor, prepare: Prepare | None = None) -> dict[str, Map]:
    """The maps of each layer, in the order of execution, for a batch of shape (n, channels, L, ...).

    The net that `capture` has entered is in eval mode; gradients may be off. Derivatives with respect to the channels
    of a pixel are added up in absolute value.
    """
    dim = batch.ndim - 2
    values: dict[str, tuple[Tensor | None, tuple[int, ...] | None]] = {}

    def receive(name: str, activation: Tensor) -> None:
        # Taken at once: a later module may overwrite the activation.
        values[name] = _central(activation, dim)

    with torch.inference_mode(False), torch.enable_grad():
        leaf = batch.clone().requires_grad_()
        # A copy: the net's first module may work in place, which a leaf does not allow.
        x = leaf.clone()
        capture.run(prepared(x, prepare), receive)
        return {name: Map(_absolute(value, leaf), sites) for name, (value, sites) in values.items()}


def _central(activation: Tensor, dim: int) -> tuple[Tensor | None, tuple[int, ...] | None]:
    """Channel mean at the central site, summed over the batch; and the sites per axis. None for other shapes."""
    if activation.ndim == 2:
        return activation.mean(dim=1).sum(), (1,) * dim
    if activation.ndim != dim + 2:
        return None, None
    sites = tuple(activation.shape[2:])
    for side in sites:
        # Always the first axis that is left.
        activation = activation.select(2, side // 2)
    return activation.mean(dim=1).sum(), sites


def _absolute(value: Tensor | None, leaf: Tensor) -> NDArray[np.float64]:
    gradient = None
    if value is not None and value.requires_grad:
        (gradient,) = torch.autograd.grad(value, leaf, retain_graph=True, allow_unused=True)
    if gradient is None:
        return np.zeros(leaf.shape[2:])
    total: NDArray[np.float64] = gradient.abs().sum(dim=(0, 1)).double().cpu().numpy()
    return total
