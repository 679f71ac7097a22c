"""Training: when it stops, what it scores, what its seeds decide, and what it refuses before it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import scaledetect as sd
from scaledetect.nets import NetSpec, PoolingNet
from scaledetect.training import TrainConfig, TrainProgress, factor_seed

BLOCK = sd.Task(dim=1, size=32, xi=8, labelling="block")
FLAT = sd.Task(dim=2, size=8, xi=4, labelling="block")
SMALL = PoolingNet(filter_size=2, stride=2, depth=4, width=16)
FAST = TrainConfig(lr=0.1)


def weights(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().double() for value in net.state_dict().values()])


def test_zero_hinge_loss_is_reached_and_means_it() -> None:
    run = sd.train(BLOCK, SMALL, n_train=40, n_validation=10, n_test=40, seeds=range(3), config=FAST)
    for member in run:
        assert (member.status, member.epochs, member.train_loss) == ("converged", member.reached, 0.0)
        assert member.train_error == 0
        X, y = sd.sample_images(BLOCK, 40, seed=factor_seed(member.seed, "data"), split="train")
        outputs = member.net(torch.from_numpy(X))[:, 0].detach()
        assert float(torch.relu(1 - torch.from_numpy(y) * outputs).max()) < 1e-5  # other roundings
        X, y = sd.sample_images(BLOCK, 40, seed=factor_seed(member.seed, "data"), split="test")
        wrong = (member.net(torch.from_numpy(X))[:, 0].detach().numpy() * y <= 0).mean()
        assert member.test_error == pytest.approx(wrong, abs=1e-12)
    assert list(run.to_frame()["seed"]) == [0, 1, 2]


def test_out_of_epochs() -> None:
    (member,) = sd.train(BLOCK, SMALL, n_train=40, config=TrainConfig(max_epochs=2))
    assert (member.status, member.epochs, member.reached) == ("max_epochs", 2, None)
    assert member.train_loss is not None and member.train_loss > 0
    assert member.validation_error is None and member.test_error is None


def test_goes_on_to_the_multiple_asked_for() -> None:
    config = replace(FAST, ridge=0.001, zero_multiple=2.5)
    (member,) = sd.train(BLOCK, SMALL, n_train=20, config=config)
    assert member.status == "converged" and member.reached is not None
    assert member.epochs == int(np.ceil(2.5 * member.reached))
    shorter = replace(config, max_epochs=2 * member.reached)
    (stopped,) = sd.train(BLOCK, SMALL, n_train=20, config=shorter)
    assert (stopped.status, stopped.reached, stopped.epochs) == ("max_epochs", member.reached, 2 * member.reached)


def test_may_ask_for_zero_validation_error_too() -> None:
    plain = sd.train(BLOCK, SMALL, n_train=40, n_validation=10, seeds=4, config=FAST).members[0]
    assert plain.validation_error is not None and plain.validation_error > 0  # so that there is something to wait for
    config = replace(FAST, zero_validation=True, max_epochs=plain.epochs + 3)
    (member,) = sd.train(BLOCK, SMALL, n_train=40, n_validation=10, seeds=4, config=config)
    # Without ridge nothing moves any more, so the target is never reached.
    assert (member.status, member.reached, member.train_loss) == ("max_epochs", None, 0.0)


def test_a_diverged_member_is_marked_never_scored_and_leaves_the_others_alone() -> None:
    """Members share one computation; a learning rate at the edge of stability takes some of them only."""
    config = TrainConfig(lr=8, max_epochs=5)
    run = sd.train(BLOCK, SMALL, n_train=40, n_test=40, seeds=range(12), config=config)
    diverged = [member for member in run if member.status == "diverged"]
    others = [member for member in run if member.status != "diverged"]
    assert diverged and others
    for member in diverged:
        assert member.epochs <= 5
        assert (member.train_loss, member.train_error, member.test_error) == (None, None, None)
        assert not weights(member.net).isfinite().all()
    for member in others:
        assert weights(member.net).isfinite().all() and member.test_error is not None


def test_a_nan_output_is_wrong() -> None:
    from scaledetect.training.loop import _wrong_share

    labels = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    nan = float("nan")
    assert _wrong_share(torch.tensor([[[nan], [nan], [2.0], [0.0]]]), labels).tolist() == [0.75]
    two = torch.tensor([[[0.0, 1.0], [nan, 0.0], [1.0, 0.0], [1.0, 0.0]]])
    assert _wrong_share(two, labels).tolist() == [0.5]


def test_repeats_bit_for_bit() -> None:
    config = TrainConfig(max_epochs=5)
    one, other = (sd.train(BLOCK, SMALL, n_train=40, seeds=range(3), config=config) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert torch.equal(weights(a.net), weights(b.net))


def test_every_factor_has_a_seed_of_its_own() -> None:
    seeds = [factor_seed(root, factor) for root in range(3) for factor in ("data", "init", "order")]
    assert len(set(seeds)) == 9
    run = sd.train(BLOCK, SMALL, n_train=40, seeds=(0, 1), config=TrainConfig(max_epochs=1))
    first, second = (member.initial_net() for member in run)
    assert not torch.equal(weights(first), weights(second))
    for member, net in zip(run, (first, second), strict=True):
        like = PoolingNet(**SMALL.options, seed=factor_seed(member.seed, "init"))
        assert torch.equal(weights(net), weights(like))


def test_tracks_sensitivities_and_calls_back() -> None:
    seen: list[TrainProgress] = []
    noise = sd.Noise(mode="rectified_noise")
    run = sd.train(
        BLOCK, SMALL, n_train=40, n_validation=20, seeds=(5, 6), config=TrainConfig(max_epochs=3), track=[0, 2],
        track_draws=200, noise=noise, on_epoch=seen.append,
    )  # fmt: skip
    assert [(p.epoch, p.seeds) for p in seen] == [(1, (5, 6)), (2, (5, 6)), (3, (5, 6))]
    assert all(p.validation_errors is not None and 0 <= p.validation_errors.min() <= 1 for p in seen)
    assert seen[-1].seconds_left == 0 and seen[0].seconds_left > 0
    for member in run:
        assert list(member.tracked) == [0, 2]
        expected = sd.sensitivities(
            member.initial_net(), BLOCK, 200, seed=factor_seed(member.seed, "measure"), noise=noise
        )
        assert np.array_equal(member.tracked[0].D, expected.D)
        assert not np.array_equal(member.tracked[0].D, member.tracked[2].D)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("lenet", TrainConfig(loss="cross_entropy", optimizer="adam", lr=2e-3, target_loss=0.05, batch_size=16)),
        ("fc2", TrainConfig(lr=20.0, batch_size=16, target_loss=0.1)),
    ],
)
def test_nets_of_the_zoo(name: str, config: TrainConfig) -> None:
    run = sd.train(FLAT, name, n_train=32, n_test=32, seeds=(0, 1), config=config)
    for member in run:
        assert member.status == "converged" and member.train_error is not None and member.train_error <= 0.1
        assert member.train_loss is not None and 0 < member.train_loss <= config.target_loss
        assert not member.net.training


def test_pooling_net_under_adam() -> None:
    config = TrainConfig(optimizer="adam", lr=0.02, max_epochs=200)
    (member,) = sd.train(BLOCK, SMALL, n_train=40, config=config)
    assert (member.status, member.train_error) == ("converged", 0)


def test_dropout_repeats_and_leaves_the_generator_alone() -> None:
    config = TrainConfig(loss="cross_entropy", optimizer="adam", lr=1e-3, max_epochs=1)
    before = torch.get_rng_state()

    def alexnet(seed: int) -> torch.nn.Module:
        return sd.nets.get("alexnet", in_channels=1, n_classes=2, width=0.25, seed=seed)

    one, other = (sd.train(FLAT, alexnet, n_train=4, config=config).members[0] for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(one.net), weights(other.net))


def _refused(call: Callable[[], object], error: type[Exception], *says: str) -> None:
    with pytest.raises(error) as caught:
        call()
    for text in says:
        assert text in str(caught.value), str(caught.value)


BAD: list[tuple[dict[str, Any], type[Exception], tuple[str, ...]]] = [
    ({"n_train": 10**6}, ValueError, ("n_train=1000000", "train split")),
    ({"n_train": 0}, ValueError, ("n_train=0",)),
    ({"n_train": 1.5}, TypeError, ("n_train=1.5",)),
    ({"n_train": 100, "n_validation": 100}, ValueError, ("n_validation=100", "n_train=100", "of the 56 images")),
    ({"n_test": 10**5}, ValueError, ("n_test=100000", "test split")),
    ({"net": PoolingNet(filter_size=33, stride=2, depth=1)}, ValueError, ("filter_size=33", "size=32")),
    ({"net": PoolingNet(filter_size=2, stride=2, depth=7)}, ValueError, ("stride=", "layer 6", "below one")),
    ({"net": PoolingNet(dim=2)}, ValueError, ("dim=2", "dim=1")),
    ({"net": "poolin"}, KeyError, ("did you mean pooling",)),
    ({"net": "lenet"}, ValueError, ("LeNet", "two dimensions")),
    ({"net": torch.nn.Linear(2, 2)}, TypeError, ("Linear", "every seed needs a new one", "lambda seed")),
    ({"config": TrainConfig(loss="cross_entropy")}, ValueError, ("loss='cross_entropy'", "two outputs")),
    ({"config": 3}, TypeError, ("config=3", "TrainConfig")),
    ({"seeds": ()}, ValueError, ("seeds=()",)),
    ({"seeds": (1, 1)}, ValueError, ("all different",)),
    ({"seeds": -1}, ValueError, ("seeds=-1",)),
    ({"track": [-1]}, ValueError, ("track=-1",)),
    ({"track": [1001]}, ValueError, ("track=1001", "max_epochs=1000")),
    ({"config": TrainConfig(zero_validation=True)}, ValueError, ("zero_validation=True", "n_validation")),
    ({"track": [1], "track_draws": 150}, ValueError, ("track_draws=150", "multiple of 100")),
    ({"device": "quantum"}, ValueError, ("device='quantum'",)),
    ({"task": "block"}, TypeError, ("task='block'",)),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "says"), BAD)
def test_refuses_before_it_starts(
    options: dict[str, Any], error: type[Exception], says: tuple[str, ...], tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"task": BLOCK, "net": SMALL, "n_train": 20, "output": tmp_path / "run"} | options

    def call() -> None:
        sd.train(arguments.pop("task"), arguments.pop("net"), **arguments)

    _refused(call, error, *says)
    assert list(tmp_path.iterdir()) == []


def test_refuses_image_nets_that_do_not_fit() -> None:
    def call(net: str | NetSpec, **config: Any) -> Callable[[], object]:
        return lambda: sd.train(FLAT, net, n_train=17, config=TrainConfig(**config))

    _refused(call(NetSpec("lenet", {"in_channels": 1})), ValueError, "n_classes=10", "needs 1 and 1")
    _refused(call("vgg11_bn"), ValueError, "batch_size=8", "a batch of one image")
    _refused(call("lenet", ridge=0.1), ValueError, "ridge=0.1", "PoolingNet only")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"lr": 0}, "lr=0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"max_epochs": 1.5}, "max_epochs=1.5"),
        ({"ridge": -1}, "ridge=-1"),
        ({"momentum": 1}, "momentum=1"),
        ({"momentum": 0.9, "optimizer": "adam"}, "momentum=0.9: goes with optimizer='sgd'"),
        ({"weight_decay": -1}, "weight_decay=-1"),
        ({"cosine_share": 1.5, "schedule": "cosine"}, "cosine_share=1.5"),
        ({"cosine_share": 0.5}, "cosine_share=0.5: goes with schedule='cosine'"),
        ({"zero_multiple": 0.5}, "zero_multiple=0.5"),
        ({"loss": "square"}, "loss='square'"),
        ({"optimizer": "lbfgs"}, "optimizer='lbfgs'"),
        ({"schedule": "step"}, "schedule='step'"),
        ({"dtype": "float16"}, "dtype='float16'"),
        ({"zero_validation": 1}, "zero_validation=1"),
    ],
)
def test_config_refuses(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        TrainConfig(**options)
    assert says in str(caught.value)
    numbers: dict[str, Any] = {"lr": np.float64(0.5), "max_epochs": np.int64(3)}
    assert eval(repr(TrainConfig(**numbers))) == TrainConfig(lr=0.5, max_epochs=3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu() -> None:
    config = TrainConfig(max_epochs=3, dtype="float64")
    here, there = (
        sd.train(BLOCK, SMALL, n_train=40, seeds=(0, 1), config=config, device=device) for device in ("cpu", "cuda")
    )
    for a, b in zip(here, there, strict=True):
        assert (weights(a.net) - weights(b.net)).abs().max() < 1e-9
