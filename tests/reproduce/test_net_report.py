"""Report of one net: the same numbers as the functions it is made of, its frame, its figure, its refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import scaledetect as sd
from scaledetect.nets import VGG, FullyConnected, calibrate_batch_norm

IMAGES = torch.rand(60, 1, 16, 16, generator=torch.Generator().manual_seed(0))
NET, INITIAL = (VGG((4, "M", 8), in_channels=1, seed=seed) for seed in (0, 1))


@pytest.fixture(scope="module")
def report() -> Any:
    return sd.net_report(NET, IMAGES, INITIAL, seed=3)


def test_curves_and_spectra_are_those_of_the_public_functions(report: Any) -> None:
    nets = {"initial": INITIAL, "trained": NET, "shuffled": sd.probes.shuffle_channels(NET, 3)}
    assert list(report.curves) == list(nets)
    for curve, net in nets.items():
        s = sd.image_sensitivities(net, IMAGES, noise=sd.Noise(match="sample"), seed=3)
        assert np.array_equal(report.curves[curve].D, s.D) and np.array_equal(report.curves[curve].R, s.R)
    for curve in ("initial", "trained"):
        expected = sd.probes.filter_spectrum(nets[curve])
        assert np.array_equal(report.spectra[curve].constant, expected.constant)


def test_the_frame_has_a_row_for_each_curve_and_layer(report: Any) -> None:
    frame = report.to_frame()
    assert frame["curve"].tolist() == [c for c in ("initial", "trained", "shuffled") for _ in range(3)]
    assert frame["layer"].tolist() == ["layer1", "layer2", "output"] * 3
    constant = sd.probes.filter_spectrum(NET).constant
    np.testing.assert_array_equal(frame[frame["curve"] == "trained"]["constant"], [*constant, np.nan])


def test_the_figure_has_both_rows_where_there_are_filters(report: Any) -> None:
    from matplotlib.figure import Figure

    figure = report.plot(title="mine")
    assert isinstance(figure, Figure)
    upper, lower = figure.subfigs
    assert [axes.get_yscale() for axes in upper.axes] == ["log"] * 3
    assert "Share of the constant" in [axes.get_title() for axes in lower.axes]
    dense = sd.net_report(FullyConnected(2, in_channels=1), IMAGES)
    assert list(dense.curves) == ["trained"] and not dense.spectra
    assert len(dense.plot().subfigs) == 1


def test_on_a_task_and_on_a_data_set() -> None:
    task = sd.Task(dim=2, size=16, xi=5, gap=1)
    on_task = sd.net_report(NET, task, n=200, layers=["output"])
    assert np.array_equal(on_task.curves["trained"].D, sd.sensitivities(NET, task, 200, layers=["output"]).D)
    data = sd.images.load("digits")
    on_data = sd.net_report(NET, data, n=50)
    assert on_data.curves["trained"].n == 50


NEWBORN = VGG((4,), in_channels=1, batch_norm=True)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((NET, IMAGES, NEWBORN), {}, "initial='VGG': has batch norms that have seen no image"),
        ((NET, iter([IMAGES])), {}, "is read once"),
        ((NET, sd.Task(dim=2, size=16, xi=5, gap=1)), {"delta": 1.0}, "delta=1.0: goes with images only"),
        ((lambda x: x, IMAGES), {}, "net='function': must be a torch.nn.Module"),
        ((NET, IMAGES), {"n": 61}, "n=61"),
        ((NET, [IMAGES]), {"n": 5}, "n=5: goes with a task"),
    ],
)
def test_refuses(arguments: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        sd.net_report(*arguments, **options)


def test_a_calibrated_initial_net_is_taken() -> None:
    net = calibrate_batch_norm(VGG((4,), in_channels=1, batch_norm=True, seed=2), IMAGES)
    assert isinstance(net, nn.Module)
    assert "initial" in sd.net_report(net, IMAGES, net, layers=["output"]).curves
