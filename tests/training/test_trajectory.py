"""Members trained together walk the path of single runs by plain PyTorch: to 1e-6 after 50 steps, in float64."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from helpers.plain_training import train_plainly

import scaledetect as sd
from scaledetect.nets import PoolingNet
from scaledetect.sampling.seeds import epoch_order
from scaledetect.training import TrainConfig, factor_seed

BLOCK = sd.Task(dim=1, size=64, xi=16, labelling="block")
ODD = sd.Task(dim=1, size=37, xi=9)
SQUARE = sd.Task(dim=2, size=8, xi=4, labelling="block")

CASES: dict[str, tuple[sd.Task, dict[str, Any], dict[str, Any]]] = {
    "F=s=2": (BLOCK, {"filter_size": 2, "stride": 2, "depth": 6, "width": 16}, {}),
    "F=3,s=1": (BLOCK, {"filter_size": 3, "stride": 1, "depth": 4, "width": 8}, {}),
    "F=4,s=2": (BLOCK, {"filter_size": 4, "stride": 2, "depth": 6, "width": 8}, {}),
    "F=3,s=2 on an odd ring": (ODD, {"filter_size": 3, "stride": 2, "depth": 5, "width": 8}, {}),
    "F=s=3": (ODD, {"filter_size": 3, "stride": 3, "depth": 3, "width": 8}, {}),
    "one after another": (ODD, {"filter_size": (5, 2, 1), "stride": (1, 2, 3), "depth": 3, "width": 8}, {}),
    "2-D": (SQUARE, {"dim": 2, "filter_size": 2, "stride": 2, "depth": 3, "width": 8}, {}),
    "2-D, s=1": (SQUARE, {"dim": 2, "filter_size": 3, "stride": 1, "depth": 2, "width": 6}, {}),
    "gain of the paper": (BLOCK, {"filter_size": 4, "stride": 4, "depth": 3, "width": 8, "gain": "paper"}, {}),
    "ridge": (BLOCK, {"filter_size": 2, "stride": 2, "depth": 6, "width": 8}, {"ridge": 0.5}),
    "cosine": (BLOCK, {"filter_size": 2, "stride": 2, "depth": 6, "width": 8}, {"schedule": "cosine"}),
}
SEEDS = (3, 11, 5)
N, BATCH, EPOCHS = 45, 8, 9  # 6 steps an epoch, the last of 5 images


def plain_run(task: sd.Task, options: dict[str, Any], config: TrainConfig, seed: int) -> tuple[PoolingNet, list[float]]:
    net = PoolingNet(**options, seed=factor_seed(seed, "init")).double()
    X, y = sd.sample_images(task, N, seed=factor_seed(seed, "data"), split="train", dtype="float64")
    orders = [epoch_order(seed, epoch, N) for epoch in range(1, EPOCHS + 1)]
    factors = [1.0] * EPOCHS
    if config.schedule == "cosine":
        factors = [0.5 * (1 + math.cos(math.pi * k / EPOCHS)) for k in range(EPOCHS)]
    losses = train_plainly(
        net,
        torch.from_numpy(X),
        torch.from_numpy(y).double(),
        orders,
        batch_size=BATCH,
        lr=[config.lr * net.width * factor for factor in factors],
        ridge=config.ridge / (net.width * net.pooling.depth),
    )
    return net, losses


@pytest.mark.parametrize("case", CASES)
def test_stacked_members_walk_the_path_of_single_runs(case: str) -> None:
    task, options, extra = CASES[case]
    config = TrainConfig(batch_size=BATCH, lr=0.02, max_epochs=EPOCHS, dtype="float64", **extra)
    seen: dict[int, list[float]] = {seed: [] for seed in SEEDS}

    def note(progress: sd.TrainProgress) -> None:
        for seed, loss in zip(progress.seeds, progress.losses, strict=True):
            seen[seed].append(float(loss))

    run = sd.train(task, PoolingNet(**options), n_train=N, seeds=SEEDS, config=config, on_epoch=note)
    for member in run:
        net, losses = plain_run(task, options, config, member.seed)
        moved = list(member.initial_net().parameters())
        for mine, theirs, start in zip(member.net.parameters(), net.parameters(), moved, strict=True):
            assert mine.dtype == torch.float64
            assert (mine - theirs).abs().max() < 1e-9
            assert (mine - start).abs().max() > 1e-4  # it has gone somewhere
        assert seen[member.seed] == pytest.approx(losses, abs=1e-9)


@pytest.mark.parametrize("case", ["F=s=2", "ridge"])
def test_one_net_at_a_time_walks_it_too(case: str) -> None:
    """The engine of other nets, on a pooling net, where the plain loop is known."""
    import numpy as np

    from scaledetect.training.data import draw_rows
    from scaledetect.training.engines import LoopEngine

    task, options, extra = CASES[case]
    config = TrainConfig(batch_size=BATCH, lr=0.02, max_epochs=EPOCHS, dtype="float64", **extra)
    engine = LoopEngine(PoolingNet(**options, seed=factor_seed(3, "init")), config, torch.device("cpu"))
    rows = draw_rows(task, N, "train", [3], dtype="float64", device=torch.device("cpu"))
    seen = [engine.epoch(rows, epoch_order(3, k, N)[None], 0, 1.0)[0] for k in range(1, EPOCHS + 1)]
    net, losses = plain_run(task, options, config, 3)
    assert np.array(seen) == pytest.approx(losses, abs=1e-9)
    for mine, theirs in zip(engine.net(0).parameters(), net.parameters(), strict=True):
        assert (mine - theirs).abs().max() < 1e-9


def test_momentum_weight_decay_and_half_a_cosine_by_hand() -> None:
    """v <- mu v + g + lambda w, w <- w - lr v, lambda on filters alone; then the rate stays where the cosine ends."""
    options: dict[str, Any] = {"filter_size": 2, "stride": 2, "depth": 3, "width": 4}
    config = TrainConfig(
        batch_size=BATCH, lr=0.02, momentum=0.9, weight_decay=0.1, schedule="cosine", cosine_share=0.5, max_epochs=6,
        zero_multiple=6, dtype="float64",
    )  # fmt: skip
    (member,) = sd.train(BLOCK, PoolingNet(**options), n_train=16, seeds=3, config=config)
    net = PoolingNet(**options, seed=factor_seed(3, "init")).double()
    X, y = sd.sample_images(BLOCK, 16, seed=factor_seed(3, "data"), split="train", dtype="float64")
    images, labels = torch.from_numpy(X), torch.from_numpy(y).double()
    velocity = {name: torch.zeros_like(w) for name, w in net.named_parameters()}
    for epoch, factor in enumerate([1, 0.75, 0.25, 0.25, 0.25, 0.25], start=1):
        for batch in torch.split(torch.from_numpy(epoch_order(3, epoch, 16)), BATCH):
            loss = (1 - labels[batch] * net(images[batch])[:, 0]).clamp_min(0).mean()
            gradients = torch.autograd.grad(loss, list(net.parameters()))
            with torch.no_grad():
                for (name, w), g in zip(net.named_parameters(), gradients, strict=True):
                    velocity[name] = 0.9 * velocity[name] + g + (0.1 * w if w.ndim > 1 else 0)
                    w.sub_(0.02 * net.width * factor * velocity[name])
    for mine, theirs in zip(member.net.parameters(), net.parameters(), strict=True):
        assert (mine - theirs).abs().max() < 1e-9


def test_runs_and_records_of_earlier_versions_keep_their_description() -> None:
    assert not {"momentum", "weight_decay", "cosine_share"} & set(TrainConfig().describe())
    config = TrainConfig(momentum=0.9, schedule="cosine", cosine_share=0.8)
    assert config.describe() | {"weight_decay": 0.0} == vars(config)
    assert TrainConfig(**config.describe()) == config


def test_a_member_does_not_feel_the_others() -> None:
    """Float64, through the point at which a member is finished and dropped."""
    net = PoolingNet(filter_size=2, stride=2, depth=6, width=16)
    config = TrainConfig(max_epochs=400, lr=0.03, dtype="float64")
    together = sd.train(BLOCK, net, n_train=12, seeds=range(4), config=config)
    assert len({member.epochs for member in together}) > 1
    alone = sd.train(BLOCK, net, n_train=12, seeds=2, config=config)
    one, other = together.member(2), alone.members[0]
    assert one.epochs == other.epochs
    for a, b in zip(one.net.parameters(), other.net.parameters(), strict=True):
        assert (a - b).abs().max() < 1e-9
