"""Batch norm at initialisation: calibrated statistics, and everything else left as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.cli.measure import _calibrated
from scaledetect.nets import VGG, calibrate_batch_norm
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.cards import load_card

TASK = sd.Task(dim=2, size=16, xi=5, gap=1, labelling="distance", periodic=False)
TINY = (8, "M", 16, "M", 16)


def rows(n: int = 96) -> Tensor:
    return torch.from_numpy(sd.sample_images(TASK, n, seed=1, split="train")[0])


def tiny(batch_norm: bool = True, seed: int = 0) -> VGG:
    return VGG(TINY, in_channels=1, n_classes=2, batch_norm=batch_norm, seed=seed)


def first_norm(net: nn.Module) -> nn.BatchNorm2d:
    norm = net.get_submodule("layer1.norm")
    assert isinstance(norm, nn.BatchNorm2d)
    return norm


def test_statistics_are_the_means_over_batches_of_what_reaches_each_batch_norm() -> None:
    net = calibrate_batch_norm(tiny(), rows(96), batch_size=32)
    twin = tiny().train()
    means: dict[str, list[Tensor]] = {}
    variances: dict[str, list[Tensor]] = {}
    for name, module in twin.named_modules():
        if isinstance(module, nn.BatchNorm2d):

            def note(module: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
                means.setdefault(name, []).append(inputs[0].mean((0, 2, 3)))
                variances.setdefault(name, []).append(inputs[0].transpose(0, 1).flatten(1).var(1))

            module.register_forward_pre_hook(note)
    with torch.no_grad():
        for batch in torch.split(rows(96), 32):
            twin(batch)
    assert len(means) == 3
    for name in means:
        module = net.get_submodule(name)
        torch.testing.assert_close(module.running_mean, torch.stack(means[name]).mean(0), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(module.running_var, torch.stack(variances[name]).mean(0), rtol=1e-4, atol=1e-6)
        assert int(module.get_buffer("num_batches_tracked")) == 3


def test_uncalibrated_the_curve_is_that_of_the_net_without_batch_norm_and_calibrated_it_is_not() -> None:
    """A narrow VGG11 of both kinds with the same weights: D by layer."""
    shape = (8, "M", 16, "M", 16, 16, "M", 32, 32, "M", 32, 32)
    with_norm, without = (VGG(shape, in_channels=1, n_classes=2, batch_norm=kind) for kind in (True, False))
    with_norm.load_state_dict(without.state_dict(), strict=False)
    born = sd.sensitivities(with_norm, TASK, 100)
    plain = sd.sensitivities(without, TASK, 100)
    # Dividing by sqrt(1 + 1e-5) before each ReLU is all that batch norm does when it is born.
    assert np.allclose(born.D, plain.D, rtol=1e-3)
    calibrated = sd.sensitivities(calibrate_batch_norm(with_norm, rows()), TASK, 100)
    far = np.abs(calibrated.D - plain.D) > 5 * np.hypot(calibrated.D_stderr, plain.D_stderr)
    assert far[2:].any()
    assert not np.allclose(calibrated.D[2:], plain.D[2:], rtol=0.05)


def test_modes_momentum_weights_and_random_state_are_left_as_they_were() -> None:
    net = nn.Sequential(tiny(), nn.Dropout(0.5))
    net.train().get_submodule("0.layer2").eval()
    norm = first_norm(net[0])
    norm.momentum = 0.3
    modes = {name: module.training for name, module in net.named_modules()}
    weights = {name: value.clone() for name, value in net.named_parameters()}
    state = torch.get_rng_state()
    calibrate_batch_norm(net, rows())
    assert {name: module.training for name, module in net.named_modules()} == modes
    assert norm.momentum == 0.3
    assert all(torch.equal(value, weights[name]) for name, value in net.named_parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_calibrated_again_nothing_changes() -> None:
    net = calibrate_batch_norm(tiny(), rows())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    calibrate_batch_norm(net, rows())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_dropout_takes_no_part() -> None:
    without, dropping = nn.Sequential(nn.BatchNorm1d(3)), nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(3))
    x = torch.arange(30.0).reshape(10, 3)
    calibrate_batch_norm(without, x), calibrate_batch_norm(dropping, x)
    assert torch.equal(without[0].get_buffer("running_mean"), dropping[1].get_buffer("running_mean"))
    assert torch.equal(without[0].get_buffer("running_mean"), x.mean(0))


def test_no_batch_is_left_with_a_single_image() -> None:
    net = nn.Sequential(nn.BatchNorm1d(1))
    for n in (2, 3, 5, 129):
        calibrate_batch_norm(net, torch.arange(float(n))[:, None], batch_size=2)
        assert bool(net[0].get_buffer("running_var").isfinite().all())


def test_a_net_without_batch_norm_or_without_its_statistics_is_left_alone() -> None:
    for net in (tiny(batch_norm=False), nn.BatchNorm2d(1, track_running_stats=False)):
        before = {name: value.clone() for name, value in net.state_dict().items()}
        assert calibrate_batch_norm(net, rows()) is net
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_images_of_another_dtype_and_numpy_arrays_are_taken() -> None:
    one = calibrate_batch_norm(tiny(), rows())
    other = calibrate_batch_norm(tiny(), rows().double().numpy())
    means = [first_norm(net).get_buffer("running_mean") for net in (one, other)]
    assert torch.equal(*means)


def test_after_an_error_the_statistics_are_as_they_were() -> None:
    net = calibrate_batch_norm(tiny(), rows())
    before = {name: value.clone() for name, value in net.state_dict().items()}
    bad = rows()
    bad[5] = torch.nan
    with pytest.raises(ValueError, match="give a statistic that is not finite"):
        calibrate_batch_norm(net, bad)
    with pytest.raises(ValueError, match="takes images of shape"):
        calibrate_batch_norm(net, torch.ones(4, 3, 16, 16))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training and first_norm(net).momentum == 0.1


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.ones(4, 1, 8, 8, dtype=torch.int64), {}, "images=.*must be a floating"),
        ([[1.0]], {}, "images='list'"),
        (torch.ones(1, 1, 8, 8), {}, r"images=\(1, 1, 8, 8\): .*at least two images"),
        (torch.ones(4, 1, 8, 8), {"batch_size": 1}, "batch_size=1: must be at least 2"),
        (torch.ones(4, 1, 8, 8), {"batch_size": 2.0}, r"batch_size=2\.0: must be an integer"),
    ],
)
def test_bad_input_is_named(images: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        calibrate_batch_norm(tiny(), images, **options)


def test_a_run_hands_out_initial_nets_calibrated_on_their_training_rows_and_tracks_them() -> None:
    config = sd.TrainConfig(loss="cross_entropy", optimizer="adam", lr=1e-3, batch_size=32, max_epochs=1)
    spec = sd.nets.NetSpec("vgg11_bn", {"in_channels": 1, "n_classes": 2, "width": 0.25})
    run = sd.train(TASK, spec, n_train=32, n_test=32, seeds=3, config=config, track=[0], track_draws=100)
    (member,) = run.members
    images, _ = sd.sample_images(TASK, 32, seed=factor_seed(3, "data"), split="train")
    expected = calibrate_batch_norm(member.initial_net(), images)
    found = run.initial_net(3)
    assert not found.training
    wanted = expected.state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in found.state_dict().items())
    s = sd.sensitivities(found, TASK, 100, seed=factor_seed(3, "measure"))
    assert np.allclose(member.tracked[0].D, s.D, rtol=1e-5)


def test_the_command_measures_a_net_of_a_name_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaledetect.cli.measure.CALIBRATION_ROWS", 48)
    card = load_card("distance-2d-L28-xi14-gap2-open")
    net = sd.nets.get("vgg11_bn", in_channels=1, n_classes=2)
    norm = first_norm(_calibrated(net, card))
    assert int(norm.get_buffer("num_batches_tracked")) == 1 and not norm.get_buffer("running_mean").eq(0).any()
    plain = sd.nets.get("lenet", in_channels=1, n_classes=2)
    assert _calibrated(plain, card) is plain
