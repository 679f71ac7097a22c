"""Several nets measured on the same draws in one measurement: images, moves and noise are made once for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from scaledetect._base.progress import ProgressOption
from scaledetect.perturbations.noise import Noise
from scaledetect.results import Sensitivities
from scaledetect.sensitivity.assemble import describe_net, receptive_fields
from scaledetect.sensitivity.estimate import sensitivities_by_noise
from scaledetect.task.task import Task

__all__ = ["sensitivities_side_by_side"]

_COLUMNS = [f"{name}{end}" for name in ("D", "G", "R", "Delta") for end in ("", "_stderr")] + ["D_events", "G_events"]


class _SideBySide(nn.Module):
    """Nets that take the same images, under the names net1, net2, ..."""

    def __init__(self, nets: Sequence[nn.Module]) -> None:
        super().__init__()
        for number, net in enumerate(nets, start=1):
            self.add_module(f"net{number}", net)
        self.sensitivity_layers = [
            f"{name}.{layer}" for name, net in self.named_children() for layer in _layers_of(net)
        ]

    def forward(self, x: Tensor) -> Tensor:
        for net in self.children():
            y: Tensor = net(x)
        return y


def _layers_of(net: nn.Module) -> Iterable[str]:
    layers: Iterable[str] = net.sensitivity_layers  # type: ignore[assignment]
    return layers


def sensitivities_side_by_side(
    nets: Sequence[nn.Module],
    task: Task,
    n: int,
    *,
    noises: Sequence[Noise],
    seed: int = 0,
    progress: ProgressOption = False,
) -> tuple[tuple[Sensitivities, ...], ...]:
    """`sensitivities_by_noise` of each net, all of them on one device: as they would be alone, up to rounding.

    Parameters
    ----------
    nets : sequence of torch.nn.Module
        At least one; each names its `sensitivity_layers`. Warnings call them net1, net2, ...
    task, n, noises, seed, progress
        As in `scaledetect.sensitivities`, with several forms of noise.

    Returns
    -------
    tuple of tuple of Sensitivities
        Net by net, and noise by noise.
    """
    together = _SideBySide(nets)
    found = sensitivities_by_noise(together, task, n, noises=noises, seed=seed, progress=progress)
    return tuple(tuple(_part(one, name, net) for one in found) for name, net in together.named_children())


def _part(whole: Sensitivities, name: str, net: nn.Module) -> Sensitivities:
    """The rows of one net."""
    rows = [k for k, layer in enumerate(whole.layers) if layer.startswith(f"{name}.")]
    layers = tuple(whole.layers[k].removeprefix(f"{name}.") for k in rows)
    columns: dict[str, Any] = {column: getattr(whole, column)[rows] for column in _COLUMNS}
    assert whole.deviations is not None
    return replace(
        whole,
        layers=layers,
        **columns,
        A=receptive_fields(net, layers),
        deviations={key: np.ascontiguousarray(values[:, rows]) for key, values in whole.deviations.items()},
        config={**whole.config, "net": describe_net(net)},
    )
