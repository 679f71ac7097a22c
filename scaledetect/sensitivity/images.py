"""The estimator on images: sensitivities of every layer of a network to smooth deformations and to noise."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scaledetect._base.errors import bad_value
from scaledetect._base.progress import ProgressOption, reporting
from scaledetect.activations.capture import Function
from scaledetect.activations.net_input import EFFICIENT_ROWS, Prepare
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.results.jackknife import estimate_layer
from scaledetect.sensitivity.assemble import describe_net, outcome
from scaledetect.sensitivity.image_batches import ImageSource, ImageStream, rebatched
from scaledetect.sensitivity.image_draws import ImageDraws
from scaledetect.sensitivity.options import MIN_BLOCKS, MeasurementOptions
from scaledetect.sensitivity.passes import Measurement, Passes

__all__ = ["image_sensitivities"]


def image_sensitivities(
    net: nn.Module | Function,
    images: ImageSource,
    *,
    delta: float = 1.0,
    cutoff: int = 3,
    noise: Noise = Noise(),
    layers: Iterable[str] | None = None,
    channel_mean: bool = False,
    seed: int = 0,
    prepare: Prepare | None = None,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    blocks: int = MIN_BLOCKS,
    progress: ProgressOption = False,
) -> Sensitivities:
    """Measure how each layer of a network responds to smooth deformations of images and to noise.

    As `scaledetect.sensitivities`, with tau a random diffeomorphism of maximal entropy, drawn for each image, and one
    class: Delta = E|f(x_1) - f(x_2)|^2 = 2 n/(n - 1) (E|f|^2 - |E f|^2) over the n images.

    Parameters
    ----------
    net : torch.nn.Module or callable
        Takes images of shape (n, C, L, L); else as in `scaledetect.sensitivities`.
    images : tensor or ndarray of shape (n, C, L, L), or iterable of such batches
        Floating and finite, square, at least `blocks` in all. Batches may be tuples or lists whose first entry is the
        images, as those of a DataLoader.
    delta : float, default 1.0
        Nominal displacement of the deformation, pixels, from 0.5 to L/(pi cutoff); see `scaledetect.diffeo`.
    cutoff : int, default 3
        Largest wave number of the deformation, at least 2.
    noise : Noise, default ``Noise()``
        Form and strength of the noise, on every pixel of every channel. ``match="ensemble"``: sigma^2 is the mean of
        |tau x - x|^2 over these images, by number of values, from one more pass over the inputs; its own error does not
        enter those of G and R. ``match="sample"``: |eta| = |tau x - x| for each image, before any rectification.
    layers, channel_mean, prepare, batch_size, device, dtype
        As in `scaledetect.sensitivities`.
    seed : int, default 0
        Seed of deformations and noise: image number j gets the same in any batch. A loader that shuffles pairs images
        with other fields in each pass; that shifts no expectation.
    blocks : int, default 50
        Blocks B of the jackknife, at least 50; images are dealt out to them in turn. Unless B divides n they differ by
        an image in size, which the standard errors take into account (Busing et al. 1999).
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`, with images in the place of draws.

    Returns
    -------
    Sensitivities
        As `scaledetect.sensitivities` returns.

    Raises
    ------
    TypeError, ValueError, KeyError
        Naming the argument: no or fewer than `blocks` images, images of another shape or type, not square or not
        finite; a one-shot iterator together with ``match="ensemble"``, which reads the images twice; `delta` or
        `cutoff` out of range; and as `scaledetect.sensitivities`.

    Warns
    -----
    RuntimeWarning
        For layers whose D and G are NaN.

    Notes
    -----
    Petrini, Favero, Geiger, Wyart, arXiv 2105.02468, as used in arXiv 2210.01506, section 2. We depart from it in the
    unbiased Delta, the standard errors, and in taking every image with a deformation of its own.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.sensitivity import image_sensitivities
    >>> images = torch.rand(100, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    >>> s = image_sensitivities(torch.nn.AvgPool2d(2), images, delta=1.0, cutoff=2)
    >>> s.layers, s.n
    (('output',), 100)
    """
    options = MeasurementOptions.of(
        net, noise=noise, layers=layers, channel_mean=channel_mean, seed=seed, prepare=prepare, batch_size=batch_size,
        device=device, dtype=dtype, blocks=blocks,
    )  # fmt: skip
    draws = ImageDraws(delta, cutoff, noise, options.seed, noise.sigma)
    stream = ImageStream(images, options.target.device, torch.promote_types(options.target.dtype, torch.float32))
    matched = noise.match == "ensemble" and noise.sigma is None
    if matched and stream.one_shot:
        raise bad_value(
            "images",
            type(images).__name__,
            'is read once, and match="ensemble" reads the images twice',
            'give a tensor, a list or a DataLoader; or noise=Noise(sigma=...), or Noise(match="sample")',
        )
    with reporting(progress, "images") as report, options.running() as passes:
        if matched:
            size = options.batch_size or EFFICIENT_ROWS
            draws = replace(draws, sigma=draws.matched_sigma(map(stream.moved, rebatched(stream, size))))
        total = len(images) if isinstance(images, torch.Tensor | np.ndarray) else None
        measurement = _measure(options, passes, stream, draws, report=report, total=total)
    return outcome(
        {name: estimate_layer(layer) for name, layer in measurement.sums().items()},
        options.capture,
        sigma=float("nan") if draws.sigma is None else draws.sigma,
        n=measurement.n,
        n_blocks=options.blocks,
        config={
            "deformation": {"delta": delta, "cutoff": cutoff},
            "net": describe_net(options.capture.net),
            "noise": asdict(noise),
            "seed": options.seed,
            "channel_mean": options.channel_mean,
        },
    )


def _measure(
    options: MeasurementOptions, passes: Passes, stream: ImageStream, draws: ImageDraws, **progress: Any
) -> Measurement:
    measurement = Measurement(passes, blocks=options.blocks, classes=1, batch_size=options.batch_size, **progress)
    batches, begun = iter(stream), list[Tensor]()
    while sum(map(len, begun)) < options.blocks and (batch := next(batches, None)) is not None:
        begun.append(batch)
    if (found := sum(map(len, begun))) < options.blocks:
        text = f"the jackknife needs one for each of its {options.blocks} blocks"
        raise bad_value("images", f"{found} images", text, "give more; copies of the same ones do not count")
    first = begun[0]
    # The net meets the images deformed too: an error in `delta` or `cutoff` is told before any error of the net.
    draws.deformed(stream.moved(first[:1]), 0)
    size = measurement.probe(stream.moved(first[:8]))
    for images in rebatched(itertools.chain(begun, batches), size):
        measurement.add(draws(stream.moved(images), measurement.n))
    return measurement
