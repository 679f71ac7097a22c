"""Hotelling's T^2: whether all layers agree with a prediction at once, on few enough layers for the number of seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc

from scaledetect._base.arguments import integers, one_of, real_array
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.results import RARE_EVENTS, Sensitivities

__all__ = ["ROWS_PER_LAYER", "HotellingTest", "hotelling", "joint_test"]


ROWS_PER_LAYER = 3
"""Seeds or blocks for each layer tested, at least: a covariance estimated from fewer says little."""
WORST_CONDITION = 1e12
"""Condition of the correlation matrix beyond which float64 has no digits left for its inverse."""


@dataclass(frozen=True)
class HotellingTest:
    """Joint test of several layers.

    Attributes
    ----------
    statistic : float
        T^2 = n m^T S^-1 m, with m the mean of the rows and S their covariance.
    dof : pair of int
        Degrees of freedom of F = T^2 (n - p)/(p (n - 1)): p layers and n - p.
    p_value : float
        Chance of a T^2 at least as large if every mean is 0.
    layers : tuple of int
        Numbers of the layers tested, counted from 1.
    left_out : tuple of int
        Numbers of the layers that had to be left out because a number is not finite.
    n_rows : int
        Seeds or blocks.
    """

    statistic: float
    dof: tuple[int, int]
    p_value: float
    layers: tuple[int, ...]
    left_out: tuple[int, ...]
    n_rows: int


def hotelling(differences: ArrayLike, *, layers: Sequence[int] | None = None) -> HotellingTest:
    """Test that the mean difference of every layer is 0, by Hotelling's T^2.

    Parameters
    ----------
    differences : array_like of float, shape (n_rows, K)
        A row a seed, or a jackknife pseudo-value a block; a column a layer: measured minus predicted, or its logarithm.
        Rows are independent, columns may be correlated in any way.
    layers : sequence of int, optional
        Numbers of the layers to test, counted from 1, at most a third as many as there are rows. Default: all layers
        without a NaN; where they are too many, the first, the last and others evenly spaced between.

    Returns
    -------
    HotellingTest
        It says which layers were tested.

    Raises
    ------
    TypeError, ValueError
        Naming the argument: for fewer than three rows, too many `layers`, a NaN or infinity in one of them, layers
        whose differences do not vary or depend on one another to the last digits.

    Notes
    -----
    Hotelling, Ann. Math. Stat. 2, 360 (1931); exact for normal rows. A chi-squared test, which takes the estimated
    covariance for the true one, rejects the truth at level 0.05 a third of the time with a third as many layers as
    rows, and more than half of the time with half as many.

    Examples
    --------
    >>> import numpy as np
    >>> from scaledetect.statistics import hotelling
    >>> test = hotelling(np.random.default_rng(0).normal(size=(12, 7)))
    >>> test.layers, test.dof, round(test.p_value, 3)
    ((1, 3, 5, 7), (4, 8), 0.369)
    """
    rows = real_array("differences", differences)
    if rows.ndim != 2 or rows.shape[0] < ROWS_PER_LAYER or not rows.shape[1]:
        text = f"must have shape (n_rows, K), with at least {ROWS_PER_LAYER} rows and one layer"
        raise bad_value("differences", rows.shape, text)
    finite = np.asarray(np.isfinite(rows).all(axis=0))
    left_out = () if layers is not None else tuple(int(k) + 1 for k in np.flatnonzero(~finite))
    chosen = _evenly_spaced(finite, len(rows)) if layers is None else _chosen(layers, finite, len(rows))
    statistic = _t_squared(rows[:, chosen])
    n, p = len(rows), len(chosen)
    numbers = tuple(int(k) + 1 for k in chosen)
    return HotellingTest(statistic, (p, n - p), _p_value(statistic, n, p), numbers, left_out, n)


def joint_test(
    measured: Sensitivities, prediction: Sensitivities, quantity: Literal["D", "G", "R", "Delta"] = "D"
) -> HotellingTest:
    """Test that a measurement agrees with a prediction in all layers at once, by Hotelling's T^2 over its blocks.

    All layers are measured on the same draws, so their deviations move together: an unlucky draw lifts many z at once,
    which this test, unlike the largest z, takes into account.

    Parameters
    ----------
    measured : Sensitivities
        From `scaledetect.sensitivities` or `image_sensitivities`: its jackknife blocks are the rows.
    prediction : Sensitivities
        Exact, with the same layers.
    quantity : {"D", "G", "R", "Delta"}, default "D"

    Returns
    -------
    HotellingTest
        Layers where either is NaN, that do not vary, or whose numerator was seen non-zero too seldom are left out.
        Where those left are more than a third of the blocks, or depend on one another to the last digits, fewer are
        taken, evenly spaced.

    Raises
    ------
    TypeError, ValueError
        Naming the argument: a measurement without deviations, other layers, a prediction with standard errors of its
        own, no layer that can be tested.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect.statistics import joint_test
    >>> task, net = sd.Task(size=32, xi=8), sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=2, depth=3)
    >>> s, t = sd.sensitivities(net, task, n=2000), sd.theory.sensitivities(task, net)
    >>> joint_test(s, t).layers, joint_test(s, t).p_value > 0.01
    ((1, 2, 3), True)
    """
    one_of("quantity", quantity, ("D", "G", "R", "Delta"))
    for name, given in (("measured", measured), ("prediction", prediction)):
        if not isinstance(given, Sensitivities):
            raise bad_type(name, given, "must be a scaledetect.Sensitivities")
    if measured.deviations is None:
        raise bad_value("measured", measured, "has no deviations of its blocks: it is no measurement")
    if measured.layers != prediction.layers:
        raise bad_value("prediction", prediction.layers, f"has other layers than the measurement: {measured.layers}")
    if (np.nan_to_num(getattr(prediction, f"{quantity}_stderr")) > 0).any():
        raise bad_value("prediction", prediction, "has errors of its own, which this test knows nothing of")
    rows = _pseudo_values(measured, prediction, quantity)
    rows[:, _rare(measured, quantity)] = np.nan
    rows[:, ~(rows.std(axis=0, ddof=1) > 1e-14 * np.abs(rows).max(axis=0))] = np.nan
    finite = np.asarray(np.isfinite(rows).all(axis=0))
    if not finite.any():
        raise bad_value("quantity", quantity, "is finite and seen often enough in no layer", "measure with more draws")
    most = len(rows)
    while most >= 1:
        places = _evenly_spaced(finite, most)
        if len(places) == 1 or np.linalg.cond(np.corrcoef(rows[:, places], rowvar=False)) < WORST_CONDITION:
            break
        most = ROWS_PER_LAYER * (len(places) // 2)
    test = hotelling(rows, layers=tuple(int(k) + 1 for k in places))
    return replace(test, left_out=tuple(int(k) + 1 for k in np.flatnonzero(~finite)))


def _rare(measured: Sensitivities, quantity: str) -> NDArray[np.bool_]:
    """Layers whose numerator was seen non-zero too seldom for its error bar."""
    rare = np.zeros(len(measured), dtype=bool)
    for letter, events in (("D", measured.D_events), ("G", measured.G_events)):
        if events is not None and quantity in (letter, "R"):
            rare |= events < RARE_EVENTS
    return rare


def _pseudo_values(measured: Sensitivities, prediction: Sensitivities, quantity: str) -> FloatArray:
    """One row a block: their mean is the deviation from the prediction, and its error that of the jackknife."""
    assert measured.deviations is not None
    deviations = measured.deviations[quantity]
    blocks = len(deviations)
    gap = getattr(measured, quantity) - getattr(prediction, quantity)
    return np.asarray(gap + math.sqrt(blocks * (blocks - 1)) * (deviations - deviations.mean(axis=0)))


def _t_squared(rows: FloatArray) -> float:
    """T^2 of the rows; their scale is divided out first, so that layers of any size condition the inverse alike."""
    scatter = rows.std(axis=0, ddof=1)
    if not (scatter > 1e-14 * np.abs(rows).max(axis=0)).all():
        text, way_out = "the scatter over rows must be positive in every layer", "leave that layer out"
        raise bad_value("differences", scatter.tolist(), text, way_out)
    mean = rows.mean(axis=0) / scatter
    correlation = np.atleast_2d(np.corrcoef(rows, rowvar=False))
    condition = float(np.linalg.cond(correlation))
    if not condition < WORST_CONDITION:
        way_out = "choose fewer layers"
        raise bad_value("differences", condition, f"the condition must be below {WORST_CONDITION:g}", way_out)
    return float(len(rows) * mean @ np.linalg.solve(correlation, mean))


def _p_value(statistic: float, n: int, p: int) -> float:
    # The F distribution without scipy.stats, which takes a second to load.
    return float(fdtrc(p, n - p, statistic * (n - p) / (p * (n - 1))))


def _evenly_spaced(finite: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
    """Indices of the layers to test: all that are finite, or n/3 of them, evenly spaced; the last one if only one."""
    indices = np.flatnonzero(finite)
    if not indices.size:
        raise bad_value("differences", "no layer", "at least one layer must be finite for all rows")
    most = min(indices.size, n // ROWS_PER_LAYER)
    steps = np.linspace(indices.size - 1, 0, most) if most > 1 else np.array([indices.size - 1.0])
    return np.asarray(np.sort(indices[np.rint(steps).astype(np.int64)]), dtype=np.int64)


def _chosen(layers: Sequence[int], finite: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
    layers = integers("layers", layers, kind="integers, at least one")
    if not layers:
        raise bad_type("layers", layers, "must be integers, at least one")
    if len(set(layers)) != len(layers) or not all(1 <= k <= finite.size for k in layers):
        raise bad_value("layers", tuple(layers), f"must be different numbers within 1..{finite.size}")
    if len(layers) * ROWS_PER_LAYER > n:
        text = f"must be at most {n // ROWS_PER_LAYER} with {n} rows, a third as many"
        raise bad_value("layers", tuple(layers), text, "choose fewer, or leave the choice to the test")
    indices = np.array(sorted(int(k) - 1 for k in layers), dtype=np.int64)
    if not finite[indices].all():
        missing = tuple(int(k) + 1 for k in indices[~finite[indices]])
        raise bad_value("layers", tuple(layers), f"layers {missing} are not finite for all rows", "leave them out")
    return indices
