"""Figures show what they are given."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

import scaledetect as sd
from scaledetect._base.progress import Progress
from scaledetect.plots.examples import plot_examples
from scaledetect.plots.overview import plot_overview
from scaledetect.plots.sensitivities import plot_sensitivities
from scaledetect.results import Sensitivities
from scaledetect.sampling.samplers import first_of_each_class
from scaledetect.sensitivity.beside_theory import compare_with_theory
from scaledetect.task.cards import ReferenceNet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

TASK = sd.Task(dim=1, size=32, xi=8)
BLOCKS = sd.Task(dim=1, size=32, xi=8, labelling="block")
NET = ReferenceNet(filter_size=2, stride=2, depth=4)


def exact(task: sd.Task = TASK, **net: int) -> Sensitivities:
    return sd.theory.sensitivities(task, **net or NET.model_dump())


@pytest.fixture(scope="module")
def measured() -> Sensitivities:
    return sd.sensitivities(sd.nets.ConstantFilterNet(1, 2, 2, 4), TASK, 1000)


def points_of(axes: Axes) -> Line2D:
    """The markers of the first error-bar curve."""
    from matplotlib.container import ErrorbarContainer

    return cast(ErrorbarContainer, axes.containers[0]).lines[0]


def test_three_panels_with_points_and_dashes(measured: Sensitivities) -> None:
    theory = exact()
    figure = plot_sensitivities(measured, theory)
    assert [axes.get_ylabel() for axes in figure.axes] == ["$D_k$", "$G_k$", r"$R_k = D_k / G_k$"]
    for axes, name in zip(figure.axes, "DGR", strict=True):
        dashed, points = axes.lines[0], points_of(axes)
        assert dashed.get_linestyle() == "--"
        np.testing.assert_array_equal(dashed.get_ydata(), getattr(theory, name))
        np.testing.assert_array_equal(points.get_xdata(), measured.A)
        np.testing.assert_array_equal(points.get_ydata(), getattr(measured, name))
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_the_method_is_the_function(measured: Sensitivities) -> None:
    assert len(measured.plot(theory=exact(), against="depth", title="a title").axes) == 3


def test_against_depth(measured: Sensitivities) -> None:
    figure = plot_sensitivities(measured, against="depth")
    np.testing.assert_array_equal(points_of(figure.axes[0]).get_xdata(), [1, 2, 3, 4])
    assert figure.axes[0].get_xscale() == "linear"


def test_few_layers_with_names_of_their_own_stand_on_the_axis() -> None:
    s, other = (sd.Sensitivities.from_arrays(D=[1, 0.5], layers=["conv", name]) for name in ("head", "fc"))
    figure = plot_sensitivities(s)
    for axes in figure.axes:
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["conv", "head"]
        assert not axes.get_xlabel()
    assert plot_sensitivities({"a": s, "b": other}).axes[0].get_xlabel() == "layer $k$"
    many = sd.Sensitivities.from_arrays(D=np.ones(17), layers=[f"conv{k}" for k in range(17)])
    assert plot_sensitivities(many).axes[0].get_xlabel() == "layer $k$"


def test_exact_zero_is_marked() -> None:
    figure = plot_sensitivities(exact(BLOCKS))
    marks = next(line for line in figure.axes[0].lines if line.get_marker() == "v")
    np.testing.assert_array_equal(marks.get_xdata(), [8, 16])


def test_several_curves_and_guides() -> None:
    curves = {"F=2": exact(), "F=4": exact(filter_size=4, stride=2, depth=3)}
    laws = {"F=2": sd.theory.exponents(filter_size=2, stride=2)}
    figure = plot_sensitivities(curves, exponents=laws)
    assert [text.get_text() for text in figure.legends[0].texts] == ["F=2", "F=4"]
    guide = next(line for line in figure.axes[0].lines if line.get_linewidth() == 5)
    x, y = np.asarray(guide.get_xdata()), np.asarray(guide.get_ydata())
    assert np.log(y[-1] / y[0]) / np.log(x[-1] / x[0]) == pytest.approx(laws["F=2"].D)


def test_several_theories_beside_one_measurement(measured: Sensitivities) -> None:
    theories = {"exact": exact(), "mine": Sensitivities.from_arrays(D=[0.5, 0.4, 0.3, 0.2], layers=measured.layers)}
    figure = measured.plot(theory=theories, against="depth")
    assert [text.get_text() for text in figure.legends[0].texts] == ["measured", "exact", "mine"]
    curves = [line for line in figure.axes[0].lines if len(np.asarray(line.get_xdata())) == 4]
    shown = {tuple(np.asarray(line.get_ydata())): (line.get_color(), line.get_linestyle()) for line in curves}
    styles = [shown[tuple(theory.D)] for theory in theories.values()]
    assert len(set(styles)) == 2
    with pytest.raises(ValueError, match="against='A'"):
        measured.plot(theory=theories, against="A")


def test_refused(measured: Sensitivities) -> None:
    with pytest.raises(ValueError, match=r"theory=\['other'\]"):
        plot_sensitivities({"one": measured}, {"other": exact()})
    with pytest.raises(ValueError, match="against='k'"):
        plot_sensitivities(measured, against="k")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n=0"):
        first_of_each_class(TASK, 0)
    with pytest.raises(ValueError, match="13 pairs"):
        plot_examples(TASK, *first_of_each_class(TASK, 13))
    with pytest.raises(ValueError, match="comparisons"):
        plot_overview([])


def test_without_receptive_field(measured: Sensitivities) -> None:
    from dataclasses import replace

    unknown = replace(measured, A=None)
    assert plot_sensitivities(unknown).axes[0].get_xlabel() == "layer $k$"
    with pytest.raises(ValueError, match="against='A'"):
        plot_sensitivities(unknown, against="A")


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("balance", ["equal", "natural"])
def test_examples(dim: int, balance: str) -> None:
    task = sd.Task(dim=dim, size=8, xi=3, balance=balance)  # type: ignore[arg-type]
    figure = plot_examples(task, *first_of_each_class(task, 3))
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert len(panels) == 6
    drawn = [axes for axes in panels if axes.lines or axes.images or axes.collections]
    assert len(drawn) == 6


def test_an_example_shows_the_sampled_pixels() -> None:
    task = sd.Task(dim=2, size=8, xi=3)
    pairs, y = sd.sample_pairs(task, 2, seed=4)
    figure = plot_examples(task, *first_of_each_class(task, 1, seed=4))
    for axes, pair, label in zip(figure.axes, pairs, y, strict=True):
        assert axes.get_ylabel() == ("near" if label == 1 else "far")
        shown = np.argwhere(np.asarray(axes.images[0].get_array()) == 1)
        np.testing.assert_array_equal(shown, pair[np.lexsort(pair.T[::-1])])


def test_overview() -> None:
    comparisons = compare_with_theory(BLOCKS, nets=[NET], n=1000)
    left, right = plot_overview(comparisons).axes
    shown = right.lines[0]
    np.testing.assert_array_equal(shown.get_xdata(), comparisons[0].z["D"])
    assert len(np.asarray(left.lines[0].get_xdata())) == 2, "exact zeros have no place on a log axis"


def test_no_global_state() -> None:
    code = "import scaledetect.plots, sys; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


# ---------------------------------------------------------------------- what the figures are made from


def test_comparison_is_measurement_and_theory() -> None:
    seen: list[Progress] = []
    noises = [sd.Noise(), sd.Noise("rectified_noise")]
    one, two = compare_with_theory(TASK, nets=[NET], n=1000, noise=noises, seed=3, progress=seen.append)
    assert [one.noise, two.noise] == noises
    assert (seen[-1].what, seen[-1].done, seen[-1].total) == ("draws", 1000, 1000)
    net = sd.nets.ConstantFilterNet(1, 2, 2, 4)
    measured = sd.sensitivities(net, TASK, 1000, noise=sd.Noise("rectified_noise"), seed=3)
    np.testing.assert_array_equal(two.measured.G, measured.G)
    theory = sd.theory.sensitivities(TASK, depth=4, noise=sd.Noise("rectified_noise"))
    np.testing.assert_array_equal(two.theory.G, theory.G)
    expected = (measured.G - two.theory.G) / measured.G_stderr
    np.testing.assert_allclose(two.z["G"], expected)
    assert two.worst == max(np.abs(two.z[name]).max() for name in "DGR")


def test_comparison_takes_its_seed_from_the_card() -> None:
    from_card = compare_with_theory("block-2d-L16-xi4", n=1000)[0]
    card = sd.load_card("block-2d-L16-xi4")
    again = compare_with_theory(card.task, nets=card.nets, n=1000, seed=card.seeds.study[0])[0]
    np.testing.assert_array_equal(from_card.measured.D, again.measured.D)


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="nets"):
        compare_with_theory(TASK)
