"""The effective receptive field of each layer, from its derivative with respect to the image."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from scaledetect._base.arguments import check_seed, flag
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type
from scaledetect._base.progress import ProgressOption, reporting
from scaledetect.activations.capture import Capture, Function, warn_of_skipped
from scaledetect.activations.eval_context import left_as_found
from scaledetect.activations.net_input import DeviceAndType, Prepare
from scaledetect.probes.derivatives import Map, derivatives
from scaledetect.probes.dithered import DitheredImages
from scaledetect.task.task import Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReceptiveFields", "effective_receptive_field"]


@dataclass(frozen=True, eq=False)
class ReceptiveFields:
    """Effective receptive field of each layer.

    Attributes
    ----------
    layers : tuple of str, length K
        Names of the layers, in order of execution.
    A : ndarray of float64, shape (K,)
        Linear size, in input pixels: sqrt(1 + 12 Var). NaN where a layer has no derivative.
    weights : tuple of K ndarrays of float64, each of shape (L[, L[, L]])
        w(u), not normalised: the mean over images of the absolute derivative with respect to pixel u.
    n : int
        Number of images.
    """

    layers: tuple[str, ...]
    A: FloatArray
    weights: tuple[FloatArray, ...]
    n: int

    def __post_init__(self) -> None:
        for array in (self.A, *self.weights):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"<ReceptiveFields of {len(self)} layers, n={self.n}>"

    def to_frame(self) -> pd.DataFrame:
        """One row a layer: `layer`, `k` (1 to K), `A`."""
        import pandas as pd

        return pd.DataFrame({"layer": self.layers, "k": np.arange(1, len(self) + 1), "A": self.A})


def effective_receptive_field(
    net: nn.Module | Function,
    images: Task | Tensor | NDArray[np.floating[Any]],
    n: int | None = None,
    *,
    layers: Iterable[str] | None = None,
    periodic: bool = True,
    dither: float = 1e-3,
    prepare: Prepare | None = None,
    seed: int = 0,
    batch_size: int = 32,
    progress: ProgressOption = False,
) -> ReceptiveFields:
    """Measure over how many pixels each layer of a net pools: A = sqrt(1 + 12 Var).

    Var is the variance per axis, (1/d) sum_u w(u) |u - u_mean|^2 / sum_u w(u), of the weights w(u): the mean over
    images of |d f_k / d x_u|, where f_k is the channel mean of layer k at its central site.

    - For a `ConstantFilterNet` it is the receptive field of the exact theory, ``net.pooling.A``, as long as the filters
      do not wrap around the image.
    - A layer that weighs all pixels of the image alike has A = L.

    Parameters
    ----------
    net : torch.nn.Module, or callable
        Takes images of shape (n, channels, L[, L[, L]]); the same as for `scaledetect.sensitivities`. It runs in eval
        mode and is left as it was found.
    images : Task, or tensor or ndarray of shape (n, channels, L[, L[, L]])
        A task stands for images drawn from it with replacement.
    n : int, optional
        Number of images: by default 100 of a task, or all that are given.
    layers : iterable of str, optional
        As in `scaledetect.sensitivities`. A layer has shape (n, channels, sites per axis ...), or (n, channels): one
        site, in the centre of the image.
    periodic : bool, default True
        Take each pixel at its nearest image about the central site. False: where it is.
    dither : float, default 1e-3
        Added to each pixel: uniform in (0, dither], in units of the image's root mean square. On exact zeros, as in
        the background of a task's images, a net of ReLUs sits on its kinks, where derivatives mean nothing; 0 leaves it
        there.
    prepare : callable, optional
        Maps a batch of images to what `net` takes. The derivatives are those with respect to the images.
    seed : int, default 0
        Decides a task's images and the dither, from 0 to 2^64 - 1.
    batch_size : int, default 32
        Images in a forward pass, at most. Results do not depend on it beyond rounding.
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`, with images in the place of draws.

    Returns
    -------
    ReceptiveFields

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument; layers as in `scaledetect.sensitivities`.

    Warns
    -----
    RuntimeWarning
        For layers whose A is NaN: no map over space, no derivative, or none that is finite.

    Notes
    -----
    The definition extends A_k of Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5, to any net. A layer
    of L_k sites per axis has its central site, number L_k // 2, at pixel (L_k // 2 + 1/2) L / L_k - 1/2. Each layer
    takes one backward pass.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.probes import effective_receptive_field
    >>> net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> effective_receptive_field(net, sd.Task(size=64, xi=16)).A.round(4)
    array([2., 4., 8.])
    """
    seed = check_seed(seed)
    periodic = flag("periodic", periodic)
    if prepare is not None and not callable(prepare):
        raise bad_type("prepare", prepare, "must map a batch of images to what the net takes")
    source = DitheredImages.of(images, n, dither=dither, seed=seed)
    capture, maps = Capture(net, layers), dict[str, Map]()
    with reporting(progress, "images") as report, left_as_found(capture.module, seed=seed), capture:
        done = 0
        for batch in source.batches(DeviceAndType.of(capture.module), batch_size):
            for name, found in derivatives(capture, batch, prepare).items():
                maps[name] = found if name not in maps else found + maps[name]
            done += len(batch)
            report(done, len(source))
    warn_of_skipped(capture.skipped)
    A = np.array([_linear_size(found, periodic) for found in maps.values()])
    if flawed := [name for name, size in zip(maps, A, strict=True) if math.isnan(size)]:
        message = f"no map over space, or no finite derivative, so A is NaN: {', '.join(flawed)}"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    weights = tuple(found.weights / len(source) for found in maps.values())
    return ReceptiveFields(tuple(maps), A, weights, len(source))


def _linear_size(found: Map, periodic: bool) -> float:
    weights, total = found.weights, found.weights.sum()
    if found.sites is None or not (math.isfinite(total) and total > 0):
        return math.nan
    variance = 0.0
    for axis, (size, count) in enumerate(zip(weights.shape, found.sites, strict=True)):
        marginal = weights.sum(axis=tuple(other for other in range(weights.ndim) if other != axis)) / total
        u = np.arange(size) - ((count // 2 + 0.5) * size / count - 0.5)
        if periodic:
            u = (u + size / 2) % size - size / 2
        variance += float(marginal @ (u - marginal @ u) ** 2) / weights.ndim
    return math.sqrt(1 + 12 * variance)
