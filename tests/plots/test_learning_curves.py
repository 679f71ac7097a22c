"""Figures of the leaderboard: every curve, bound and fit that is given is drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from scaledetect.plots.learning_curves import ScalingCurve, plot_learning_curves, plot_scaling


def test_learning_curves_have_a_panel_a_task_and_one_colour_a_method() -> None:
    curves = {
        "one": {"a": ([32, 64], [0.5, 0.1], [0.01, 0.01]), "b": ([32, 64], [0.5, 0.4], [0.0, 0.0])},
        "other": {"b": ([32], [0.3], [0.1])},
        "empty": {},
    }
    figure = plot_learning_curves(curves, baselines={"one": ([32, 64], [0.5, 0.51])})
    one, other = figure.axes
    assert (one.get_title(), other.get_title()) == ("one", "other")
    assert [container.get_label() for container in one.containers] == ["a", "b"]
    assert len(one.get_lines()) == 4  # the level, the learner that knows nothing, two curves
    colors = [axes.get_lines()[-1].get_color() for axes in (one, other)]
    assert colors[0] == colors[1]
    assert other.get_xscale() == "log"
    assert [label.get_text() for label in one.get_xticklabels()] == ["32"]
    with pytest.raises(ValueError, match="no learning curve"):
        plot_learning_curves({"empty": {}})


def test_scaling_draws_the_fitted_line_through_the_points_it_was_fitted_to() -> None:
    curve = ScalingCurve(
        [64, 128, 256], [8.0, 16.0, 32.0], [(None, None), (14.0, 18.0), (30.0, 34.0)], [(512, 40.0)], 1.0, (64, 256)
    )
    (axes,) = plot_scaling({"blocks": {"a": curve}}).axes
    assert [text.get_text() for text in axes.texts] == ["$L^{1.00}$"]
    line = axes.get_lines()[-1]
    assert np.asarray(line.get_xdata()) == pytest.approx([64, 256])
    assert np.asarray(line.get_ydata()) == pytest.approx([8.0, 32.0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["64", "128", "256", "512"]
    arrows = [line for line in axes.get_lines() if "arrow" in str(line.get_marker())]
    assert [np.asarray(line.get_ydata())[0] for line in arrows] == [40.0]
    assert np.asarray(axes.get_lines()[1].get_ydata())[1] == 18.0
    with pytest.raises(ValueError, match="no sample complexity"):
        plot_scaling({})


def test_exponents_of_two_methods_on_one_panel_do_not_overprint() -> None:
    """Lines that end at nearly one point have labels a line of text apart, in the order of the lines."""
    ones, intervals = (16, 32, 64), [(None, None)] * 3
    methods = {
        name: ScalingCurve(ones, values, intervals, exponent=0.45, fitted=ones)
        for name, values in (("a", (240, 330, 446)), ("b", (250, 324, 446)), ("c", (1470, 5580, 20000)))
    }
    figure = plot_scaling({"blocks": methods})
    figure.canvas.draw()
    (axes,) = figure.axes
    boxes = sorted((label.get_window_extent() for label in axes.texts), key=lambda box: box.y0)
    assert len(boxes) == 3 and all(a.y1 <= b.y0 for a, b in pairwise(boxes))


def test_a_method_looks_alike_in_figures_of_one_order() -> None:
    one = plot_learning_curves({"task": {"b": ([32, 64], [0.5, 0.4], [0.0, 0.0])}}, order=["a", "b"])
    curve = ScalingCurve([64], [8.0], [(None, None)])
    other = plot_scaling({"blocks": {"a": curve, "b": curve}}, order=["a", "b"])
    assert one.axes[0].get_lines()[-1].get_color() == other.axes[0].get_lines()[-1].get_color()
    assert [text.get_text() for text in one.legends[0].get_texts()] == ["b"]
