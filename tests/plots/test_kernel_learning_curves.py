"""The figure of kernel learning curves shows what it is given."""

from __future__ import annotations

import numpy as np
import pytest

import scaledetect as sd
from scaledetect.plots import plot_kernel_learning_curves
from scaledetect.theory import KernelLearningCurve


@pytest.fixture(scope="module")
def curve() -> KernelLearningCurve:
    task = sd.Task(size=12, xi=3)
    return sd.theory.kernel_learning_curve(task, "linear", n_train=[5, 12, 40], n_draws=5)


def test_formula_measurement_and_error_are_drawn(curve: KernelLearningCurve) -> None:
    assert np.isinf(curve.mse[1])
    figure = curve.plot(title="ring")
    left, right = figure.axes
    dashed, points = left.lines[0], left.containers[0][0]
    # The peak at P = rank is infinite: no axis shows it.
    np.testing.assert_array_equal(dashed.get_xdata(), [5, 40])
    np.testing.assert_array_equal(dashed.get_ydata(), curve.mse[[0, 2]])
    np.testing.assert_array_equal(points.get_ydata(), curve.mse_measured)
    np.testing.assert_array_equal(right.containers[0][0].get_ydata(), curve.error)
    assert (left.get_xscale(), left.get_yscale(), right.get_yscale()) == ("log", "log", "linear")
    figure.canvas.draw()


def test_several_kernels_have_a_label_each(curve: KernelLearningCurve) -> None:
    figure = plot_kernel_learning_curves({"one": curve, "two": curve})
    legend = figure.axes[1].get_legend()
    assert legend is not None and [text.get_text() for text in legend.get_texts()] == ["one", "two"]


def test_no_curve_is_refused() -> None:
    with pytest.raises(ValueError, match=r"curves=.*at least one"):
        plot_kernel_learning_curves({})
