"""Profile of a net's responses to single pixels: how alike they are at a distance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.results import ClusterProfile
from scaledetect.task.task import Task, check_task
from scaledetect.theory.cluster.responses import activation_slices, no_or_one_pixel, reader_on

if TYPE_CHECKING:
    import torch

__all__ = ["cluster_profile"]


def cluster_profile(
    net: Any,
    task: Task,
    *,
    layers: Iterable[str] | None = None,
    channel_mean: bool = False,
    seed: int = 0,
    prepare: Callable[[torch.Tensor], torch.Tensor] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> ClusterProfile:
    """How alike each layer responds to an active pixel at p and at p + z: <phi(p), phi(p + z)>, averaged over p.

    phi(p) = f(pixel p) - f(empty image). Along each axis z goes from 0 to L // 2 round the ring of a periodic
    ``labelling="distance"``, and to L - 1 on other tasks, over those p for which p + z is on the lattice; the axes are
    averaged. The class labels of the task do not enter.

    Parameters
    ----------
    net : torch.nn.Module or callable
    task : Task
        Size, border and value of an active pixel. Its background noise does not enter.
    layers, channel_mean, prepare, device, dtype
        As in `scaledetect.sensitivities`.
    seed : int, default 0
        Of torch's random state, for nets that draw numbers.

    Returns
    -------
    ClusterProfile
        `profile` is C(z) / C(0); C(1) / C(0) is its `neighbour_correlation`.

    Raises
    ------
    TypeError, ValueError, KeyError
        Layers and nets as in `scaledetect.sensitivities`.

    Notes
    -----
    Beyond Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506. For constant filters C(z) is the autocorrelation of
    the kernel of the layer, averaged over the sites that the strides leave out.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> sd.theory.cluster_profile(net, sd.Task(size=32, xi=8)).neighbour_correlation
    array([0.5  , 0.75 , 0.875])
    """
    check_task(task)
    wraps = task.periodic and task.labelling == "distance"
    z = np.arange(task.size // 2 + 1 if wraps else task.size)
    options: dict[str, Any] = {"layers": layers, "channel_mean": channel_mean, "prepare": prepare, "seed": seed}
    with reader_on(net, task, **options, device=device, dtype=dtype) as reader:
        total = {name: np.zeros(z.size) for name in reader.layers}
        for name, f in activation_slices(reader, no_or_one_pixel(task), 1 + task.n_sites):
            total[name] += _products((f[1:] - f[0]).reshape(*task.shape, -1), z, wraps=wraps)
    products = np.array(list(total.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        return ClusterProfile(tuple(total), z, products / products[:, :1], products[:, 0])


def _products(phi: FloatArray, z: NDArray[np.int64], *, wraps: bool) -> FloatArray:
    """Mean of <phi(p), phi(p + z)> over sites p and axes, shape (Z,), for phi of shape (L, ..., L, numbers)."""
    axes = range(phi.ndim - 1)
    return np.array([np.mean([_product(np.moveaxis(phi, axis, 0), step, wraps) for axis in axes]) for step in z])


def _product(phi: FloatArray, step: int, wraps: bool) -> float:
    end = len(phi) - step
    total, sites = np.vdot(phi[:end], phi[step:]), phi[:end, ..., 0].size
    if wraps and step:
        total, sites = total + np.vdot(phi[end:], phi[:step]), phi[..., 0].size
    return float(total / sites)
