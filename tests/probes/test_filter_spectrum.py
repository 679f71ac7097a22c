"""Filter spectra against the eigenvectors of the Laplacian itself, and their figure."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import scaledetect as sd
from scaledetect.plots.filter_spectra import plot_spectra
from scaledetect.probes import FilterSpectrum, filter_spectrum

CONVS: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def laplacian(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Of the grid graph with free boundary, built from its edges."""
    sites = list(itertools.product(*map(range, shape)))
    matrix = np.zeros((len(sites), len(sites)))
    for (i, u), (j, v) in itertools.combinations(enumerate(sites), 2):
        if sum(abs(a - b) for a, b in zip(u, v, strict=True)) == 1:
            matrix[[i, j], [j, i]] -= 1
            matrix[[i, j], [i, j]] += 1
    return matrix


def projections(w: NDArray[np.float64]) -> dict[float, float]:
    """Share of each eigenspace of the Laplacian, by eigenvalue rounded to 9 digits."""
    values, vectors = np.linalg.eigh(laplacian(w.shape[2:]))
    share = np.square(w.reshape(-1, len(values)) @ vectors).sum(axis=0) / np.square(w).sum()
    found: dict[float, float] = {}
    for value, part in zip(np.abs(values.round(9)), share, strict=True):
        found[value] = found.get(value, 0) + part
    return found


@pytest.mark.parametrize("shape", [(5,), (2, 2), (3, 3), (6, 6), (3, 5), (1, 4), (3, 3, 3), (2, 3, 4)])
def test_equals_the_eigenspaces_of_the_laplacian(shape: tuple[int, ...]) -> None:
    conv = CONVS[len(shape) - 1](4, 6, shape, groups=2).double()
    level = filter_spectrum(conv).levels[0]
    expected = projections(conv.weight.detach().numpy())
    np.testing.assert_allclose(level.eigenvalues, list(expected), atol=1e-8)
    np.testing.assert_allclose(level.P, list(expected.values()), atol=1e-12)
    assert level.modes.sum() == math.prod(shape)


def test_modes_are_separable_cosines() -> None:
    conv = nn.Conv2d(1, 1, (3, 4))
    u, v = np.meshgrid(np.arange(3) + 0.5, np.arange(4) + 0.5, indexing="ij")
    for mode in np.ndindex(3, 4):
        cosine = np.cos(np.pi * mode[0] * u / 3) * np.cos(np.pi * mode[1] * v / 4)
        conv.weight.data = torch.from_numpy(1e200 * cosine[None, None])
        P = filter_spectrum(conv).P[0]
        assert P[mode] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", ["vgg11_bn", "resnet18", "efficientnet_b0", "lenet", "constant_filter"])
def test_sums_to_one_in_every_layer(name: str) -> None:
    spectrum = filter_spectrum(sd.nets.get(name))
    np.testing.assert_allclose([P.sum() for P in spectrum.P], 1, rtol=1e-12)
    np.testing.assert_allclose([level.P.sum() for level in spectrum.levels], 1, rtol=1e-12)
    assert [P.size == 1 for P in spectrum.P] == spectrum.pointwise.tolist()
    np.testing.assert_allclose(spectrum.constant[spectrum.pointwise], 1, rtol=1e-12)


def test_one_row_for_each_convolution() -> None:
    net = sd.nets.get("resnet18")
    names = [name for name, module in net.named_modules() if isinstance(module, nn.Conv2d)]
    assert filter_spectrum(net).layers == tuple(names)


def test_constant_filters_only_pool() -> None:
    for dim in (1, 2, 3):
        np.testing.assert_allclose(filter_spectrum(sd.nets.ConstantFilterNet(dim, 3, 2, 3)).constant, 1, rtol=1e-12)


def test_white_filters_are_flat() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(200, 200, 3)
    P = filter_spectrum(conv).P[0]
    # A Gaussian's square has a variance of twice its mean's square; that of a sum of uniform numbers has less.
    assert np.abs(9 * P - 1).max() < 5 * math.sqrt(2 / 40000)


def test_a_convolution_that_is_used_twice_has_one_row() -> None:
    conv = nn.Conv1d(2, 2, 3)
    twin = nn.Conv1d(2, 2, 3)
    twin.weight = conv.weight
    assert filter_spectrum(nn.ModuleDict({"a": conv, "b": nn.Sequential(conv, nn.ReLU(), twin)})).layers == ("a",)


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_flawed_filters_have_no_spectrum(value: float) -> None:
    net = nn.Sequential(nn.Conv1d(1, 1, 2), nn.Conv1d(1, 1, 2))
    nn.init.constant_(net.get_parameter("0.weight"), value)
    with pytest.warns(RuntimeWarning, match=r"all filters are zero, or some are not finite.*: 0$"):
        spectrum = filter_spectrum(net)
    assert np.isnan(spectrum.P[0]).all()
    assert np.isfinite(spectrum.P[1]).all()


def test_frames() -> None:
    spectrum = filter_spectrum(sd.nets.get("lenet"))
    modes, levels = spectrum.to_frame(), spectrum.to_frame(by="eigenvalue")
    assert list(modes) == ["layer", "k", "mode", "eigenvalue", "P"]
    assert list(levels) == ["layer", "k", "modes", "eigenvalue", "P"]
    assert len(modes) == 50
    for frame in (modes, levels):
        np.testing.assert_allclose(frame.groupby("layer").P.sum(), 1, rtol=1e-12)
    assert levels.modes.sum() == 50
    with pytest.raises(ValueError, match="by='layer'"):
        spectrum.to_frame(by="layer")  # type: ignore[arg-type]


def test_is_frozen_and_checked() -> None:
    spectrum = filter_spectrum(sd.nets.get("lenet"))
    with pytest.raises(ValueError, match="read-only"):
        spectrum.P[0][0, 0] = 2
    with pytest.raises(ValueError, match="one array for each"):
        FilterSpectrum(("a", "b"), spectrum.P[:1], spectrum.eigenvalues[:1])


# ---------------------------------------------------------------------- figure


def test_plot_leaves_out_pointwise_layers() -> None:
    spectrum = filter_spectrum(sd.nets.get("resnet18"))
    figure = plot_spectra({"initial": spectrum, "trained": spectrum}, title="ResNet")
    first, second, last = (axes for axes in figure.axes if axes.get_label() != "<colorbar>")
    shown = int((~spectrum.pointwise).sum())
    assert len(first.lines) == len(second.lines) == shown + 1
    assert first.get_ylim() == second.get_ylim()
    assert last.lines[0].get_ydata() == pytest.approx(spectrum.constant[~spectrum.pointwise])
    # White filters are at 1.
    assert np.asarray(first.lines[1].get_ydata()) == pytest.approx(1, abs=0.2)


def test_plot_of_one_spectrum() -> None:
    spectrum = filter_spectrum(sd.nets.get("lenet"))
    assert len(spectrum.plot().axes) == 3
    with pytest.raises(ValueError, match="no layer with filters of more than one pixel"):
        plot_spectra(filter_spectrum(nn.Conv2d(2, 2, 1)))
    with pytest.raises(ValueError, match="no layer"):
        plot_spectra({})
