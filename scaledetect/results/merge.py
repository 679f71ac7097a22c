"""Merging: one measurement from shards with different draws."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

from scaledetect._base.arguments import entries
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.results.block_sums import BlockSums
from scaledetect.results.jackknife import columns_of, estimate_layer
from scaledetect.results.sensitivities import Sensitivities

__all__ = ["merge"]


def merge(parts: Iterable[Sensitivities]) -> Sensitivities:
    """Put measurements of the same net on different draws of a task together: the same numbers as from one run.

    Parameters
    ----------
    parts : iterable of Sensitivities
        From `scaledetect.sensitivities` with ``keep_sums=True`` and a `start` of their own, so that no draw is in two;
        all else the same. They may come from files.

    Returns
    -------
    Sensitivities
        With the sums of all; its `start` is the first.

    Raises
    ------
    TypeError, ValueError
        For what is no measurement, no parts, parts without sums, of other draws than the first ones (another task,
        noise or seed), layers or blocks, or that share draws.

    Notes
    -----
    That the net was the same is not checked beyond its class.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net, task = sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3), sd.Task(size=32, xi=8)
    >>> parts = [sd.sensitivities(net, task, 500, start=start, keep_sums=True) for start in (0, 500)]
    >>> bool(abs(sd.merge(parts).D - sd.sensitivities(net, task, 1000).D).max() < 1e-6)
    True
    """
    given = _checked(parts)
    if not given:
        raise bad_value("parts", [], "there are none")
    for part in given:
        _check_alike(given[0], part)
    ordered = sorted(given, key=lambda part: int(part.config["start"]))
    first = ordered[0]
    for one, other in itertools.pairwise(ordered):
        if one.config["start"] + one.n > other.config["start"]:
            starts = [part.config["start"] for part in ordered]
            raise bad_value("parts", starts, "as starts share draws", "measure each with its own start")
    sums = {name: _added([(part.sums or {})[name] for part in ordered]) for name in first.layers}
    estimates = {name: estimate_layer(layer) for name, layer in sums.items()}
    return replace(first, **columns_of(estimates), n=sum(part.n for part in ordered), sums=sums)


def _checked(parts: object) -> list[Sensitivities]:
    kind = "a list of results of scaledetect.sensitivities"
    found: list[Sensitivities] = []
    for part in entries("parts", parts, kind=kind):
        if not isinstance(part, Sensitivities):
            raise bad_type("parts", part, f"must be {kind}")
        found.append(part)
    return found


def _added(parts: list[BlockSums]) -> BlockSums:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _check_alike(first: Sensitivities, part: Sensitivities) -> None:
    if part.sums is None:
        raise bad_value("parts", part, "has no sums", "measure with keep_sums=True, and save as .npz")
    alike = {"layers": part.layers == first.layers, "blocks": part.n_blocks == first.n_blocks}
    for key in ("task", "net", "noise", "seed", "channel_mean"):
        alike[key] = part.config.get(key) == first.config.get(key)
    if different := [name for name, same in alike.items() if not same]:
        raise bad_value("parts", part, f"differs from the first in {', '.join(different)}")
