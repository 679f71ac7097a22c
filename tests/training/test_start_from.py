"""A run may begin with the nets of another one, as when ridge is added after zero loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import scaledetect as sd
from scaledetect.nets import PoolingNet

TASK = sd.Task(dim=1, size=32, xi=8, labelling="block")
NET = PoolingNet(filter_size=2, stride=2, depth=4, width=16)
SEEDS = (0, 1)


def trained(epochs: int, **options: Any) -> sd.TrainingRun:
    config = sd.TrainConfig(max_epochs=epochs, ridge=0.1)
    return sd.train(TASK, NET, n_train=24, n_test=24, seeds=SEEDS, config=config, **options)


def weights(run: sd.TrainingRun) -> list[torch.Tensor]:
    return [tensor for member in run for tensor in member.net.state_dict().values()]


def test_two_runs_of_one_epoch_end_where_each_begins_and_leave_the_given_nets_alone() -> None:
    first = trained(1)
    given = {member.seed: member.net for member in first}
    before = [tensor.clone() for tensor in weights(first)]
    second = trained(1, start_from=given)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(first), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))
    # The same first weights, given by hand, make the same run.
    drawn = {member.seed: member.initial_net() for member in first}
    again = trained(1, start_from=drawn)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))


def test_a_folder_holds_what_its_run_began_with(tmp_path: Path) -> None:
    given = {member.seed: member.net for member in trained(1)}
    one = trained(2, start_from=given, output=tmp_path)
    again = trained(2, start_from=given, output=tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(again), strict=True))
    with pytest.raises(ValueError, match="another run: start_from"):
        trained(2, output=tmp_path)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ([NET], TypeError, "must map each seed"),
        ({0: NET}, ValueError, r"no net for the seeds \[1\]"),
        ({0: NET, 1: "net"}, TypeError, "must be a net, at seed 1"),
        ({0: NET, 1: PoolingNet(filter_size=2, stride=2, depth=3, width=16)}, ValueError, "seed 1 has other param"),
    ],
)
def test_refuses_nets_that_do_not_fit(given: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        trained(1, start_from=given)
