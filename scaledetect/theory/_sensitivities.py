"""Exact sensitivities of a constant-filter net on a task: the public function."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Pooling, Sensitivities
from scaledetect.task.task import Task, check_task
from scaledetect.theory._fast import fast_moments, has_fast_path
from scaledetect.theory._general import general_moments
from scaledetect.theory._matching import ensemble_sigma
from scaledetect.theory._moments import Moments, noise_response
from scaledetect.theory._pooling import layer_parameters
from scaledetect.theory._windows import FirstLayer

__all__ = ["checked_pooling", "outcome", "sensitivities", "strength"]


EPS = float(np.finfo(np.float64).eps)

_DEFAULT_NET = (2, 2, 6)

_WAY_OUT = "measure it instead, or take theory.at_initialisation for a PoolingNet before training"


def sensitivities(
    task: Task,
    net: Any = None,
    *,
    filter_size: int | Sequence[int] = 2,
    stride: int | Sequence[int] = 2,
    depth: int = 6,
    noise: Noise = Noise(),
) -> Sensitivities:
    """Exact sensitivities of a constant-filter net on a task, layer by layer.

    On images, which are not negative, the net is linear, f_k = M_k x, and every sensitivity is a trace over the exact
    class-balanced ensemble of pairs. Nothing is sampled; the standard errors are 0.

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
        The noise of G. ``match="sample"`` has no closed form.

    Returns
    -------
    Sensitivities
        With ``kind="theory"``, `layers` named layer1 .. layerK, `A` in input pixels. D and G are NaN, with a warning,
        where Delta <= 1000 eps E|f|^2: the layer has become constant.

    Raises
    ------
    TypeError, ValueError
        For background noise, ``match="sample"``, a first filter wider than the image, a net of another dimension, a
        net together with numbers, or a task too large: the general path takes 6144 sites, the fast path, for periodic
        ``labelling="distance"``, 2^26.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, whose asymptotics (section 4) these values approach. We depart
    from it in being exact at every depth and size, with the boundaries and the signed noise it leaves out.

    Periodic ``labelling="distance"`` is stationary and takes the fast path, a sum over the power spectrum, as long as
    the strides divide the size; everything else takes the general path, by dense matrices.

    Examples
    --------
    >>> from scaledetect import Task, theory
    >>> theory.sensitivities(Task(size=32, xi=8), depth=3).D.round(4)
    array([0.5392, 0.2865, 0.164 ])
    """
    check_task(task)
    pooling = checked_pooling(task, net, filter_size, stride, depth)
    sigma = strength(task, noise)
    first = FirstLayer.of(task, pooling.filter_size[0], pooling.stride[0], sigma)
    signed = first if noise.mode == "signed" else None
    if has_fast_path(task):
        moments = fast_moments(task, pooling, signed)
    else:
        moments = general_moments(task, layer_parameters(pooling), signed)
    response = noise_response(moments, noise.mode, task.pixel_value, first, sigma)
    config = {"task": asdict(task), "net": {"dim": task.dim, **asdict(pooling)}, "noise": asdict(noise)}
    return outcome(task, (pooling.layers, pooling.A), moments, response, sigma, config)


def checked_pooling(
    task: Task, net: Any, filter_size: int | Sequence[int], stride: int | Sequence[int], depth: int
) -> Pooling:
    if net is None:
        pooling = Pooling.of(filter_size, stride, depth)
    else:
        # Numbers only: an array is neither equal to one nor different from it.
        given = zip((filter_size, stride, depth), _DEFAULT_NET, strict=True)
        if not all(type(value) is int and value == default for value, default in given):
            raise bad_value("net", net, "has its own filter_size, stride and depth", "give the net or the numbers")
        pooling = _pooling_of(task, net)
    if pooling.filter_size[0] > task.size:
        limit = f"the first filter must fit the image (size={task.size})"
        raise bad_value("filter_size", pooling.filter_size[0], limit)
    return pooling


def _pooling_of(task: Task, net: Any) -> Pooling:
    pooling = getattr(net, "pooling", None)
    if not isinstance(pooling, Pooling):
        raise bad_type("net", net, "must be a ConstantFilterNet: other nets have no exact theory", _WAY_OUT)
    if net.dim != task.dim:
        raise bad_value("net", net, f"takes images of {net.dim} dimensions, and the task has dim={task.dim}")
    return pooling


def strength(task: Task, noise: Noise) -> float:
    """Standard deviation of the noise per pixel; what has no exact theory is refused."""
    if not isinstance(noise, Noise):
        raise bad_type("noise", noise, "must be a Noise")
    if task.background_noise > 0:
        raise bad_value("background_noise", task.background_noise, "has no exact theory", "measure it, or set it to 0")
    if noise.match == "sample":
        raise bad_value("match", noise.match, "has no exact theory", 'measure it, or use match="ensemble" or sigma')
    return ensemble_sigma(task) if noise.sigma is None else noise.sigma


def outcome(
    task: Task,
    rows: tuple[tuple[str, ...], FloatArray],
    moments: Moments,
    response: FloatArray,
    sigma: float,
    config: dict[str, Any],
) -> Sensitivities:
    """The sensitivities, and a warning where a layer is constant; `rows` holds the names of the layers and their A."""
    layers, A = rows
    scale = task.pixel_value**2
    shift, response = np.maximum(moments.shift, 0.0) * scale, np.maximum(response, 0.0)
    constant = moments.covariance * 2 <= 1000 * EPS * moments.second
    delta = np.maximum(2 * moments.covariance * scale, 0.0)
    _warn(layers, constant)
    with np.errstate(divide="ignore", invalid="ignore"):
        deformation, noise = (np.where(constant, np.nan, numerator / delta) for numerator in (shift, response))
        ratio = np.where(response > 0, shift / response, np.nan)
    none = np.zeros(len(layers))
    return Sensitivities(
        layers=layers,
        D=deformation,
        G=noise,
        R=ratio,
        Delta=delta,
        D_stderr=none,
        G_stderr=none,
        R_stderr=none,
        Delta_stderr=none,
        sigma=sigma,
        kind="theory",
        A=A,
        config=config,
    )


def _warn(layers: tuple[str, ...], constant: NDArray[np.bool_]) -> None:
    names = [name for name, flag in zip(layers, constant, strict=True) if flag]
    if names:
        text = f"constant over the images (Delta <= 1000 eps E|f|^2), so D and G are NaN: {', '.join(names)}"
        warnings.warn(text, RuntimeWarning, stacklevel=4)
