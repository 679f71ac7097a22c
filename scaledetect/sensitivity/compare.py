"""Paired differences between nets measured on the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.activations.capture import Function
from scaledetect.results import NetComparison, Sensitivities
from scaledetect.sensitivity.estimate import sensitivities
from scaledetect.task.task import Task

__all__ = ["compare", "compare_results"]

Net = nn.Module | Function


def compare(nets: Sequence[Net] | Mapping[str, Net], task: Task, n: int = 10_000, **options: Any) -> NetComparison:
    """Measure nets on the same draws and take their differences, layer by layer.

    Parameters
    ----------
    nets : sequence of nets, or mapping from names to nets
        At least two; the others are compared with the first. Layers correspond by name where all nets have the same
        names, else by position.
    task : Task
    n : int, default 10000
        Number of draws.
    **options
        As in `scaledetect.sensitivities`, the same for all nets; no `target_stderr`, which would give each net its own
        number of draws.

    Returns
    -------
    NetComparison
        Differences of D, G and R, each net less the first, with standard errors from a jackknife of the difference.

    Raises
    ------
    TypeError, ValueError, KeyError
        For fewer than two nets, nets with different numbers of layers, and as `scaledetect.sensitivities`.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.sensitivity import compare
    >>> nets = {f"stride {s}": sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=s, depth=2) for s in (1, 2)}
    >>> compare(nets, sd.Task(dim=1, size=32, xi=8), n=1000)
    <Comparison of stride 2 with stride 1, 2 layers>
    """
    named = _named(nets)
    if options.get("target_stderr") is not None:
        raise bad_value("target_stderr", options["target_stderr"], "would give each net its own draws", "give n")
    return compare_results({name: sensitivities(net, task, n, **options) for name, net in named.items()})


def compare_results(results: Mapping[str, Sensitivities]) -> NetComparison:
    """`compare` on measurements that were made already, or loaded, by name; of the same draws, which is checked."""
    names, found = tuple(results), tuple(results.values())
    if len(found) < 2:
        raise bad_value("results", names, "needs at least two")
    for name, result in results.items():
        if result.deviations is None:
            raise bad_value("results", name, "has no deviations: it is no measurement")
        for key in ("task", "deformation", "noise", "seed", "start"):
            if result.config.get(key) != found[0].config.get(key):
                raise bad_value(
                    "results", name, f"has another {key} than {names[0]!r}", "measure both on the same draws"
                )
        if (result.n, result.n_blocks) != (found[0].n, found[0].n_blocks):
            raise bad_value("results", name, f"has n={result.n}, and {names[0]!r} has n={found[0].n}")
    orders = [_order(found[0].layers, name, result) for name, result in results.items()]
    columns: dict[str, Any] = {}
    for key in ("D", "G", "R"):
        values = np.stack([getattr(result, key)[order] for result, order in zip(found, orders, strict=True)])
        errors = np.stack([(r.deviations or {})[key][:, order] for r, order in zip(found, orders, strict=True)])
        columns[key] = values[1:] - values[0]
        columns[f"{key}_stderr"] = np.sqrt(np.square(errors[1:] - errors[0]).sum(axis=1))
    return NetComparison(nets=names, results=found, layers=found[0].layers, n_blocks=found[0].n_blocks, **columns)


def _named(nets: Sequence[Net] | Mapping[str, Net]) -> dict[str, Net]:
    if isinstance(nets, Mapping):
        named = dict(nets)
    elif isinstance(nets, list | tuple):
        named = {f"net{number}": net for number, net in enumerate(nets, start=1)}
    else:
        raise bad_type("nets", type(nets).__name__, "must be a sequence of nets, or a mapping from names to nets")
    if len(named) < 2:
        raise bad_value("nets", list(named), "needs at least two")
    return named


def _order(layers: tuple[str, ...], name: str, result: Sensitivities) -> list[int]:
    """Position of the counterpart of each of `layers` in `result`."""
    if sorted(layers) == sorted(result.layers):
        return [result.layers.index(layer) for layer in layers]
    if len(layers) != len(result.layers):
        raise bad_value(
            "nets",
            name,
            f"has {len(result.layers)} layers, and the first net has {len(layers)}",
            "name as many of each with layers=..., or measure them one by one",
        )
    return list(range(len(layers)))
