"""Coherent share of noise: how much of a layer's response is the same for every draw of the noise."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor, nn

from scaledetect._base.arguments import check_seed, integer
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.progress import ProgressOption, Report, reporting
from scaledetect.activations.capture import Function
from scaledetect.activations.net_input import Prepare
from scaledetect.activations.reader import ActivationReader
from scaledetect.perturbations.noise import Noise
from scaledetect.results import CoherentShare, Pooling
from scaledetect.sampling.samplers import sample_pairs
from scaledetect.sensitivity.options import MIN_BLOCKS
from scaledetect.sensitivity.task_draws import Images, TaskDraws
from scaledetect.task.task import Task, check_task

__all__ = ["coherent_share"]


SECOND_DRAW = 2**40
"""Number of the draw whose noise is the second of image 0: the first draws have the numbers of their images."""


def coherent_share(
    net: nn.Module | Function,
    task: Task,
    *,
    noise: Noise = Noise(),
    layers: Iterable[str] | None = None,
    channel_mean: bool = False,
    n: int = 2000,
    seed: int = 0,
    prepare: Prepare | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    progress: ProgressOption = False,
) -> CoherentShare:
    """Measure how much of each layer's response to noise is the same for every draw of the noise.

    With e = f(x + eta) - f(x),

        share = E_x |E_eta e|^2 / E_x E_eta |e|^2:

    0 for a response that averages out over draws, as that of a linear net to signed noise; 1 for one that all draws
    share, which no pooling over space averages out. ReLUs make noise coherent: rectified noise piles up under pooling.

    Images are drawn with replacement, both classes in equal number, with two draws of the noise each: the inner product
    of the two responses estimates |E_eta e|^2 without bias.

    Parameters
    ----------
    net : torch.nn.Module or callable
        Takes images of shape (n, 1, L[, L[, L]]), as for `scaledetect.sensitivities`; it is left as it was found.
    task : Task
        Background noise is part of the image: the same in x and x + eta. `balance` is ignored.
    noise : Noise, default signed and matched to the ensemble
        With ``match="sample"`` each draw has the strength of a deformation of its own.
    layers, channel_mean, prepare, device, dtype
        As in `scaledetect.sensitivities`.
    n : int, default 2000
        Number of images, a multiple of 100.
    seed : int, default 0
        Seed of the images and of the noise.
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`.

    Returns
    -------
    CoherentShare
        With ``kind="measured"``; standard errors are those of a jackknife that deletes one of 50 blocks.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: `n` that makes no equal blocks; layers and nets as in `scaledetect.sensitivities`.

    Warns
    -----
    RuntimeWarning
        For layers whose share is NaN: noise does not move them, or they are not finite.

    Notes
    -----
    A probe of what Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 4, say of the noise of constant
    filters, for which `scaledetect.theory.coherent_share` is exact. Memory does not grow with n.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> sd.probes.coherent_share(net, sd.Task(size=32, xi=8), n=200)
    <CoherentShare measured, 3 layers, n=200, sigma=1.39514>
    """
    check_task(task)
    if not isinstance(noise, Noise):
        raise bad_type("noise", noise, "must be a scaledetect.Noise")
    n, seed = _draws(n), check_seed(seed)
    reader = ActivationReader(
        net, layers=layers, channel_mean=channel_mean, prepare=prepare, seed=seed, device=device, dtype=dtype
    )
    draws = TaskDraws(task, noise, seed, reader.image_dtype)
    with reporting(progress, "draws") as report, reader:
        reader.probe(draws(0, 7).clean)
        inner, square = _block_sums(reader, draws, n, report)
    share, stderr = _ratios(inner, square)
    layers_found = tuple(reader.layers)
    _warn(layers_found, share)
    pooling = getattr(reader.net, "pooling", None)
    return CoherentShare(
        layers=layers_found,
        share=share,
        stderr=stderr,
        sigma=draws.sigmas[0],
        kind="measured",
        n=n,
        n_blocks=MIN_BLOCKS,
        A=pooling.A if isinstance(pooling, Pooling) and pooling.layers == layers_found else None,
        config={
            "task": asdict(task),
            "net": {"class": type(reader.net).__name__},
            "noise": asdict(noise),
            "seed": seed,
            "channel_mean": channel_mean,
        },
    )


def _draws(n: object) -> int:
    number, step = integer("n", n, 1), 2 * MIN_BLOCKS
    if number % step:
        nearest = max(step, step * round(number / step))
        raise bad_value("n", n, f"must be a multiple of {step}: equal blocks of both classes", f"take {nearest}")
    return number


def _block_sums(reader: ActivationReader, draws: TaskDraws, n: int, report: Report) -> tuple[FloatArray, FloatArray]:
    """Sums over the images of each block of <e, e'> and of (|e|^2 + |e'|^2) / 2, each of shape (blocks, K)."""
    sums = np.zeros((2, MIN_BLOCKS, len(reader.layers)))
    # Two responses of a batch are held beside the activations that a batch of the reader is made for.
    rows = max(2, reader.rows // 3 // 2 * 2)
    for start in range(0, n, rows):
        pairs, y = sample_pairs(draws.task, min(rows, n - start), seed=draws.seed, replace=True, start=start)
        versions = draws.of_pairs(pairs, y, start)
        again = draws.of_pairs(pairs, y, start, perturbation=SECOND_DRAW + start)
        clean, one = _copies(reader, versions.clean), _copies(reader, versions.noisy)
        # Neighbours in the stream are one near and one far image: blocks take both.
        blocks = np.arange(start, start + len(y)) // 2 % MIN_BLOCKS
        for k, (dot, norm) in enumerate(_products(reader, again.noisy, clean, one)):
            sums[0, :, k] += np.bincount(blocks, dot, minlength=MIN_BLOCKS)
            sums[1, :, k] += np.bincount(blocks, norm, minlength=MIN_BLOCKS)
        report(start + len(y), n)
    return sums[0], sums[1]


def _copies(reader: ActivationReader, images: Images) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    # What runs next may work in place.
    reader.run(images, lambda name, f: found.update({name: f.clone()}))
    return found


def _products(
    reader: ActivationReader, images: Images, clean: dict[str, Tensor], one: dict[str, Tensor]
) -> list[tuple[FloatArray, FloatArray]]:
    """<e, e'> and (|e|^2 + |e'|^2) / 2 of each image, layer by layer."""
    found: dict[str, tuple[FloatArray, FloatArray]] = {}

    def receive(name: str, f: Tensor) -> None:
        e, other = (one.pop(name) - clean[name]).double(), (f - clean.pop(name)).double()
        dot, norm = (e * other).sum(1), (e.square() + other.square()).sum(1) / 2
        found[name] = dot.cpu().numpy(), norm.cpu().numpy()

    reader.run(images, receive)
    return [found[name] for name in reader.layers]


def _ratios(inner: FloatArray, square: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of each layer and its jackknife error, from sums of blocks, shape (blocks, K)."""
    blocks = len(inner)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = inner.sum(axis=0) / square.sum(axis=0)
        without = (inner.sum(axis=0) - inner) / (square.sum(axis=0) - square)
        error = np.sqrt((blocks - 1) * without.var(axis=0))
    return share, error


def _warn(layers: tuple[str, ...], share: FloatArray) -> None:
    if names := [name for name, value in zip(layers, share, strict=True) if not np.isfinite(value)]:
        message = f"noise does not move these layers, or they are not finite, so the share is NaN: {', '.join(names)}"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
