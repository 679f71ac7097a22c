"""Share of the pair interaction: how much of D and Delta first order misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.results import PairInteraction, Sensitivities

__all__ = ["pair_interaction"]


def pair_interaction(first_order: Sensitivities, measured: Sensitivities) -> PairInteraction:
    """Share of D and Delta that comes of the interaction of two pixels: 1 - (first order) / (measured).

    Parameters
    ----------
    first_order : Sensitivities
        As `scaledetect.theory.cluster_sensitivities` returns at ``order=1``.
    measured : Sensitivities
        Of the same net, task and layers: measured, or exact at ``order=2``.

    Returns
    -------
    PairInteraction

    Raises
    ------
    TypeError, ValueError
        For `first_order` of another kind, and results that differ in layers, task or in averaging channels.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.Task(size=16, xi=4, labelling="block")
    >>> net = sd.nets.PoolingNet(dim=1, filter_size=2, stride=2, depth=2, width=8)
    >>> first, exact = (sd.theory.cluster_sensitivities(net, task, order=order, n=50) for order in (1, 2))
    >>> sd.theory.pair_interaction(first, exact).layers
    ('layer1', 'layer2')
    """
    for name, result in (("first_order", first_order), ("measured", measured)):
        if not isinstance(result, Sensitivities):
            raise bad_type(name, type(result).__name__, "must be a Sensitivities")
    if (first_order.config.get("theory"), first_order.config.get("order")) != ("cluster", 1):
        raise bad_value("first_order", first_order, "must be what cluster_sensitivities returns at order=1")
    if first_order.layers != measured.layers:
        raise bad_value("measured", measured.layers, f"has other layers than first_order: {first_order.layers}")
    for key in ("task", "channel_mean"):
        if first_order.config[key] != measured.config.get(key):
            limit = f"differs from that of first_order, {first_order.config[key]!r}"
            raise bad_value(f"measured.config[{key!r}]", measured.config.get(key), limit)
    sound = np.isfinite(first_order.D) & np.isfinite(measured.D)
    D, D_stderr = _missed(first_order.D, measured.D, measured.D_stderr, sound)
    Delta, Delta_stderr = _missed(first_order.Delta, measured.Delta, measured.Delta_stderr, sound)
    return PairInteraction(measured.layers, D, Delta, D_stderr, Delta_stderr)


def _missed(
    expected: FloatArray, found: FloatArray, error: FloatArray, sound: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(sound & (found > 0), expected / found, np.nan)
        return 1 - ratio, np.abs(ratio) * error / found
