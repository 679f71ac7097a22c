"""Coherent share of the noise response of constant filters, exact: how much of it is the same for every draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.perturbations.noise import Noise
from scaledetect.results import CoherentShare, Pooling
from scaledetect.task.task import Task, check_task
from scaledetect.theory._fast import fast_moments, has_fast_path
from scaledetect.theory._general import general_moments
from scaledetect.theory._moments import Moments, noise_response
from scaledetect.theory._pooling import layer_parameters
from scaledetect.theory._sensitivities import checked_pooling, strength
from scaledetect.theory._windows import FirstLayer

__all__ = ["coherent_share"]


def coherent_share(
    task: Task,
    net: Any = None,
    *,
    filter_size: int | Sequence[int] = 2,
    stride: int | Sequence[int] = 2,
    depth: int = 6,
    noise: Noise = Noise(),
) -> CoherentShare:
    """Exact coherent share of the noise response of a constant-filter net, layer by layer.

    With e = f(x + eta) - f(x) and mu_x, Cov_x its mean and covariance over the noise before the linear layers M,

        share = E_x |E_eta e|^2 / E_x E_eta |e|^2 = E_x |M mu_x|^2 / E_x [|M mu_x|^2 + tr(M Cov_x M^T)].

    Rectified noise has a mean; signed noise gets one from the ReLU of the first layer.

    Parameters
    ----------
    task : Task
        Any task without background noise.
    net : ConstantFilterNet, optional
        The net, or anything with its `pooling` and `dim`; or give its numbers:
    filter_size, stride : int or sequence of int, default 2
        Filter side F and stride s, pixels of the layer's input; one number, or one per layer.
    depth : int, default 6
        Number of layers K.
    noise : Noise, default signed and matched to the ensemble
        ``match="sample"`` has no closed form.

    Returns
    -------
    CoherentShare
        With ``kind="theory"`` and standard error 0, as `scaledetect.probes.coherent_share` measures.

    Raises
    ------
    TypeError, ValueError
        As `scaledetect.theory.sensitivities`.

    Notes
    -----
    It makes exact what Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 4, says of noise: rectified noise
    piles up under pooling.

    Examples
    --------
    >>> from scaledetect import Noise, Task, theory
    >>> noise = Noise(mode="rectified_noise")
    >>> theory.coherent_share(Task(size=64, xi=16), depth=5, noise=noise).share.round(3)
    array([0.483, 0.651, 0.789, 0.882, 0.937])
    """
    check_task(task)
    pooling = checked_pooling(task, net, filter_size, stride, depth)
    sigma = strength(task, noise)
    first = FirstLayer.of(task, pooling.filter_size[0], pooling.stride[0], sigma)
    total, coherent = _responses(task, pooling, noise, sigma, first)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, coherent / total, np.nan)
    config = {"task": asdict(task), "net": {"dim": task.dim, **asdict(pooling)}, "noise": asdict(noise)}
    return CoherentShare(
        layers=pooling.layers,
        share=share,
        stderr=np.zeros(pooling.depth),
        sigma=sigma,
        kind="theory",
        A=pooling.A,
        config=config,
    )


@dataclass(frozen=True)
class _MeanFirstLayer(FirstLayer):
    """The first layer with the mean over the noise in the place of the noise: its E[e_i e_j] is E_x[mu_i mu_j]."""

    def pair_values(self, shared: NDArray[np.int64]) -> FloatArray:
        u, v = np.arange(3)[:, None], np.arange(3)
        mean = self.kappa * self.slope * (u * (v == 2) + v * (u == 2)) + self.kappa**2 * ((u == 2) & (v == 2))
        return np.broadcast_to(mean, (shared.size, 3, 3))


def _responses(
    task: Task, pooling: Pooling, noise: Noise, sigma: float, first: FirstLayer
) -> tuple[FloatArray, FloatArray]:
    """E_x E_eta |e|^2 and E_x |E_eta e|^2 of each layer, shape (K,)."""
    signed = noise.mode == "signed"
    moments = _moments(task, pooling, first if signed else None)
    if signed:
        mean = _MeanFirstLayer(**{item.name: getattr(first, item.name) for item in fields(first)})
        coherent = _moments(task, pooling, mean)
    else:
        none = np.zeros(pooling.depth)
        coherent = replace(moments, white=none, active=none)
    total, share = (noise_response(part, noise.mode, task.pixel_value, first, sigma) for part in (moments, coherent))
    return total, share


def _moments(task: Task, pooling: Pooling, first: FirstLayer | None) -> Moments:
    if has_fast_path(task):
        return fast_moments(task, pooling, first)
    return general_moments(task, layer_parameters(pooling), first)
