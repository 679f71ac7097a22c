"""Measure the net of one seed: all noise modes, single channels and their mean, shuffled channels, mean filters."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from scaledetect.experiments.cards import ExperimentCard
from scaledetect.experiments.lines import Line, curve_line, rounded
from scaledetect.nets import ConstantFilterNet, PoolingNet
from scaledetect.perturbations.noise import Noise, NoiseMode
from scaledetect.probes import coherent_share, mean_filters, shuffle_channels
from scaledetect.sampling.seeds import factor_seed
from scaledetect.sensitivity.estimate import sensitivities_by_noise
from scaledetect.theory import mean_filter_sensitivities

__all__ = ["constant_net", "measure_seed", "measure_shares", "weights_hash", "with_channel_means"]

OTHER_CURVES_MODE: NoiseMode = "rectified_noise"
"""Noise that shuffled nets and mean filters are given: the paper's."""

SHARE_MODES: tuple[NoiseMode, ...] = ("signed", "rectified_noise")


def measure_seed(card: ExperimentCard, seed: int, net: nn.Module) -> list[Line]:
    """The curves of a net: lines of the kind "curve", in a fixed order."""
    draws = factor_seed(seed, "measure")
    with constant_layers():
        lines = list(_net_curves(card, seed, "net", net, card.measurement.noise))
        if card.training is not None:
            assert isinstance(net, PoolingNet)
            shuffled = shuffle_channels(net, draws)
            lines += _net_curves(card, seed, "shuffled", shuffled, (OTHER_CURVES_MODE,))
        if isinstance(net, PoolingNet) and card.task.background_noise == 0:
            theory = mean_filter_sensitivities(
                card.task, mean_filters(net), stride=net.pooling.stride, noise=Noise(mode=OTHER_CURVES_MODE)
            )
            lines.append(curve_line(seed, "mean-filters", OTHER_CURVES_MODE, "mean", theory))
    return lines


def _net_curves(
    card: ExperimentCard, seed: int, curve: str, net: nn.Module, modes: tuple[NoiseMode, ...]
) -> Iterator[Line]:
    draws = factor_seed(seed, "measure")
    noises = [Noise(mode=mode) for mode in modes]
    measured = sensitivities_by_noise(
        with_channel_means(net), card.task, card.measurement.draws, noises=noises, seed=draws
    )
    for mode, s in zip(modes, measured, strict=True):
        for channels, first in (("each", 0), ("mean", 1)):
            yield curve_line(seed, curve, mode, channels, s, slice(first, None, 2))


def with_channel_means(net: nn.Module) -> Callable[[Tensor], dict[str, Tensor]]:
    """Each map that counts, followed by its mean over channels: both from one pass."""
    layers = [net.get_submodule(name) for name in net.sensitivity_layers]  # type: ignore[union-attr]

    def maps(x: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for k, layer in enumerate(layers, start=1):
            x = layer(x)
            found |= {f"layer{k}": x, f"layer{k} mean": x.mean(dim=1, keepdim=True)}
        return found

    return maps


def weights_hash(net: nn.Module) -> str:
    """SHA-256 (hex) of the parameters, as little-endian float32, in the order of their names."""
    found = hashlib.sha256()
    for name, tensor in sorted(net.state_dict().items()):
        found.update(f"{name} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().to(torch.float32).contiguous().numpy().astype("<f4").tobytes())
    return found.hexdigest()


@contextmanager
def constant_layers() -> Iterator[None]:
    """A layer may be constant, as the last of a net of one channel, or one that ridge wiped out: its NaN says so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="constant over the images", category=RuntimeWarning)
        yield


def constant_net(card: ExperimentCard) -> ConstantFilterNet:
    """The net of an experiment on constant filters."""
    net = card.net
    return ConstantFilterNet(dim=card.task.dim, filter_size=net.filter_size, stride=net.stride, depth=net.depth)


def measure_shares(card: ExperimentCard, seed: int, net: nn.Module) -> list[Line]:
    """Lines of the kind "share": the coherent share of the noise, signed and rectified."""
    n = card.measurement.share_draws
    if n is None:
        return []
    lines: list[Line] = []
    for mode in (mode for mode in card.measurement.noise if mode in SHARE_MODES):
        with warnings.catch_warnings():
            # Its NaN says so: ridge may wipe out a layer.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = coherent_share(net, card.task, noise=Noise(mode=mode), n=n, seed=factor_seed(seed, "measure"))
        numbers = {"share": rounded(found.share, 5), "stderr": rounded(found.stderr, 3)}
        lines.append({"kind": "share", "seed": seed, "noise": mode, "draws": n, **numbers})
    return lines
