"""The estimator: sensitivities of every layer of a network on a task."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import torch
from torch import nn

from scaledetect._base.arguments import at_least_one, check_number, flag, fraction
from scaledetect._base.errors import bad_value
from scaledetect._base.progress import ProgressOption, Report, reporting
from scaledetect.activations.capture import Function
from scaledetect.activations.net_input import Prepare
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.results.jackknife import Estimate, estimate_layer
from scaledetect.sensitivity.assemble import describe_net, outcome
from scaledetect.sensitivity.batching import runs
from scaledetect.sensitivity.options import MIN_BLOCKS, MeasurementOptions
from scaledetect.sensitivity.passes import Measurement, Passes
from scaledetect.sensitivity.task_draws import TaskDraws
from scaledetect.sensitivity.whole_population import check_population, estimate_population, measure_population
from scaledetect.task.task import Task, check_task

__all__ = ["sensitivities", "sensitivities_by_noise"]

MOST_GROWTH = 1000
"""Times the first number of draws at which a measurement with a target gives up."""


def sensitivities(
    net: nn.Module | Function,
    task: Task,
    n: int | Literal["all"] = 10_000,
    *,
    noise: Noise = Noise(),
    layers: Iterable[str] | None = None,
    channel_mean: bool = False,
    seed: int = 0,
    prepare: Prepare | None = None,
    target_stderr: float | None = None,
    start: int = 0,
    keep_sums: bool = False,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    blocks: int = MIN_BLOCKS,
    progress: ProgressOption = False,
) -> Sensitivities:
    """Measure how each layer of a network responds to deformation and to noise on a task, with standard errors.

    Images x are drawn with replacement, both classes in equal number; tau x moves each active pixel by one site, and
    x + eta adds white noise. With averages over x, tau and eta, classes weighted 1/2 each,

    - D = E|f(tau x) - f(x)|^2 / Delta and G = E|f(x + eta) - f(x)|^2 / Delta, R = D / G,
    - Delta = E|f(x_1) - f(x_2)|^2 over independent x_1, x_2, from class means, unbiased.

    Draw j depends on (task, seed, j) alone: nets measured with the same seed see the same images, moves and noise.

    Parameters
    ----------
    net : torch.nn.Module or callable
        Takes images of shape (n, 1, L[, L[, L]]). It runs in eval mode without gradients and is left as it was found:
        modes, hooks, parameters, buffers, device, dtype and torch's random state, also when it raises. A compiled net
        runs eagerly. Each row of a layer's activation must depend on the same row of the input only. A callable maps
        images to a dict of tensors, whose keys name the layers; modules it uses are the caller's to put in eval mode.
    task : Task
        `balance` is ignored.
    n : int or "all", default 10000
        Number of draws, a multiple of ``2 * blocks``. ``"all"`` takes every pair of the population with all its moves,
        at most two million forward images: D and Delta are exact, of standard error 0, for any net; G and R carry the
        error of the noise alone, drawn ``blocks`` times for every pair.
    noise : Noise, default ``Noise()``
        Form and strength of the noise. ``match="ensemble"`` takes the exact sigma of the task from theory;
        ``match="sample"`` gives every image |eta| = |tau x - x|, before any rectification.
    layers : iterable of str or "blocks", optional
        Names of modules as in ``net.named_modules()``, "output" for the output of the net, or patterns, in which ``*``
        and ``?`` stand for anything but a dot and ``**`` for anything. By default those in ``net.sensitivity_layers``;
        where the net names none, every module that runs no other and returns a floating tensor, every functional
        activation (``F.relu(x)``, ``x.relu_()``, ``torch.sigmoid(x)``, ...), named after the module that calls it as in
        ``block1.relu``, and the output. "blocks" are the children of the net and its output. From its second call on a
        layer is named ``name:2``, ``name:3``; the tensors in a tuple or a dict ``name.0`` or ``name.key``. Layers that
        nobody names and that lack a row for each image are left out, with a warning.
    channel_mean : bool, default False
        Average each layer over its channels (the second axis) first.
    seed : int, default 0
        Seed of the draws.
    prepare : callable, optional
        Maps a batch of images to what `net` takes, as ``lambda x: x.flatten(1)``; no net needs another first layer.
    target_stderr : float, optional
        Relative standard error that D and G of every layer are to reach, in (0, 1): draws are added to the first `n`
        until they do, or until there are 1000 times as many, with a warning. Stopping by the estimate itself favours
        low errors: by about 1 / sqrt(2 blocks) of their value at most.
    start : int, default 0
        Number of the first draw, a multiple of ``2 * blocks``. Parts of one measurement, with starts 0, n, 2 n, ...,
        are put together by `scaledetect.merge`.
    keep_sums : bool, default False
        Keep the sums that `merge` needs: 24 bytes for each number in the measured activations of an image, and at most
        half a megabyte of sketches a layer.
    batch_size : int, optional
        Images in a forward pass, at most; but at least three, the versions of a draw, which run together. By default as
        many as fit a moderate memory. Sensitivities do not depend on it beyond rounding, their standard errors by a few
        percent at most.
    device, dtype : optional
        Where, and in which floating type, to run `net`; by default where and as it is.
    blocks : int, default 50
        Equal blocks B of the jackknife, at least 50. Draws are dealt out to them in turn.
    progress : bool or callable, default False
        True: a bar on standard error, in a terminal or a notebook. A function is called with a
        `scaledetect._base.progress.Progress` after each batch: `what`, draws `done`, their `total`, `seconds`.

    Returns
    -------
    Sensitivities
        ``kind="measured"``; one row a layer, in the order of execution. Standard errors are those of a jackknife that
        deletes a block: (estimate - truth) / stderr follows Student's t with B - 1 degrees of freedom. D and G are NaN,
        with a warning naming the layer, where Delta <= 1000 eps E|f|^2 (eps of float64; or 100 eps^2 of the layer's own
        type, where that is larger) or where activations are not finite; R is NaN where the noise response is 0. `sigma`
        is NaN for ``match="sample"``.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: `n` or `start` not a multiple of ``2 * blocks`` (the message names the nearest that is), a
        population too large for ``n="all"`` (it says how many images), fewer than 50 blocks, unknown layers, layers
        named that do not run, return no floating tensor, or lack a row per image, TorchScript, and images that the net
        does not take (it suggests `prepare`).

    Warns
    -----
    RuntimeWarning
        For layers whose D and G are NaN, layers left out for lack of a row per image (their shapes are in
        ``config["skipped"]`` too), and where `target_stderr` is not reached.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, sections 2 and 4. We depart from the published code, which
    estimates Delta from pairs of images: here it is an unbiased function of class means. One forward pass over
    the versions of the images gives all layers; memory grows neither with n nor with `blocks`. Beside one batch it
    takes 20 bytes for each number in the measured activations of an image, on the device of the net, and at most half a
    megabyte a layer.

    D, G, R and Delta are exact functions of the draws. Their standard errors need the mean vector of each block. Layers
    of no more numbers than a sketch has, m = min(1024, 32768 / blocks) on a task, keep it as it is; of larger ones it
    is projected on m numbers at random, after the mean of all draws is taken off. That adds some 4/(n sqrt(m)) to the
    relative error of Delta, far below what D and G have: their error bars move by about 1 % at n = 400, where a
    jackknife of 50 blocks knows them to 10 %.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.Task(dim=1, size=32, xi=8)
    >>> net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> s = sd.sensitivities(net, task, n=2000, noise=sd.Noise(sigma=1.0))
    >>> s.layers, s.n
    (('layer1', 'layer2', 'layer3'), 2000)
    """
    check_task(task)
    keep_sums = flag("keep_sums", keep_sums)
    options = MeasurementOptions.of(
        net, noise=noise, layers=layers, channel_mean=channel_mean, seed=seed, prepare=prepare, batch_size=batch_size,
        device=device, dtype=dtype, blocks=blocks,
    )  # fmt: skip
    draws = TaskDraws(task, noise, options.seed, "float64" if options.target.dtype == torch.float64 else "float32")
    config = _config(options, task, noise, start)
    if isinstance(n, str):
        with reporting(progress, "pairs") as report:
            return _exhaustive(
                options, draws, n, config, {"target_stderr": target_stderr, "keep_sums": keep_sums}, report
            )
    n, start = _multiple("n", at_least_one("n", n), 2 * options.blocks), check_number("start", start)
    target = (
        None if target_stderr is None else fraction("target_stderr", target_stderr, way_out="it is relative to D and G")
    )
    if start:
        _multiple("start", start, 2 * options.blocks)
    with reporting(progress, "draws") as report, options.running() as passes:
        measurement = _measure(options, passes, draws, (n, start, target), report)
        sums = measurement.sums()
    return outcome(
        {name: estimate_layer(layer) for name, layer in sums.items()},
        options.capture,
        sigma=draws.sigmas[0],
        n=measurement.n,
        n_blocks=options.blocks,
        config=config,
        sums=sums if keep_sums else None,
    )


def sensitivities_by_noise(
    net: nn.Module | Function,
    task: Task,
    n: int,
    *,
    noises: Sequence[Noise],
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: ProgressOption = False,
) -> tuple[Sensitivities, ...]:
    """`sensitivities` for several forms of noise in one measurement: as they would be alone, up to rounding.

    D, Delta and the images are common, so that three forms take five forward passes in place of nine.
    """
    check_task(task)
    if not noises:
        raise bad_value("noises", noises, "no form of noise", "give at least one")
    first, *further = noises
    options = MeasurementOptions.of(
        net, noise=first, layers=None, channel_mean=False, seed=seed, prepare=None, batch_size=None, device=device,
        dtype=None, blocks=MIN_BLOCKS,
    )  # fmt: skip
    n = _multiple("n", at_least_one("n", n), 2 * options.blocks)
    dtype: Literal["float32", "float64"] = "float64" if options.target.dtype == torch.float64 else "float32"
    draws = TaskDraws(task, first, options.seed, dtype, tuple(further))
    with reporting(progress, "draws") as report, options.running() as passes:
        measurement = _measure(options, passes, draws, (n, 0, None), report)
        sums = [measurement.sums(number) for number in range(len(noises))]
    return tuple(
        outcome(
            {name: estimate_layer(layer) for name, layer in one.items()},
            options.capture,
            sigma=sigma,
            n=measurement.n,
            n_blocks=options.blocks,
            config=_config(options, task, noise, 0),
            stacklevel=4,
        )
        for noise, sigma, one in zip(noises, draws.sigmas, sums, strict=True)
    )


def _config(options: MeasurementOptions, task: Task, noise: Noise, start: int) -> dict[str, Any]:
    return {
        "task": asdict(task),
        "net": describe_net(options.capture.net),
        "noise": asdict(noise),
        "seed": options.seed,
        "channel_mean": options.channel_mean,
        "start": start,
    }


def _measure(
    options: MeasurementOptions,
    passes: Passes,
    draws: TaskDraws,
    request: tuple[int, int, float | None],
    report: Report,
) -> Measurement:
    """The draws that `request` asks for: how many, from which on, and the error to reach."""
    n, start, target = request
    measurement = Measurement(
        passes, blocks=options.blocks, classes=draws.classes, noises=len(draws.noises),
        batch_size=options.batch_size, report=report,
    )  # fmt: skip
    size, most = measurement.probe(draws(start, 8).clean), MOST_GROWTH * n
    while True:
        measurement.expect(n)
        for first, count in runs(start + measurement.n, n - measurement.n, size):
            measurement.add(draws(first, count))
        if target is None:
            return measurement
        worst = _worst({name: estimate_layer(layer) for name, layer in measurement.sums().items()})
        if worst <= target or n >= most:
            if worst > target:
                text = (
                    f"target_stderr={target!r} is not reached after {n} draws: a relative error of {worst:.3g} is left"
                )
                warnings.warn(text, RuntimeWarning, stacklevel=3)
            return measurement
        # Errors fall as one over the root of n; the estimate of what is missing is rough, so steps stay moderate.
        step = 2 * options.blocks
        n = min(most, step * math.ceil(n * min(4.0, max(1.25, 1.1 * (worst / target) ** 2)) / step))


def _worst(estimates: Mapping[str, Estimate]) -> float:
    """The largest relative error of D and G over layers that have them."""
    return max(
        (
            estimate.stderrs[name] / estimate.values[name]
            for estimate in estimates.values()
            for name in ("D", "G")
            if estimate.values[name] > 0
        ),
        default=0.0,
    )


def _exhaustive(
    options: MeasurementOptions,
    draws: TaskDraws,
    n: str,
    config: Mapping[str, Any],
    idle: Mapping[str, object],
    report: Report,
) -> Sensitivities:
    if n != "all":
        raise bad_value("n", n, 'must be an integer or "all"')
    for name, value in {**idle, "start": config["start"]}.items():
        if value:
            raise bad_value(name, value, 'means nothing with n="all", which leaves nothing out', "leave it out")
    n_pairs = check_population(draws.task, options.blocks)
    with options.running() as passes:
        sums = measure_population(passes, draws, options.blocks, batch_size=options.batch_size)
        report(n_pairs, n_pairs)
    return outcome(
        {name: estimate_population(layer) for name, layer in sums.items()},
        options.capture,
        sigma=draws.sigmas[0],
        n=n_pairs,
        n_blocks=options.blocks,
        config={**config, "population": True},
        stacklevel=4,
    )


def _multiple(name: str, number: int, step: int) -> int:
    if number % step:
        nearest = max(step, step * round(number / step))
        raise bad_value(name, number, f"must be a multiple of 2 * blocks = {step}", f"the nearest is {nearest}")
    return number
