"""Profile of single pixels and interaction of pairs: closed forms for constant filters, definitions for other nets."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.theory.cluster import responses

RING = sd.Task(size=32, xi=8)
OPEN = sd.Task(size=32, xi=8, periodic=False)
ORDERS: tuple[Literal[1, 2], ...] = (1, 2)
PLANE = sd.Task(dim=2, size=12, xi=4)


def test_constant_filters_have_the_autocorrelation_of_their_kernel() -> None:
    """Box after box without strides is a triangle; a box of 8 with strides is a triangle too."""
    found = sd.theory.cluster_profile(sd.nets.ConstantFilterNet(filter_size=2, stride=2, depth=3), RING)
    for k, width in enumerate((2, 4, 8)):
        np.testing.assert_allclose(found.profile[k], np.maximum(1 - found.z / width, 0), atol=1e-6)
    smooth = sd.theory.cluster_profile(sd.nets.ConstantFilterNet(filter_size=2, stride=1, depth=2), RING)
    # The kernel (1 2 1) / 4.
    np.testing.assert_allclose(smooth.profile[1, :4], [1, 4 / 6, 1 / 6, 0], atol=1e-6)


def test_the_infinite_lattice_has_its_neighbour_correlation() -> None:
    """D = 1 - C(1)/C(0) in one dimension, where pixels are far apart."""
    net = sd.nets.ConstantFilterNet(filter_size=3, stride=2, depth=4).double()
    found = sd.theory.cluster_profile(net, sd.Task(size=256, xi=64))
    exact = [float(D) for D in sd.theory.lattice_sensitivities(filter_size=3, stride=2, depth=4)]
    np.testing.assert_allclose(1 - found.neighbour_correlation, exact, rtol=1e-12)


@pytest.mark.parametrize("task", [RING, OPEN, PLANE, sd.Task(size=32, xi=8, labelling="block")], ids=str)
def test_any_net_has_the_products_of_its_responses(task: sd.Task) -> None:
    """Ring and border: the mean is over pixels that have a partner."""
    conv = (nn.Conv1d, nn.Conv2d)[task.dim - 1]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        net = nn.Sequential(conv(1, 3, 3), nn.ReLU(), conv(3, 2, 4, stride=3), nn.ReLU()).double()
        images = torch.eye(task.n_sites, dtype=torch.float64).reshape(-1, 1, *task.shape) * task.pixel_value
        phi = (net(images) - net(0 * images[:1])).flatten(1)
    gram = (phi @ phi.T).numpy()
    found = sd.theory.cluster_profile(net, task, layers=["3"])
    sites = np.indices(task.shape).reshape(task.dim, -1)
    for z in (0, 1, 5, task.size // 2):
        products = []
        for axis in range(task.dim):
            there = sites.copy()
            there[axis] += z
            if task.periodic and task.labelling == "distance":
                there[axis] %= task.size
            kept = there[axis] < task.size
            partner = np.ravel_multi_index(tuple(there[:, kept]), task.shape)
            products.append(gram[np.flatnonzero(kept), partner].mean())
        expected = np.mean(products) / np.diag(gram).mean()
        assert found.profile[0, z] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.energy[0] == pytest.approx(np.diag(gram).mean(), rel=1e-9)


def test_slices_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    net = sd.nets.PoolingNet(depth=3, width=6).double()
    whole = sd.theory.cluster_profile(net, RING)
    monkeypatch.setattr(responses, "SLICE_BYTES", 2**12)
    np.testing.assert_allclose(sd.theory.cluster_profile(net, RING).profile, whole.profile, rtol=1e-12)


def test_a_layer_that_no_pixel_moves_has_no_profile() -> None:
    def net(x: Tensor) -> dict[str, Tensor]:
        return {"still": 0 * x}

    found = sd.theory.cluster_profile(net, RING)
    assert np.isnan(found.profile).all() and found.energy.tolist() == [0.0]


def test_the_profile_is_a_frame() -> None:
    found = sd.theory.cluster_profile(sd.nets.ConstantFilterNet(depth=2), RING)
    frame = found.to_frame()
    assert list(frame.columns) == ["layer", "k", "z", "profile"]
    assert len(frame) == 2 * 17
    with pytest.raises(ValueError, match="read-only"):
        found.profile[0, 0] = 2


def test_a_net_without_interaction_has_none() -> None:
    net = sd.nets.ConstantFilterNet(filter_size=2, stride=1, depth=2).double()
    first, exact = (sd.theory.cluster_sensitivities(net, RING, order=order, n=50) for order in ORDERS)
    share = sd.theory.pair_interaction(first, exact)
    assert np.abs(share.D).max() < 1e-12 and np.abs(share.Delta).max() < 1e-12
    assert not share.D_stderr.any()


def test_the_interaction_of_a_product_is_all_of_it() -> None:
    """A layer that answers to two pixels in the same half only: one pixel tells it nothing."""

    def net(x: Tensor) -> dict[str, Tensor]:
        halves = (x > 0).double().reshape(-1, 2, 16).sum(2)
        return {"pixel": x.double(), "pair": (halves > 1.5).double(), "both": (halves + (halves > 1.5)).double()}

    task = sd.Task(size=32, xi=16, labelling="block")
    with pytest.warns(RuntimeWarning, match="constant over the images.*pair"):
        first = sd.theory.cluster_sensitivities(net, task, n=50)
    exact = sd.theory.cluster_sensitivities(net, task, order=2, n=50)
    share = sd.theory.pair_interaction(first, exact)
    assert share.Delta[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(share.Delta[1])
    assert 0 < share.Delta[2] < 1


def test_the_share_of_a_measurement_carries_its_error() -> None:
    """Against exact second order the measured share is off by its error; 6 values, one in 400 beyond 4."""
    net, task = sd.nets.PoolingNet(depth=3, width=8).double(), RING
    first, exact = (sd.theory.cluster_sensitivities(net, task, order=order, n=50) for order in ORDERS)
    share = sd.theory.pair_interaction(first, exact)
    measured = sd.theory.pair_interaction(first, sd.sensitivities(net, task, 4000))
    for name in ("D", "Delta"):
        error = getattr(measured, f"{name}_stderr")
        assert (error > 0).all()
        assert (np.abs(getattr(measured, name) - getattr(share, name)) < 4 * error).all()
    assert list(measured.to_frame().columns) == ["layer", "k", "D", "D_stderr", "Delta", "Delta_stderr"]


def test_results_that_do_not_belong_together_are_refused() -> None:
    net = sd.nets.ConstantFilterNet(depth=2)
    first = sd.theory.cluster_sensitivities(net, RING, n=50)
    with pytest.raises(ValueError, match=r"config\['task'\]"):
        sd.theory.pair_interaction(first, sd.theory.cluster_sensitivities(net, OPEN, order=2, n=50))
    with pytest.raises(ValueError, match="other layers"):
        only = sd.theory.cluster_sensitivities(net, RING, layers=["layer1"], n=50)
        sd.theory.pair_interaction(first, only)
    with pytest.raises(ValueError, match="must be what cluster_sensitivities returns at order=1"):
        sd.theory.pair_interaction(sd.sensitivities(net, RING, 100), first)
    with pytest.raises(TypeError, match="measured='Task'"):
        sd.theory.pair_interaction(first, RING)  # type: ignore[arg-type]
