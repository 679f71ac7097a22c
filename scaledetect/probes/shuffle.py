"""Channel shuffling: undo the pooling of channels, leave that of space."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from scaledetect._base.arguments import check_seed
from scaledetect.probes.convolutions import Conv, with_filters

__all__ = ["shuffle_channels"]


def shuffle_channels(net: nn.Module, seed: int = 0) -> nn.Module:
    """A copy of the net whose convolutions read their input channels in a random order.

    For each convolution one permutation of its input channels is drawn, the same for all its outputs, and its weight's
    second axis is permuted by it. A convolution in groups gets one permutation inside each group. With one input
    channel (in each group), as for depthwise convolutions, nothing changes.

    Parameters
    ----------
    net : torch.nn.Module
        With convolutions of 1, 2 or 3 dimensions. It is not changed.
    seed : int, default 0
        Decides the permutations, from 0 to 2^64 - 1; torch's random state is not touched.

    Returns
    -------
    torch.nn.Module
        A deep copy, its hooks included. Every filter is one of the original's, so no layer's spectrum changes.

    Raises
    ------
    TypeError, ValueError
        When `net` has no convolution, cannot be copied, or a convolution is lazy, quantised, complex, on the meta
        device, or has a weight computed from other tensors.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 3. Linear layers are not shuffled.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net = sd.nets.VGG((8, 8), in_channels=1)
    >>> from scaledetect.probes import shuffle_channels
    >>> shuffled = shuffle_channels(net, seed=1)
    >>> shuffled.layer1.conv.weight.equal(net.layer1.conv.weight)
    True
    >>> shuffled.layer2.conv.weight.equal(net.layer2.conv.weight)
    False
    """
    rng = np.random.default_rng(check_seed(seed))

    def shuffled(conv: Conv) -> Tensor:
        return torch.cat([_permuted(group, rng) for group in conv.weight.chunk(conv.groups)])

    return with_filters(net, shuffled)


def _permuted(weight: Tensor, rng: np.random.Generator) -> Tensor:
    channels = weight.shape[1]
    if channels == 1:
        return weight
    return weight[:, torch.from_numpy(rng.permutation(channels)).to(weight.device)]
