"""The estimator: sensitivities of every layer of a network on a task."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from numbers import Integral
from typing import Any

import torch
from torch import nn

from scaledetect.errors import bad_type, bad_value
from scaledetect.noise import Noise
from scaledetect.results import FloatArray, Pooling, Sensitivities
from scaledetect.sensitivity.capture import Capture
from scaledetect.sensitivity.draws import TaskDraws
from scaledetect.sensitivity.jackknife import Estimate, estimate_layer
from scaledetect.sensitivity.left_as_found import left_as_found
from scaledetect.sensitivity.passes import block_sums, floating_type
from scaledetect.task import Task

__all__ = ["sensitivities"]

MIN_BLOCKS = 50


def sensitivities(
    net: nn.Module,
    task: Task,
    n: int = 10_000,
    *,
    noise: Noise = Noise(),
    layers: Iterable[str] | None = None,
    channel_mean: bool = False,
    seed: int = 0,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    blocks: int = MIN_BLOCKS,
) -> Sensitivities:
    """Measure how each layer of a network responds to deformation and to noise on a task, with standard errors.

    Images x are drawn with replacement, both classes in equal number; tau x moves each active pixel by one site, and
    x + eta adds white noise. With averages over x, tau and eta, classes weighted 1/2 each,

    - D = E|f(tau x) - f(x)|^2 / Delta and G = E|f(x + eta) - f(x)|^2 / Delta, R = D / G,
    - Delta = E|f(x_1) - f(x_2)|^2 over independent x_1, x_2, from class means, unbiased.

    Draw j depends on (task, seed, j) alone: nets measured with the same seed see the same images, moves and noise.

    Parameters
    ----------
    net : torch.nn.Module
        Takes images of shape (n, 1, L[, L[, L]]). It runs in eval mode without gradients and is left as it was found:
        modes, hooks, parameters, buffers, device, dtype and torch's random state, also when it raises. Each row of a
        layer's activation must depend on the same row of the input only.
    task : Task
        `balance` is ignored.
    n : int, default 10000
        Number of draws, a multiple of ``2 * blocks``.
    noise : Noise, default ``Noise()``
        Form and strength of the noise. ``match="ensemble"`` takes the exact sigma of the task from theory;
        ``match="sample"`` gives every image |eta| = |tau x - x|, before any rectification.
    layers : iterable of str, optional
        Names of modules as in ``net.named_modules()``, or "output" for the output of the net. By default those in
        ``net.sensitivity_layers``; where the net names none, every leaf module that returns a floating tensor, and the
        output.
    channel_mean : bool, default False
        Average each layer over its channels (the second axis) first.
    seed : int, default 0
        Seed of the draws.
    batch_size : int, optional
        Images in a forward pass, at most; at least 2. By default as many as fit a moderate memory. Results do not
        depend on it beyond rounding.
    device, dtype : optional
        Where, and in which floating type, to run `net`; by default where and as it is.
    blocks : int, default 50
        Equal blocks B of the jackknife, at least 50.

    Returns
    -------
    Sensitivities
        ``kind="measured"``; one row a layer, in the order of execution. Standard errors are those of a jackknife that
        deletes a block: (estimate - truth) / stderr follows Student's t with B - 1 degrees of freedom. D and G are NaN,
        with a warning naming the layer, where Delta <= 1000 eps E|f|^2 or where activations are not finite; R is NaN
        where the noise response is 0. `sigma` is NaN for ``match="sample"``.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: `n` not a multiple of ``2 * blocks`` (the message names the nearest that is), fewer than 50
        blocks, unknown layers, layers that do not run, return no floating tensor, or lack a row per image.

    Warns
    -----
    RuntimeWarning
        For layers whose D and G are NaN.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, sections 2 and 4. We depart from the published code, which
    estimates Delta from pairs of images: here it is an unbiased function of class means. One forward pass per version
    of the images gives all layers; memory does not grow with n. Beside one batch it takes ``2 * blocks`` times the size
    of all measured activations, for the exact leave-one-block-out Delta.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.Task(dim=1, size=32, xi=8)
    >>> net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> s = sd.sensitivities(net, task, n=2000, noise=sd.Noise(sigma=1.0))
    >>> s.layers, s.n
    (('layer1', 'layer2', 'layer3'), 2000)
    """
    if not isinstance(task, Task):
        raise bad_type("task", type(task).__name__, "must be a scaledetect.Task", "load one with scaledetect.load_task")
    if not isinstance(noise, Noise):
        raise bad_type("noise", noise, "must be a scaledetect.Noise")
    capture = Capture(net, layers)
    blocks = _at_least("blocks", blocks, MIN_BLOCKS)
    n = _number_of_draws(n, 2 * blocks)
    batch_size = None if batch_size is None else _at_least("batch_size", batch_size, TaskDraws.classes)
    device = None if device is None else torch.device(device)
    draws = TaskDraws(task, noise, seed, "float64" if (dtype or floating_type(net)) == torch.float64 else "float32")
    with left_as_found(net, seed=seed, device=device, dtype=dtype), capture:
        sums = block_sums(net, capture, draws, n, blocks=blocks, batch_size=batch_size, channel_mean=channel_mean)
    estimates = {name: estimate_layer(layer) for name, layer in sums.items()}
    _warn_of_flaws(estimates)
    return Sensitivities(
        **_columns(estimates),
        A=_receptive_fields(net, tuple(estimates)),
        sigma=draws.sigma,
        kind="measured",
        n=n,
        n_blocks=blocks,
        config={
            "task": asdict(task),
            "net": _describe(net),
            "noise": asdict(noise),
            "seed": seed,
            "channel_mean": channel_mean,
        },
    )


def _at_least(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise bad_type(name, value, "must be an integer")
    if value < least:
        raise bad_value(name, value, f"must be at least {least}")
    return int(value)


def _number_of_draws(n: object, step: int) -> int:
    number = _at_least("n", n, 1)
    if number % step:
        nearest = max(step, step * round(number / step))
        raise bad_value("n", n, f"must be a multiple of 2 * blocks = {step}", f"the nearest is {nearest}")
    return number


def _columns(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    columns: dict[str, Any] = {"layers": tuple(estimates)}
    for name in ("D", "G", "R", "Delta"):
        columns[name] = [estimate.values[name] for estimate in estimates.values()]
        columns[f"{name}_stderr"] = [estimate.stderrs[name] for estimate in estimates.values()]
    columns["D_events"] = [estimate.deformed_events for estimate in estimates.values()]
    columns["G_events"] = [estimate.noisy_events for estimate in estimates.values()]
    return columns


def _warn_of_flaws(estimates: Mapping[str, Estimate]) -> None:
    flaws: dict[str, list[str]] = {}
    for name, estimate in estimates.items():
        if estimate.flaw is not None:
            flaws.setdefault(estimate.flaw, []).append(name)
    for flaw, names in flaws.items():
        # The level of whoever called `sensitivities`.
        warnings.warn(f"{flaw}, so D and G are NaN: {', '.join(names)}", RuntimeWarning, stacklevel=3)


def _receptive_fields(net: nn.Module, layers: tuple[str, ...]) -> FloatArray | None:
    pooling = getattr(net, "pooling", None)
    return pooling.A if isinstance(pooling, Pooling) and pooling.layers == layers else None


def _describe(net: nn.Module) -> dict[str, Any]:
    pooling = getattr(net, "pooling", None)
    numbers = {"dim": net.dim, **asdict(pooling)} if isinstance(pooling, Pooling) else {}
    return {"class": type(net).__name__, **numbers}
