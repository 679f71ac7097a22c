"""Measurements of trained pooling nets as tables: a row for each layer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from scaledetect.experiments.measuring import with_channel_means
from scaledetect.nets import PoolingNet
from scaledetect.perturbations.noise import NOISE_MODES, Noise, NoiseMode
from scaledetect.probes import effective_receptive_field, filter_spectrum, mean_filters, shuffle_channels
from scaledetect.reproduce.study import Tables
from scaledetect.results import Pooling, Sensitivities
from scaledetect.sampling.seeds import factor_seed
from scaledetect.sensitivity.estimate import sensitivities_by_noise
from scaledetect.task.task import Task
from scaledetect.theory import mean_filter_sensitivities
from scaledetect.theory import sensitivities as exact_sensitivities
from scaledetect.training import TrainedMember, TrainingRun

__all__ = ["measure_members"]

SHUFFLED_MODE: NoiseMode = "rectified_noise"
"""Shuffled nets are measured with the paper's noise only."""

FIELD_IMAGES = 20
"""Images that effective receptive fields are averaged over."""

QUANTITIES = ("D", "D_stderr", "G", "G_stderr", "R", "R_stderr")
Row = dict[str, Any]


def measure_members(run: TrainingRun, job: str, draws: int, say: Callable[[str], object]) -> Tables:
    """Tables of the members of a run that did not diverge.

    - ``curves``: D, G, R by layer: nets at initialisation, trained, shuffled; single channels or their mean; the theory
      of constant filters (no seed), and that of each net's mean filters. `A` is the field of constant filters.
    - ``filters``: share of the constant mode, effective receptive field, and field of the mean filters.
    - ``training``: how training ended.
    """
    net = cast(PoolingNet, run.spec.build())
    curves, filters = list(_exact(run.task, net.pooling)), []
    for member in run:
        if member.status == "diverged":
            continue
        say(f"measuring seed {member.seed}")
        trained, initial = cast(PoolingNet, member.net), cast(PoolingNet, member.initial_net())
        shuffled = cast(PoolingNet, shuffle_channels(trained, factor_seed(member.seed, "measure")))
        nets = {"initial": initial, "trained": trained, "shuffled": shuffled}
        for curve, one in nets.items():
            modes = (SHUFFLED_MODE,) if curve == "shuffled" else NOISE_MODES
            rows = _measured(run.task, one, member, modes, draws)
            curves += [{"curve": curve, "seed": member.seed, **row} for row in rows]
        for curve, one in (("initial", initial), ("trained", trained)):
            found = list(_mean_filter_theory(run.task, one))
            curves += [{"curve": f"{curve} mean filters", "seed": member.seed, **row} for row in found]
            filters += [{"curve": curve, "seed": member.seed, **row} for row in _filters(run.task, one)]
    about: dict[str, Any] = {"job": job, "labelling": run.task.labelling, "dim": run.task.dim, "xi": float(run.task.xi)}
    about |= {"filter_size": net.pooling.filter_size[0], "stride": net.pooling.stride[0], "width": net.width}
    tables = {"curves": pd.DataFrame(curves), "filters": pd.DataFrame(filters), "training": run.to_frame()}
    tables["curves"]["seed"] = tables["curves"]["seed"].astype("Int64")
    return {name: table.assign(**about)[[*about, *table.columns]] for name, table in tables.items()}


def _exact(task: Task, pooling: Pooling) -> Iterator[Row]:
    if task.background_noise > 0:
        return
    for mode in NOISE_MODES:
        with _constant_layers():
            s = exact_sensitivities(
                task,
                filter_size=pooling.filter_size,
                stride=pooling.stride,
                depth=pooling.depth,
                noise=Noise(mode=mode),
            )
        for row in _rows(s, pooling):
            yield {"curve": "constant filters", "seed": None, "channels": "mean", "noise": mode, **row}


def _mean_filter_theory(task: Task, net: PoolingNet) -> Iterator[Row]:
    if task.background_noise > 0:
        return
    filters = mean_filters(net)
    for mode in NOISE_MODES:
        with _constant_layers():
            s = mean_filter_sensitivities(task, filters, stride=net.pooling.stride, noise=Noise(mode=mode))
        for row in _rows(s, net.pooling):
            yield {"channels": "mean", "noise": mode, **row}


def _measured(
    task: Task, net: PoolingNet, member: TrainedMember, modes: tuple[NoiseMode, ...], draws: int
) -> Iterator[Row]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    seed = factor_seed(member.seed, "measure")
    maps, noises = with_channel_means(net.to(device)), [Noise(mode=mode) for mode in modes]
    measured = sensitivities_by_noise(maps, task, draws, noises=noises, seed=seed, device=device)
    for mode, s in zip(modes, measured, strict=True):
        depth = net.pooling.depth
        for channels, first in (("each", 0), ("mean", 1)):
            places = slice(first, 2 * depth, 2)
            for row in _rows(s, net.pooling, places):
                yield {"channels": channels, "noise": mode, **row}
    net.cpu()


def _rows(s: Sensitivities, pooling: Pooling, places: slice = slice(None)) -> Iterator[Row]:
    values = {name: getattr(s, name)[places] for name in QUANTITIES}
    for k in range(pooling.depth):
        yield {"k": k + 1, "A": pooling.A[k], **{name: float(value[k]) for name, value in values.items()}}


def _filters(task: Task, net: PoolingNet) -> Iterator[Row]:
    spectrum = filter_spectrum(net).constant
    fields = effective_receptive_field(net, task, FIELD_IMAGES).A
    means: Any = np.full(net.pooling.depth, np.nan)
    if not task.background_noise:
        with _constant_layers():
            means = mean_filter_sensitivities(task, mean_filters(net), stride=net.pooling.stride).A
    for k in range(net.pooling.depth):
        yield {
            "k": k + 1,
            "constant": spectrum[k],
            "white": _white(net.layers[k].conv),
            "A": fields[k],
            "A_mean": means[k],
        }


@contextmanager
def _constant_layers() -> Iterator[None]:
    """A last layer of one site may be constant in a net of one channel: its row of NaN says so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="constant over the images", category=RuntimeWarning)
        yield


def _white(conv: nn.Module) -> float:
    """Share of the constant mode in white filters."""
    return 1 / cast(Tensor, conv.weight)[0, 0].numel()
