"""Mean filters of a net, and copies whose filters keep only their mean, or their mean and standard deviation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scaledetect._base.arguments import check_seed
from scaledetect.probes.convolutions import Conv, convolutions, with_filters

__all__ = ["gaussian_filters", "mean_field_filters", "mean_filters"]


def mean_filters(net: nn.Module) -> tuple[NDArray[np.float64], ...]:
    """The mean filter of each convolution: over output and input channels, pixel by pixel.

    Parameters
    ----------
    net : torch.nn.Module
        With convolutions of 1, 2 or 3 dimensions. It is not changed.

    Returns
    -------
    tuple of K ndarrays of float64, each of shape (F,), (F, F) or (F, F, F)
        In the order of ``net.named_modules()``: what `scaledetect.theory.mean_filter_sensitivities` takes.

    Raises
    ------
    TypeError, ValueError
        When `net` has no convolution, or one that is lazy, quantised, complex or on the meta device.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.probes import mean_filters
    >>> [w.round(3) for w in mean_filters(sd.nets.ConstantFilterNet(dim=1, filter_size=2, depth=2))]
    [array([0.5, 0.5]), array([0.5, 0.5])]
    """
    return tuple(_double(conv).mean(dim=(0, 1)).numpy() for conv in convolutions(net).values())


def mean_field_filters(net: nn.Module) -> nn.Module:
    """A copy of the net in which every filter is the mean filter of its layer: no channel is special.

    The mean is taken pixel by pixel over output and input channels, in all groups together. Biases stay.

    Parameters
    ----------
    net : torch.nn.Module
        With convolutions of 1, 2 or 3 dimensions. It is not changed.

    Returns
    -------
    torch.nn.Module
        A deep copy, its hooks included. It is its own mean-field copy, and so is a net of one channel.

    Raises
    ------
    TypeError, ValueError
        When `net` has no convolution, cannot be copied, or a convolution is lazy, quantised, complex, on the meta
        device, or has a weight computed from other tensors.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5 and appendix.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.probes import mean_field_filters
    >>> weight = mean_field_filters(sd.nets.VGG((8, 8), in_channels=1)).layer2.conv.weight
    >>> bool((weight == weight[0, 0]).all())
    True
    """

    def mean(conv: Conv) -> Tensor:
        return _double(conv).mean(dim=(0, 1)).expand_as(conv.weight)

    return with_filters(net, mean)


def gaussian_filters(net: nn.Module, seed: int = 0) -> nn.Module:
    """A copy of the net whose filters are Gaussian, with their layer's mean and standard deviation at each pixel.

    Both are taken over output and input channels, in all groups together (the variance divided by their number). All
    correlations, between the pixels of a filter and between channels, are lost. Biases stay.

    Parameters
    ----------
    net : torch.nn.Module
        With convolutions of 1, 2 or 3 dimensions. It is not changed.
    seed : int, default 0
        Decides the filters, from 0 to 2^64 - 1; torch's random state is not touched.

    Returns
    -------
    torch.nn.Module
        A deep copy, its hooks included.

    Raises
    ------
    TypeError, ValueError
        When `net` has no convolution, cannot be copied, or a convolution is lazy, quantised, complex, on the meta
        device, or has a weight computed from other tensors.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5 and appendix.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.probes import gaussian_filters
    >>> net = gaussian_filters(sd.nets.VGG((8, 8), in_channels=1), seed=1)
    >>> net.layer2.conv.weight.shape
    torch.Size([8, 8, 3, 3])
    """
    rng = np.random.default_rng(check_seed(seed))

    def resampled(conv: Conv) -> Tensor:
        weight = _double(conv)
        mean, std = weight.mean(dim=(0, 1)), weight.std(dim=(0, 1), correction=0)
        return mean + std * torch.from_numpy(rng.standard_normal(tuple(weight.shape)))

    return with_filters(net, resampled)


def _double(conv: Conv) -> Tensor:
    # On the host: not every accelerator has float64.
    return conv.weight.detach().cpu().double()
