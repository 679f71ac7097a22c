"""Entries that are nets: the rows and the scale they are trained with, and that the one made for a task is better."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from helpers.one_epoch import ONE_EPOCH

import scaledetect as sd
from scaledetect._base.errors import DivergedError
from scaledetect.checks.entry import check_entry
from scaledetect.leaderboard.entries import trained_net
from scaledetect.leaderboard.entries.base import Entry, Limits, entry_class, entry_names, find_entry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.leaderboard.entries.trained_net import TrainedEntry, epochs_for
from scaledetect.leaderboard.scoring import Run, evaluate, score
from scaledetect.nets import NetSpec
from scaledetect.nets.initialisation import Rescaled
from scaledetect.task.task import Amplitude
from scaledetect.training import TrainConfig

TASK = sd.Task(dim=1, size=64, xi=16)
DEEP = [name for name in entry_names() if entry_class(name).kind == "image net"]


class Small(TrainedEntry):
    name = "small"
    title = "Small pooling net"
    version = 1
    budget = "quick"
    config = TrainConfig(lr=0.1, max_epochs=3)

    def spec(self, shape: tuple[int, ...]) -> NetSpec:
        return NetSpec("pooling", {"dim": len(shape) - 1, "filter_size": 4, "stride": 4, "depth": 2, "width": 8})

    def training(self, n_train: int) -> TrainConfig:
        return self.config


def sampler(task: sd.Task = TASK, n_train: int = 32) -> Sampler:
    return Sampler(task, n_train=n_train, n_validation=16, n_test=16, seed=5)


def fitted(task: sd.Task) -> Entry:
    entry = Small()
    entry.fit(sampler(task), seed=0)
    return entry


# ---------------------------------------------------------------------- rows and scale


def test_a_net_is_trained_on_the_rows_that_the_sampler_serves() -> None:
    """Labels of random rows cannot be guessed: a net that has learnt them by heart has seen these very images."""
    entry, rows = find_entry("fc3"), sampler()
    entry.fit(rows, seed=0)
    X, y = rows.train()
    np.testing.assert_array_equal(entry.predict(X), y)
    others, labels = sampler(n_train=64).train()
    assert np.mean(entry.predict(others[32:]) != labels[32:]) > 0.2


def test_a_step_can_depend_on_the_shape_of_the_images() -> None:
    """That of a fully connected net falls as one over the pixels, of whatever dimension, and is what it is run with."""
    entry = find_entry("fc3")
    steps = [
        entry.configuration(sd.Task(dim=dim, size=size, xi=4), 64)["training"]["lr"]
        for dim, size in ((1, 64), (1, 256), (2, 16), (2, 32))
    ]
    assert steps == [0.04, 0.01, 0.01, 0.0025]
    served = sampler()
    with patch.object(served, "train_net", side_effect=InterruptedError) as train, pytest.raises(InterruptedError):
        entry.fit(served, seed=0)
    expected = entry.configuration(TASK, served.n_train)["training"]
    assert train.call_args.args[1].describe() == expected and expected["lr"] != 0.01


@pytest.mark.parametrize("amplitude", ["mean", 0.01])
def test_the_amplitude_does_not_matter(amplitude: Amplitude) -> None:
    """The same pairs at another scale: the same weights, and the same outputs but for rounding."""
    task = replace(TASK, amplitude=amplitude)
    one, other = fitted(TASK), fitted(task)
    X, scaled = sampler(TASK).train()[0], sampler(task).train()[0]
    assert not np.allclose(X, scaled)
    with torch.no_grad():
        torch.testing.assert_close(one.net(torch.from_numpy(X)), other.net(torch.from_numpy(scaled)))


def test_nor_does_it_with_a_noisy_background() -> None:
    amplitude = replace(TASK, amplitude="norm").pixel_value
    faint = replace(TASK, amplitude=amplitude, background_noise=0.5)
    bright = replace(TASK, amplitude=8 * amplitude, background_noise=4.0)
    with torch.no_grad():
        outputs = [fitted(task).net(torch.from_numpy(sampler(task).train()[0])) for task in (faint, bright)]
    torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-4)
    clean = fitted(TASK).net(torch.from_numpy(sampler(TASK).train()[0]))
    assert not torch.allclose(clean, outputs[0], rtol=1e-2)


def test_weights_follow_from_the_root_alone() -> None:
    first, second = Small(), Small()
    first.fit(sampler(), seed=0)
    second.fit(sampler(), seed=1)
    other = Small()
    other.fit(Sampler(TASK, n_train=32, n_validation=16, n_test=16, seed=6), seed=0)
    weights = [[parameter.detach() for parameter in entry.net.parameters()] for entry in (first, second, other)]
    assert all(map(torch.equal, weights[0], weights[1]))
    assert not any(map(torch.equal, weights[0], weights[2]))


class Constant(torch.nn.Module):
    """Gives every image the label near, and says which attempt it is of."""

    def __init__(self, attempt: int) -> None:
        super().__init__()
        self.attempt = attempt

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return torch.ones(len(X), 1)


@pytest.mark.parametrize(("threshold", "restarts", "expected"), [
    (1.0, 3, [0]), (0.49, 3, [0, 1, 2, 3]), (0.49, 1, [0, 1]), (0.49, 0, [0]),
])  # fmt: skip
def test_a_net_that_has_not_learnt_its_training_images_begins_again(
    threshold: float, restarts: int, expected: list[int]
) -> None:
    """Nets that give all images one label: wrong on half of them."""
    entry, rows, attempts = Small(), sampler(), []

    def train_net(*_: object, attempt: int, **__: object) -> torch.nn.Module:
        attempts.append(attempt)
        return Constant(attempt)

    entry.restarts = restarts
    with patch.object(rows, "train_net", train_net), patch.object(trained_net, "NOT_LEARNT", threshold):
        entry.fit(rows, seed=0)
    assert attempts == expected
    assert entry.net.attempt == 0, "of nets that are as bad as each other the first stays"


def test_of_attempts_that_all_fail_the_best_stays_and_one_that_learns_ends_them() -> None:
    entry, rows, attempts = Small(), sampler(), []
    errors = [0.5, 0.375, 0.4375, 0.25]

    def train_net(*_: object, attempt: int, **__: object) -> torch.nn.Module:
        attempts.append(attempt)
        return Constant(attempt)

    def n_wrong(net: Constant, rows: Sampler) -> int:
        return int(errors[net.attempt] * rows.n_train)

    entry.restarts = 2
    with patch.object(rows, "train_net", train_net), patch.object(trained_net, "_n_wrong", n_wrong):
        entry.fit(rows, seed=0)
        assert (attempts, entry.net.attempt) == ([0, 1, 2], 1)
        entry.restarts = 9
        entry.fit(rows, seed=0)
    assert (attempts[3:], entry.net.attempt) == ([0, 1, 2, 3], 3), "a quarter is few enough"


def test_another_attempt_has_other_first_weights_and_the_same_rows() -> None:
    """One step of size 0 leaves them: the first attempt begins where `scaledetect.train` does."""
    rows, config = sampler(), TrainConfig(lr=1e-30, max_epochs=1)
    first, again, second = (
        torch.cat(
            [p.detach().flatten() for p in rows.train_net(Small().spec(rows.shape), config, attempt=n).parameters()]
        )
        for n in (0, 0, 1)
    )
    own = sd.train(TASK, Small().spec(rows.shape), n_train=32, seeds=5, config=config).members[0].net
    torch.testing.assert_close(first, torch.cat([p.detach().flatten() for p in own.parameters()]))
    assert torch.equal(first, again) and not torch.equal(first, second)
    assert rows.served == {"train": 32, "validation": 0, "test": 0}
    with pytest.raises(ValueError, match="attempt=-1"):
        rows.train_net(Small().spec(rows.shape), config, attempt=-1)


def test_rows_are_counted() -> None:
    rows = sampler()
    rows.train_net(Small().spec(rows.shape), Small.config)
    assert rows.served == {"train": 32, "validation": 0, "test": 0}
    rows.train_net(Small().spec(rows.shape), replace(Small.config, zero_validation=True))
    assert rows.served == {"train": 32, "validation": 16, "test": 0}


def test_rescaled() -> None:
    net = Rescaled(3.0, torch.nn.Identity())
    assert net(torch.ones(2)).tolist() == [3.0, 3.0]
    with pytest.raises(ValueError, match="factor=0"):
        Rescaled(0, torch.nn.Identity())


# ---------------------------------------------------------------------- what goes wrong


def test_divergence_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Small, "config", TrainConfig(lr=1e30, max_epochs=20))
    outcome = score(Small(), TASK, n_train=32, n_validation=16, n_test=16, seed=0)
    assert outcome.status == "diverged" and outcome.scores is None
    assert "training diverged in epoch" in outcome.reason


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_output_that_is_not_finite_is_no_label(value: float) -> None:
    entry = fitted(TASK)
    with torch.no_grad():
        entry.net.net.readout.bias.fill_(value)
    with pytest.raises(DivergedError, match="not finite"):
        entry.predict(sampler().train()[0])


# ---------------------------------------------------------------------- the entries


def test_configuration_says_all() -> None:
    task = sd.load_task("block-2d-L16-xi8")
    found = find_entry("pooling-s2").configuration(task, 64)
    assert found["net"] == "pooling" and found["options"]["depth"] == 3 and found["options"]["dim"] == 2
    assert TrainConfig(**found["training"]) == TrainConfig(lr=0.1, max_epochs=250)
    assert find_entry("pooling-s2").configuration(task, 512)["training"]["max_epochs"] == 32
    assert found["restarts"] == {"most": 3, "train_error_above": 0.25}
    once = Small()
    once.restarts = 0
    assert "restarts" not in once.configuration(task, 64)
    once.restarts = -1
    with pytest.raises(ValueError, match="restarts=-1: must be"):
        once.configuration(task, 64)


def test_epochs() -> None:
    assert epochs_for(100, 80, 8, least=1) == 10
    assert epochs_for(100, 81, 8, least=1) == 10
    assert epochs_for(100, 10_000, 8, least=3) == 3


@pytest.mark.parametrize("card", [*sd.list_tasks("score"), "block-1d-L64", "distance-2d-L16"])
@pytest.mark.parametrize("name", entry_names())
def test_every_net_can_be_built_for_every_score_card(name: str, card: str) -> None:
    entry, task = find_entry(name), sd.load_task(card)
    if not isinstance(entry, TrainedEntry) or not (entry.applies(task) and entry.limits.admits(task, 32)):
        return
    X, _ = sd.sample_images(task, 2)
    output = entry.spec((1, *task.shape)).build(0).eval()(torch.from_numpy(X))
    assert output.shape == (2, 2 if name in (*DEEP, "transformer") else 1)


def test_deep_nets_are_for_images() -> None:
    assert DEEP == ["alexnet", "lenet", "resnet18", "vgg11-bn"]
    for name in DEEP:
        applies = [
            find_entry(name).applies(sd.Task(dim=dim, size=size, xi=4)) for dim, size in ((2, 32), (2, 33), (1, 32))
        ]
        assert applies == [True, False, False]


FAST = ("gap-cnn", "lenet", "pooling-f4", "pooling-s1", "pooling-s2", "template", "transformer")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in ONE_EPOCH]
)
def test_entries_that_take_long_keep_the_contract(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few rows, draws and one epoch: what they learn is not the question."""
    monkeypatch.setattr("scaledetect.leaderboard.scoring.DRAWS", 100)
    for rows in ("N_TRAIN", "N_VALIDATION", "N_TEST"):
        monkeypatch.setattr(f"scaledetect.checks.entry.{rows}", 8)
    entry = entry_class(name)
    assert issubclass(entry, TrainedEntry)
    usual = entry.training
    monkeypatch.setattr(entry, "training", lambda self, n_train: replace(usual(self, n_train), max_epochs=1))
    steps = list(check_entry(entry))
    assert [step for step in steps if not step.ok] == []
    assert steps[-1].name == "2-D score"


