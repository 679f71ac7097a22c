"""The coherent share of noise: measured, it agrees with exact theory; exact, with its definition by sampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.probes import coherent_share

TASKS = (
    sd.Task(size=64, xi=16),
    sd.Task(size=30, xi=7, labelling="block"),
    sd.Task(dim=2, size=12, xi=4, gap=1, periodic=False),
)
MODES = ("signed", "rectified_noise", "rectified_input")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.dim}d-{task.labelling}")
def test_constant_filters_agree_with_theory(task: sd.Task, mode: str) -> None:
    """36 layers: with Student's t of 49 degrees a false alarm beyond 4 once in 130 suites, and the seed is fixed."""
    net, noise = sd.nets.ConstantFilterNet(dim=task.dim, depth=4), sd.Noise(mode=mode)  # type: ignore[arg-type]
    exact = sd.theory.coherent_share(task, net, noise=noise)
    found = coherent_share(net, task, noise=noise, n=2000)
    assert (np.abs(found.z(exact)) < 4).all()
    assert (found.stderr < 0.05).all()
    assert found.sigma == exact.sigma


@pytest.mark.parametrize("mode", MODES)
def test_a_linear_net_has_a_share_under_rectified_noise_only(mode: str) -> None:
    net = nn.Sequential(nn.Conv1d(1, 3, 5), nn.Conv1d(3, 4, 2, stride=2))
    with torch.no_grad():
        # Filters whose weights add up to nothing would see no mean.
        for weights in net.parameters():
            weights.copy_(torch.linspace(-0.3, 0.7, weights.numel()).view_as(weights))
    found = coherent_share(net, TASKS[0], noise=sd.Noise(mode=mode), n=1000)  # type: ignore[arg-type]
    far = np.abs(found.share / found.stderr) > 4
    assert far.all() if mode != "signed" else not far.any()


def test_a_response_without_noise_in_it_is_wholly_coherent() -> None:
    def net(x: Tensor) -> dict[str, Tensor]:
        return {"sign": (x.std(dim=2) > 12).float()}

    # Two bright pixels have a standard deviation of 1, and noise on top of them of a hundred.
    assert coherent_share(net, TASKS[0], noise=sd.Noise(sigma=100.0), n=200).share == pytest.approx(1.0)


def test_signed_noise_becomes_coherent_by_relus() -> None:
    share = coherent_share(sd.nets.PoolingNet(depth=4, width=32), TASKS[0], n=1000)
    assert (share.share[0] > 4 * share.stderr[0]) and (np.diff(share.share) > 0).all()


@pytest.mark.parametrize("match", ["ensemble", "sample"])
def test_the_share_of_rectified_noise_at_the_input_is_that_of_a_rectified_normal(match: str) -> None:
    """1 / pi: squared mean 1 / (2 pi), mean square 1 / 2. Noise scaled to the norm of each deformation is nearly so."""
    found = coherent_share(nn.Identity(), sd.Task(dim=2, size=20, xi=5), layers=["output"], n=1000,
                           noise=sd.Noise(mode="rectified_noise", match=match))  # type: ignore[arg-type]  # fmt: skip
    assert abs(found.share[0] - 1 / np.pi) < 4 * found.stderr[0] + (0.02 if match == "sample" else 0)


def test_background_is_part_of_the_image() -> None:
    """The same in all three versions of an image; were it drawn anew they would differ by it."""
    task = sd.Task(size=32, xi=8, background_noise=1.0)
    seen: list[Tensor] = []

    def net(x: Tensor) -> dict[str, Tensor]:
        seen.append(x.clone())
        return {"x": x}

    coherent_share(net, task, noise=sd.Noise(sigma=1e-3), n=100)
    clean, one, other = seen[-3:]
    assert float((one - clean).abs().max()) < 0.01
    assert float((other - clean).abs().max()) < 0.01
    assert not torch.equal(one, other)


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    from scaledetect.activations import net_input

    net = sd.nets.PoolingNet(depth=3, width=8).double()
    whole = coherent_share(net, TASKS[0], n=200)
    monkeypatch.setattr(net_input, "MEMORY", 2**16)
    parts = coherent_share(net, TASKS[0], n=200)
    np.testing.assert_allclose(parts.share, whole.share, rtol=1e-12)
    np.testing.assert_allclose(parts.stderr, whole.stderr, rtol=1e-9)


def test_errors_are_those_of_the_scatter_over_seeds() -> None:
    """With 40 seeds the ratio of standard deviations scatters by 0.11."""
    net = sd.nets.ConstantFilterNet(depth=3)
    runs = [coherent_share(net, sd.Task(size=16, xi=4), n=200, seed=seed) for seed in range(40)]
    spread = np.array([run.share for run in runs]).std(axis=0, ddof=1)
    stated = np.sqrt(np.square([run.stderr for run in runs]).mean(axis=0))
    assert (np.abs(spread / stated - 1) < 0.45).all()


def test_a_layer_that_noise_does_not_move_is_nan_and_named() -> None:
    def net(x: Tensor) -> dict[str, Tensor]:
        return {"fine": x, "still": torch.zeros_like(x)}

    with pytest.warns(RuntimeWarning, match="share is NaN: still"):
        found = coherent_share(net, TASKS[0], n=100)
    assert np.isnan(found.share).tolist() == [False, True]


def test_the_net_is_left_as_it_was_found() -> None:
    net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Dropout())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    coherent_share(net, TASKS[0], n=100)
    assert net.training and all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n": 150}, ValueError, "n=150: must be a multiple of 100.*take 200"),
        ({"n": True}, TypeError, "n=True"),
        ({"noise": "signed"}, TypeError, "noise='signed'"),
        ({"layers": ["nowhere"]}, KeyError, "nowhere"),
        ({"seed": -1}, ValueError, "seed=-1"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        coherent_share(sd.nets.ConstantFilterNet(depth=1), TASKS[0], **options)  # type: ignore[arg-type]


def test_the_result_compares_and_tabulates() -> None:
    exact = sd.theory.coherent_share(TASKS[0], depth=3)
    assert (exact.z(exact) == 0).all()
    frame = exact.to_frame()
    assert list(frame.columns) == ["layer", "k", "A", "share", "stderr"]
    with pytest.raises(ValueError, match="other layers"):
        exact.z(sd.theory.coherent_share(TASKS[0], depth=2))
