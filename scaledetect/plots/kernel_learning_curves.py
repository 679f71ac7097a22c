"""The figure of kernel learning curves: mean squared error beside its formula, and the share of wrong signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from scaledetect._base.errors import bad_value
from scaledetect.plots.style import COLORS, GREY, MARKERS, NotebookFigure, legible_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaledetect.theory import KernelLearningCurve

__all__ = ["plot_kernel_learning_curves"]


def plot_kernel_learning_curves(
    curves: KernelLearningCurve | Mapping[str, KernelLearningCurve], *, title: str = ""
) -> Figure:
    """Mean squared error, theory as lines and measurement as points, and share of wrong signs, against the rows.

    Parameters
    ----------
    curves : KernelLearningCurve or mapping of str to KernelLearningCurve
        One kernel, or several with their labels.
    title : str, optional

    Returns
    -------
    Figure
        Dashed is the formula, dotted the theory of a finite population, where it was asked for. Error bars are one
        standard error. Grey: a learner that knows nothing, at 1 (it answers 0) and at 1/2. Where the
        formula is infinite or 0 nothing is drawn.

    Raises
    ------
    ValueError
        When there is no curve.
    """
    labelled = dict(curves) if isinstance(curves, Mapping) else {"": curves}
    if not labelled:
        raise bad_value("curves", curves, "must hold at least one curve")
    figure = NotebookFigure(figsize=(7.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, (label, curve) in enumerate(labelled.items()):
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        drawn = np.isfinite(curve.mse) & (curve.mse > 0)
        left.plot(curve.n_train[drawn], curve.mse[drawn], "--", color=color)
        left.plot(curve.n_train, curve.mse_finite, ":", color=color)
        style = {"fmt": marker, "color": color, "markersize": 4.5, "label": label or curve.kernel}
        left.errorbar(curve.n_train, curve.mse_measured, curve.mse_stderr, **style)
        right.errorbar(curve.n_train, curve.error, curve.error_stderr, **style | {"fmt": marker + "-"})
    _finish(left, "Mean squared error (lines: theory)", "mean squared error", 1.0)
    _finish(right, "Share of wrong signs", "test error", 0.5)
    left.set_yscale("log")
    legible_ticks(left.yaxis)
    right.set_ylim(bottom=0)
    right.legend(frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _finish(axes: Axes, title: str, label: str, chance: float) -> None:
    axes.axhline(chance, color=GREY, linewidth=0.8, zorder=0)
    axes.set_title(title, fontsize=10)
    axes.set(xscale="log", xlabel="training rows $P$", ylabel=label)
    axes.spines[["top", "right"]].set_visible(False)