def test_limits_are_stated_in_words_and_kept() -> None:
    limits = Limits(sites=256, n_train=1024)
    assert str(limits) == "L^d <= 256, P <= 1024"
    assert limits.admits(sd.load_task("block-2d-L16-xi8"), 1024)
    assert not limits.admits(sd.load_task("block-2d-L16-xi8"), 1025)
    assert not limits.admits(sd.Task(dim=2, size=17, xi=8), 1)
    assert (str(Limits()), Limits().admits(TASK, 10**9)) == ("", True)
    with pytest.raises(ValueError, match="sites=0"):
        Limits(sites=0)


MATCHED = [
    ("block-1d-L64", "pooling-s2", 256),
    ("distance-2d-L16-xi6.5", "template", 128),
    ("distance-1d-L512-xi128", "template", 64),
]


@pytest.mark.parametrize(("card", "matched", "n_train"), MATCHED)
def test_the_net_made_for_a_task_beats_fully_connected_ones(card: str, matched: str, n_train: int) -> None:
    outcome = evaluate(Run(card, matched, n_train, 0))
    assert outcome.scores is not None and outcome.scores.test_error < 0.1
    scores = outcome.scores.model_dump()
    assert all(scores[q] > 0 and scores[f"{q}_stderr"] > 0 for q in ("D", "G", "R"))
    other = evaluate(Run(card, "fc3", n_train, 0)).scores
    assert other is not None and other.test_error > outcome.scores.test_error + 0.2
