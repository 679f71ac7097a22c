"""Figures of the profile of one pixel and of the coherent share show what they are given."""

from __future__ import annotations

import numpy as np
import pytest

import scaledetect as sd
from scaledetect.plots import plot_cluster_profile, plot_coherent_share

TASK = sd.Task(dim=1, size=32, xi=8)
NET = sd.nets.ConstantFilterNet(depth=3)


def test_a_profile_shows_each_layer_and_the_neighbours() -> None:
    found = sd.theory.cluster_profile(NET, TASK)
    left, last = (axes for axes in found.plot(title="boxes").axes if axes.get_label() != "<colorbar>")
    for k, line in enumerate(left.lines[:3]):
        np.testing.assert_array_equal(line.get_xdata(), found.z)
        np.testing.assert_array_equal(line.get_ydata(), found.profile[k])
    np.testing.assert_array_equal(last.lines[0].get_ydata(), found.neighbour_correlation)


def test_several_profiles_have_a_panel_each() -> None:
    nets = {"boxes": NET, "random": sd.nets.PoolingNet(depth=2, width=4)}
    figure = plot_cluster_profile({name: sd.theory.cluster_profile(net, TASK) for name, net in nets.items()})
    titles = [axes.get_title() for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert titles == ["boxes", "random", "Correlation of neighbours"]


def test_shares_are_points_beside_dashes() -> None:
    exact = sd.theory.coherent_share(TASK, NET)
    found = sd.probes.coherent_share(NET, TASK, n=100)
    (axes,) = found.plot(theory=exact).axes
    dashed, points = axes.lines[0], axes.lines[1]
    assert dashed.get_linestyle() == "--"
    np.testing.assert_array_equal(dashed.get_ydata(), exact.share)
    np.testing.assert_array_equal(points.get_ydata(), found.share)
    np.testing.assert_array_equal(points.get_xdata(), NET.pooling.A)
    assert axes.get_xscale() == "log"


def test_a_curve_without_receptive_field_is_drawn_against_depth() -> None:
    found = sd.probes.coherent_share(NET, TASK, n=100, layers=["layer3", "layer1"])
    (axes,) = plot_coherent_share({"two layers": found}).axes
    assert axes.get_xlabel() == r"layer $k$"
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["two layers"]


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="profiles="):
        plot_cluster_profile({})
    with pytest.raises(ValueError, match="shares="):
        plot_coherent_share({})
    with pytest.raises(ValueError, match="theory="):
        exact = sd.theory.coherent_share(TASK, NET)
        plot_coherent_share({"net": exact}, {"other": exact})
