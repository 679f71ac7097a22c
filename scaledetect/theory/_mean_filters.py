"""Mean-filter theory: the trained net's own mean filters in the place of the box; nothing is fitted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import ArrayLike

from scaledetect._base.arguments import real_array
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Pooling, Sensitivities
from scaledetect.task.task import Task, check_task
from scaledetect.theory._general import general_moments
from scaledetect.theory._moments import excess_response
from scaledetect.theory._pooling import Layer
from scaledetect.theory._sensitivities import outcome, strength

__all__ = ["mean_filter_sensitivities"]


KERNEL_SITES = 2**20
"""Sites of the kernel of the last layer beyond which its receptive field is not computed."""


def mean_filter_sensitivities(
    task: Task, filters: Sequence[ArrayLike], *, stride: int | Sequence[int], noise: Noise = Noise()
) -> Sensitivities:
    """Sensitivities of the linear net of one channel that has the given filters, layer by layer, exact.

    With the mean filters of a trained net (`scaledetect.probes.mean_filters`) it predicts that net's sensitivities from
    its weights, without a free parameter. Layer k maps h to sum_u w_k(u) h(s_k i + u - (F - 1) // 2), with circular
    padding and weights of any sign; there are no biases and no ReLU. D, G and R do not depend on the scale of filters.

    Parameters
    ----------
    task : Task
        Any task without background noise, of at most 6144 sites.
    filters : sequence of K array_like of float, each of shape (F,), (F, F) or (F, F, F)
        Finite; as many axes as the task has dimensions.
    stride : int or sequence of int
        Stride s; one number, or one per layer.
    noise : Noise, default signed and matched to the ensemble
        The noise of G. The net is linear, so that signed noise adds sigma^2 tr(M M^T) only; that of
        `theory.sensitivities` is rectified by the ReLU of the first layer too, and has a mean. ``match="sample"`` has
        no closed form.

    Returns
    -------
    Sensitivities
        With ``kind="theory"``, `layers` named layer1 .. layerK. `A` is sqrt(1 + 12 Var) of the absolute values of the
        kernel, in input pixels. For constant filters it agrees with `theory.sensitivities` but for signed noise. D and
        G are NaN, with a warning, where the layer is constant over the images.

    Raises
    ------
    TypeError, ValueError
        For background noise, ``match="sample"``, filters of another dimension or that are not finite, a first filter
        wider than the image, or a task too large.

    Notes
    -----
    Beyond Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, whose section 4 takes constant filters.

    Examples
    --------
    >>> from scaledetect import Task, theory
    >>> theory.mean_filter_sensitivities(Task(size=32, xi=8), [[1, 1], [1, 1], [1, 1]], stride=2).D.round(4)
    array([0.5392, 0.2865, 0.164 ])
    """
    check_task(task)
    if isinstance(filters, str) or getattr(filters, "ndim", None) == 0 or not isinstance(filters, Iterable):
        raise bad_type("filters", filters, "must be one array of weights a layer")
    weights = [_filter(task, place, values) for place, values in enumerate(filters)]
    if not weights:
        raise bad_value("filters", filters, "must be at least one")
    pooling = Pooling.of(tuple(len(w) for w in weights), stride, len(weights))
    sigma = strength(task, noise)
    rows = (pooling.layers, _sizes(weights, pooling.stride))
    # The scale of the filters stays out of the sums: it would leave the range of float64 in a deep net.
    scales = [float(np.abs(w).max()) or 1.0 for w in weights]
    layers: list[Layer] = [(w / c, s) for w, c, s in zip(weights, scales, pooling.stride, strict=True)]
    moments = general_moments(task, layers, None)
    response = excess_response(moments, noise.mode, task.pixel_value, sigma)
    net = {"dim": task.dim, "filters": [w.tolist() for w in weights], "stride": pooling.stride}
    config = {"task": asdict(task), "net": net, "noise": asdict(noise)}
    found = outcome(task, rows, moments, response, sigma, config)
    return replace(found, Delta=found.Delta * np.cumprod(scales) ** 2)


def _filter(task: Task, place: int, values: ArrayLike) -> FloatArray:
    name = f"filters[{place}]"
    weights = real_array(name, values)
    if weights.ndim != task.dim or len(set(weights.shape)) != 1 or not weights.size:
        shape = ", ".join(["F"] * task.dim)
        raise bad_value(name, weights.shape, f"must have shape ({shape}), as the task has dim={task.dim}")
    if place == 0 and len(weights) > task.size:
        raise bad_value(name, weights.shape, f"the first filter must fit the image (size={task.size})")
    if not np.isfinite(weights).all():
        raise bad_value(name, weights.tolist(), "must be finite")
    return weights


def _sizes(filters: list[FloatArray], strides: tuple[int, ...]) -> FloatArray:
    """sqrt(1 + 12 Var) of |h_k|, h_k = w_1 * (w_2 up s_1) * ...: the sites on the infinite lattice that f_k sees."""
    from scipy.signal import convolve  # takes longer to load than the rest of the theory

    dim = filters[0].ndim
    kernel, spacing = np.ones((1,) * dim), 1
    sizes: list[float] = []
    for weights, stride in zip(filters, strides, strict=True):
        side = (len(weights) - 1) * spacing + 1
        if (len(kernel) + side - 1) ** dim > KERNEL_SITES:
            limit = f"layer {len(sizes) + 1} would see more than {KERNEL_SITES} sites"
            raise bad_value("filters", len(filters), limit, "leave out the last layers")
        spread = np.zeros((side,) * dim)
        spread[(slice(None, None, spacing),) * dim] = weights
        kernel = convolve(kernel, spread)
        kernel = kernel / (np.abs(kernel).max() or 1.0)
        spacing *= stride
        sizes.append(_size(np.abs(kernel)))
    return np.array(sizes)


def _size(weights: FloatArray) -> float:
    total = weights.sum()
    if total == 0:
        return math.nan
    variance = 0.0
    for axis in range(weights.ndim):
        marginal = weights.sum(axis=tuple(other for other in range(weights.ndim) if other != axis)) / total
        u = np.arange(len(marginal))
        variance += float(marginal @ (u - marginal @ u) ** 2) / weights.ndim
    return math.sqrt(1 + 12 * variance)
