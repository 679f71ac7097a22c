"""Training on images: the plain loop written out, augmentation, noise, the net that is kept, resuming, refusals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import scaledetect as sd
from scaledetect.images import ImageData
from scaledetect.sampling.seeds import epoch_order, factor_seed
from scaledetect.training import ImageTrainConfig, ImageTrainingRun, TrainProgress, load_member, read_log
from scaledetect.training.images.augmentation import ShownImages

SIDE, CPU = 6, torch.device("cpu")


def images(n: int, channels: int = 2, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Bright and dark images, with noise: two classes that a net learns in a few epochs."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return 0.6 * rng.random((n, channels, SIDE, SIDE)) + 0.4 * labels[:, None, None, None], labels


@pytest.fixture(scope="module")
def data() -> ImageData:
    return ImageData.from_arrays(*images(40), *images(20, seed=1))


def small_net(seed: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 2)
    )


def plain_net(seed: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))


QUIET = ImageTrainConfig(epochs=3, batch_size=8, lr=0.05, crop=0, flip=False, cosine_share=1.0)


def run(data: ImageData, net: Any, config: ImageTrainConfig, **options: Any) -> ImageTrainingRun:
    return sd.train(data, net, config=config, **options)


def weights(net: nn.Module) -> list[Tensor]:
    return list(net.state_dict().values())


# ---------------------------------------------------------------------- the steps


def test_the_steps_are_those_of_the_plain_loop(data: ImageData) -> None:
    """Momentum, weight decay on matrices only, cosine: written out again, by hand."""
    config = ImageTrainConfig(**{**vars(QUIET), "weight_decay": 0.1, "epochs": 4, "cosine_share": 0.75})
    member = run(data, plain_net, config, n_train=20, seeds=3).member(3)
    places = np.random.Generator(np.random.Philox(key=factor_seed(3, "data"))).permutation(40)[:20]
    x, y = torch.from_numpy(data.train_images[places]).double(), torch.from_numpy(data.train_labels[places])
    net = member.initial_net().double()
    velocity = [torch.zeros_like(parameter) for parameter in net.parameters()]
    for epoch in range(1, 5):
        lr = 0.05 * [1, 0.75, 0.25, 0.25][epoch - 1]  # (1 + cos(pi (e - 1)/3))/2, then as in its last epoch
        for batch in np.split(epoch_order(3, epoch, 20), [8, 16]):
            loss = functional.cross_entropy(net(x[batch]), y[batch])
            gradients = torch.autograd.grad(loss, list(net.parameters()))
            with torch.no_grad():
                for parameter, gradient, v in zip(net.parameters(), gradients, velocity, strict=True):
                    decay = 0.1 if parameter.ndim > 1 else 0.0
                    v.mul_(0.9).add_(gradient + decay * parameter)
                    parameter.sub_(lr * v)
    for found, expected in zip(weights(member.net), weights(net), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    wrong = (member.net(x.float()).argmax(1) != y).double().mean()
    assert member.train_error == pytest.approx(float(wrong))


def test_a_net_learns_what_can_be_learnt(data: ImageData) -> None:
    member = run(data, "lenet", ImageTrainConfig(epochs=12, batch_size=8, lr=0.02, crop=1)).member(0)
    assert member.train_error is not None and member.test_error is not None
    assert max(member.train_error, member.test_error) < 0.3
    assert (member.status, member.epochs, member.reached) == ("max_epochs", 12, 12)


def test_seeds_have_images_weights_and_order_of_their_own(data: ImageData) -> None:
    found = run(data, plain_net, QUIET, n_train=10, n_test=6, seeds=(0, 1))
    assert found.train_images(0).shape == (10, 2, SIDE, SIDE)
    assert not np.array_equal(found.train_images(0), found.train_images(1))
    assert not torch.equal(weights(found.initial_net(0))[0], weights(found.initial_net(1))[0])
    again = run(data, plain_net, QUIET, n_train=10, n_test=6, seeds=1)
    assert all(map(torch.equal, weights(again.member(1).net), weights(found.member(1).net)))
    assert list(found.to_frame()["seed"]) == [0, 1]
    state = torch.get_rng_state()
    run(data, small_net, QUIET, n_train=10)
    assert torch.equal(state, torch.get_rng_state())


def test_the_net_before_training_has_its_batch_norm_calibrated(data: ImageData) -> None:
    found = run(data, small_net, ImageTrainConfig(**{**vars(QUIET), "epochs": 1}), n_train=40)
    norm = found.initial_net(0)[1]  # type: ignore[index]
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None
    assert norm.running_mean.abs().max() > 1e-3
    assert norm.running_var is not None and not torch.any(norm.running_var == 1)


# ---------------------------------------------------------------------- what is shown


def shown(data: ImageData, order: Any, seed: int, **options: Any) -> Tensor:
    config = ImageTrainConfig(**{**vars(QUIET), **options})
    source = ShownImages(data.train_images, data.black, config, 7, CPU)
    return torch.cat([batch for _, batch in source.batches(np.asarray(order), seed)])


def test_every_image_shown_is_a_mirrored_or_plain_crop_of_the_image_with_a_black_border(data: ImageData) -> None:
    image = data.train_images[5]
    padded = np.broadcast_to(data.black[:, None, None], (2, SIDE + 4, SIDE + 4)).copy()
    padded[:, 2:-2, 2:-2] = image
    crops = {
        (dy, dx, mirrored): padded[:, dy : dy + SIDE, dx : dx + SIDE][..., :: -1 if mirrored else 1]
        for dy in range(5) for dx in range(5) for mirrored in (False, True)
    }  # fmt: skip
    names = {crop.tobytes(): name for name, crop in ((name, np.ascontiguousarray(c)) for name, c in crops.items())}
    found = shown(data, [5] * 2000, 1, crop=2, flip=True)
    counts = dict.fromkeys(crops, 0)
    for one in found:
        counts[names[np.ascontiguousarray(one.numpy()).tobytes()]] += 1
    # Fifty crops, 40 of each expected: chi-squared of 49 degrees of freedom, above 110 with probability 1e-6.
    assert sum((count - 40) ** 2 / 40 for count in counts.values()) < 110


def test_without_crop_and_flip_the_images_are_shown_as_they_are(data: ImageData) -> None:
    order = np.random.default_rng(0).permutation(40)
    assert torch.equal(shown(data, order, 1), torch.from_numpy(data.train_images[order]))


def test_noise_is_drawn_anew_or_fixed_and_has_the_norm_asked_for(data: ImageData) -> None:
    order, clean = list(range(40)), torch.from_numpy(data.train_images)
    first, second = (shown(data, order, seed, noise_norm=3.0) - clean for seed in (1, 2))
    assert not torch.allclose(first, second, atol=0.1)
    fixed = [shown(data, order, seed, noise_norm=3.0, noise="fixed") - clean for seed in (1, 2)]
    assert torch.equal(*fixed)
    # 40 images of 72 values: |eta|^2 summed is 9/72 times a chi-squared of 2880 degrees of freedom; five deviations.
    for noise in (first, second, fixed[0]):
        assert abs(float(noise.square().sum()) / 360 - 1) < 5 * math.sqrt(2 / 2880)
    assert abs(float((first * second).sum()) / 360) < 5 / math.sqrt(2880)


def test_what_is_shown_does_not_depend_on_the_size_of_the_batch_but_for_its_place(data: ImageData) -> None:
    options = {"crop": 2, "flip": True, "noise_norm": 1.0}
    small, large = (shown(data, list(range(40)), 1, batch_size=size, **options) for size in (7, 40))
    torch.testing.assert_close(small, large)


def test_test_images_are_corrupted_alike(data: ImageData) -> None:
    """With noise far above the signal no net does better than chance on the test; without, this one makes no error."""
    config = ImageTrainConfig(epochs=15, batch_size=8, lr=0.02, crop=0, flip=False)
    clean = run(data, plain_net, config).member(0)
    noisy = run(data, plain_net, ImageTrainConfig(**{**vars(config), "noise_norm": 1000.0})).member(0)
    assert clean.test_error == 0
    # 20 images: the chance of at most 2 wrong ones by guessing is 2e-4.
    assert noisy.test_error is not None and noisy.test_error > 0.1


# ---------------------------------------------------------------------- which net is kept


def test_the_net_of_the_lowest_test_error_is_kept_where_asked_for(data: ImageData, tmp_path: Path) -> None:
    config = ImageTrainConfig(epochs=6, batch_size=8, lr=0.3, crop=0, flip=False, schedule="constant")
    errors: list[float] = []

    def note(now: TrainProgress) -> None:
        net, x = now.net(0), torch.from_numpy(data.test_images)
        errors.append(float((net(x).argmax(1) != torch.from_numpy(data.test_labels)).double().mean()))

    last = run(data, plain_net, config, on_epoch=note).member(0)
    best_config = ImageTrainConfig(**{**vars(config), "keep": "best_test_error"})
    best = run(data, plain_net, best_config, output=tmp_path).member(0)
    assert last.test_error == pytest.approx(errors[-1])
    assert best.test_error == pytest.approx(min(errors))
    assert best.reached == 1 + int(np.argmin(errors))
    assert [line["test_error"] for line in read_log(tmp_path / "log.jsonl")] == [[pytest.approx(e)] for e in errors]


# ---------------------------------------------------------------------- broken off


class StopHereError(Exception):
    pass


@pytest.mark.parametrize("keep", ["last", "best_test_error"])
def test_a_run_broken_off_ends_as_an_unbroken_one(data: ImageData, tmp_path: Path, keep: Any) -> None:
    options = {"epochs": 5, "crop": 1, "flip": True, "noise_norm": 0.5, "keep": keep, "lr": 0.2}
    config = ImageTrainConfig(**{**vars(QUIET), **options})

    def stop(now: TrainProgress) -> None:
        if now.epoch == 4:
            raise StopHereError

    whole = run(data, small_net, config, output=tmp_path / "whole", seeds=(0, 1))
    with pytest.raises(StopHereError):
        run(data, small_net, config, output=tmp_path / "broken", seeds=(0, 1), on_epoch=stop, checkpoint_every=0)
    assert (tmp_path / "broken" / "checkpoint.pt").exists()
    resumed = run(data, small_net, config, output=tmp_path / "broken", seeds=(0, 1))
    read = run(data, small_net, config, output=tmp_path / "broken", seeds=(0, 1))
    for other in (resumed, read):
        for one, two in zip(whole, other, strict=True):
            assert all(map(torch.equal, weights(one.net), weights(two.net)))
            assert (one.reached, one.train_loss, one.test_error) == (two.reached, two.train_loss, two.test_error)
    logs = [read_log(tmp_path / folder / "log.jsonl") for folder in ("whole", "broken")]
    for log in logs:
        for line in log:
            del line["seconds"]
    assert logs[0] == logs[1]
    assert not (tmp_path / "broken" / "checkpoint.pt").exists()


def test_a_stored_member_is_read_as_any_other(data: ImageData, tmp_path: Path) -> None:
    spec = sd.nets.NetSpec("vgg11", {"in_channels": 2, "n_classes": 2, "width": 0.05, "initialisation": "he"})
    member = run(data, spec, QUIET, n_train=8, output=tmp_path).member(0)
    assert all(map(torch.equal, weights(load_member(tmp_path / "seed-0.pt").net), weights(member.net)))
    with pytest.raises(ValueError, match="holds another run: n_train is 8 there and 16 here"):
        run(data, spec, QUIET, n_train=16, output=tmp_path)


def test_a_run_that_diverges_has_no_score(data: ImageData) -> None:
    member = run(data, plain_net, ImageTrainConfig(**{**vars(QUIET), "lr": 1e20})).member(0)
    assert member.status == "diverged"
    assert (member.train_loss, member.train_error, member.test_error, member.reached) == (None,) * 4


# ---------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"net": "vgg12"}, "did you mean"),
        ({"net": plain_net(0)}, "net='Sequential': is one net"),
        ({"net": lambda seed: nn.Flatten()}, r"2 classes, and it returns \(2, 72\)"),
        ({"net": lambda seed: nn.Conv2d(3, 2, 3)}, "it fails on them"),
        ({"net": sd.nets.NetSpec("lenet", {"in_channels": 3})}, "it refuses them"),
        ({"n_train": 41}, "n_train=41: must be from 1 to 40"),
        ({"n_test": 0}, "n_test=0"),
        ({"n_validation": 3}, "n_validation=3.*goes with tasks"),
        ({"track": (1,)}, "track=.*goes with tasks"),
        ({"start_from": {0: plain_net(0)}}, "start_from=(?s:.*)goes with tasks"),
        ({"config": sd.TrainConfig()}, "config=.*ImageTrainConfig"),
        ({"config": ImageTrainConfig(bfloat16=True), "device": "cpu"}, "bfloat16=True: needs a GPU"),
        ({"net": small_net, "n_train": 9, "config": ImageTrainConfig(batch_size=8)}, "batch_size=8"),
        ({"seeds": (1, 1)}, "seeds="),
    ],
)
def test_bad_runs_are_refused_before_training(data: ImageData, options: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {"net": plain_net, "config": QUIET} | options
    with pytest.raises((TypeError, ValueError, KeyError), match=says):
        sd.train(data, given.pop("net"), **given)


def test_a_task_needs_its_number_of_rows() -> None:
    with pytest.raises(TypeError, match="n_train=None"):
        sd.train(sd.Task(dim=1, size=32, xi=8), "pooling")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"epochs": 0}, "epochs=0"), ({"lr": 0.0}, "lr=0.0"), ({"lr": 1e31}, r"lr=1e\+31: must be at most 1e\+30"),
        ({"noise_norm": 1e31}, "noise_norm=1e"), ({"weight_decay": 1e7}, "weight_decay=10000000.0: must be at most"),
        ({"momentum": 1.0}, "momentum=1.0: must be below 1"),
        ({"weight_decay": -1}, "weight_decay=-1"), ({"cosine_share": 1.5}, "cosine_share=1.5: must be at most 1"),
        ({"crop": -1}, "crop=-1"), ({"flip": 1}, "flip=1"), ({"noise_norm": math.inf}, "noise_norm=inf"),
        ({"noise": "old"}, "noise='old'"), ({"keep": "best"}, "keep='best'"), ({"optimizer": "lamb"}, "optimizer="),
        ({"schedule": "steps"}, "schedule='steps'"),
    ],
)  # fmt: skip
def test_bad_configurations_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        ImageTrainConfig(**options)


def test_the_published_schedule_falls_over_four_fifths_of_the_epochs() -> None:
    config = ImageTrainConfig()
    factors = [config.factor(epoch) for epoch in range(1, 251)]
    assert factors[0] == 1
    assert factors[100] == pytest.approx(0.5)
    assert factors[199:] == [pytest.approx(0.5 * (1 + math.cos(math.pi * 199 / 200)))] * 51
    assert ImageTrainConfig(schedule="constant").factor(200) == 1
