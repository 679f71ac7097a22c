"""Assembly of the result from the estimates of all layers, with the warnings that belong to it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from scaledetect._base.array_types import FloatArray
from scaledetect.activations.capture import Capture, warn_of_skipped
from scaledetect.results import BlockSums, Pooling, Sensitivities
from scaledetect.results.jackknife import Estimate, columns_of

__all__ = ["describe_net", "outcome", "receptive_fields"]


def outcome(
    estimates: Mapping[str, Estimate],
    capture: Capture,
    *,
    sigma: float,
    n: int,
    n_blocks: int,
    config: Mapping[str, Any],
    sums: Mapping[str, BlockSums] | None = None,
    stacklevel: int = 3,
) -> Sensitivities:
    """The result; warnings point `stacklevel` frames up, as `warnings.warn` counts from here."""
    _warn_of_flaws(estimates, stacklevel + 1)
    warn_of_skipped(capture.skipped, stacklevel=stacklevel + 1)
    if capture.skipped:
        config = {**config, "skipped": {label: list(shape) for label, shape in capture.skipped.items()}}
    return Sensitivities(
        **columns_of(estimates),
        A=receptive_fields(capture.net, tuple(estimates)),
        sigma=sigma,
        kind="measured",
        n=n,
        n_blocks=n_blocks,
        config=config,
        sums=sums,
    )


def describe_net(net: object) -> dict[str, Any]:
    """Plain data on a net: its class, and its numbers where it only pools."""
    pooling = getattr(net, "pooling", None)
    numbers = {"dim": getattr(net, "dim", None), **asdict(pooling)} if isinstance(pooling, Pooling) else {}
    return {"class": type(net).__name__, **numbers}


def _warn_of_flaws(estimates: Mapping[str, Estimate], stacklevel: int) -> None:
    flaws: dict[str, list[str]] = {}
    for name, estimate in estimates.items():
        if estimate.flaw is not None:
            flaws.setdefault(estimate.flaw, []).append(name)
    for flaw, names in flaws.items():
        warnings.warn(f"{flaw}, so D and G are NaN: {', '.join(names)}", RuntimeWarning, stacklevel=stacklevel)


def receptive_fields(net: object, layers: tuple[str, ...]) -> FloatArray | None:
    """A of these layers, in input pixels, where the net only pools and they are all it has."""
    pooling = getattr(net, "pooling", None)
    return pooling.A if isinstance(pooling, Pooling) and pooling.layers == layers else None
