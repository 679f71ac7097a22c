"""Nets of one's own are trained from a function of the seed, kept, resumed and read again."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import scaledetect as sd

TASK = sd.Task(dim=1, size=32, xi=8, labelling="block")


def small(seed: int) -> nn.Module:
    del seed  # torch's generator is seeded with it
    return nn.Sequential(nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))


def constant(value: float) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(32, 1))
    nn.init.constant_(net.get_parameter("1.weight"), value)
    return net


CALLS = itertools.count()


def trained(net: Any = small, **options: Any) -> sd.TrainingRun:
    options = {"config": sd.TrainConfig(max_epochs=2), "seeds": (0, 1), **options}
    return sd.train(TASK, net, n_train=24, n_test=24, **options)


def weights(net: nn.Module) -> list[torch.Tensor]:
    return list(net.state_dict().values())


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_each_seed_has_weights_of_its_own_that_training_moves_and_the_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    run = trained()
    assert torch.equal(before, torch.random.get_rng_state())
    first, second = run
    assert first.epochs == 2
    assert not same(first.net, second.net)
    assert not same(first.initial_net(), second.initial_net())
    assert not same(first.net, first.initial_net())
    assert same(trained().members[1].net, second.net)
    assert run.initial_net(1)(torch.zeros(3, 1, 32)).shape == (3, 1)


def test_a_run_resumes_in_its_folder_and_its_members_are_read_with_the_function(tmp_path: Path) -> None:
    run = trained(output=tmp_path)
    assert same(trained(output=tmp_path).members[0].net, run.members[0].net)
    assert same(sd.load_member(tmp_path / "seed-1.pt", net=small).net, run.members[1].net)
    with pytest.raises(ValueError, match=r"was built by your own .*test_own_nets:small; give that function as net="):
        sd.load_member(tmp_path / "seed-1.pt")
    with pytest.raises(ValueError, match="another run: net is"):
        trained(lambda seed: small(seed + 1), output=tmp_path)


def test_a_member_of_a_name_takes_no_function(tmp_path: Path) -> None:
    trained(sd.nets.PoolingNet(filter_size=2, stride=2, depth=4, width=4), output=tmp_path)
    with pytest.raises(ValueError, match="was trained from a name, which says it all; leave it out"):
        sd.load_member(tmp_path / "seed-1.pt", net=small)


@pytest.mark.parametrize(
    ("net", "error", "says"),
    [
        (small(0), TypeError, "every seed needs a new one; give a function"),
        (3, TypeError, "a function from a seed to a net"),
        (lambda seed: "net", TypeError, "return a torch.nn.Module"),
        (lambda seed: nn.Flatten(), ValueError, r"returns \(2, 32\) for two images.*needs \(2, 1\)"),
        (lambda seed: nn.Linear(7, 1), ValueError, r"fails on images of shape \(2, 1, 32\)"),
        (lambda seed: nn.LazyLinear(1), ValueError, "without a shape yet"),
        (lambda seed: constant(next(CALLS)), ValueError, "other weights when it is called with the same seed again"),
    ],
)
def test_refuses_what_cannot_be_trained(net: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        trained(net)


def test_refuses_a_ridge_and_a_batch_of_one_that_is_normalised() -> None:
    with pytest.raises(ValueError, match="is defined for PoolingNet only"):
        trained(config=sd.TrainConfig(max_epochs=2, ridge=0.1))
    normed = lambda seed: nn.Sequential(nn.Flatten(), nn.Linear(32, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))  # noqa: E731
    with pytest.raises(ValueError, match="normalises over the batch"):
        sd.train(TASK, normed, n_train=25, config=sd.TrainConfig(batch_size=8))
