"""Damaged run folders: a clear error that names the file and the way out, never another one."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import scaledetect as sd
from scaledetect._base.errors import RefusalError
from scaledetect.nets import PoolingNet
from scaledetect.training import TrainProgress, load_member, read_log

TASK = sd.Task(size=16, xi=4)
CONFIG = sd.TrainConfig(max_epochs=3, lr=0.1)
NET = PoolingNet(depth=2, width=2)

Stored = dict[str, Any]


class StopHereError(Exception):
    """What breaks a run off."""


def train(folder: Path, *, until: int = 9) -> sd.TrainingRun:
    def stop(progress: TrainProgress) -> None:
        if progress.epoch == until:
            raise StopHereError

    return sd.train(
        TASK,
        NET,
        n_train=8,
        seeds=(0, 1),
        config=CONFIG,
        output=folder,
        checkpoint_every=0,
        on_epoch=stop,
        device="cpu",
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(folder)
    return folder


@pytest.fixture
def broken_off(tmp_path: Path) -> Path:
    """A run that can be gone on with after its second epoch."""
    with pytest.raises(StopHereError):
        train(tmp_path / "run", until=3)
    return tmp_path / "run"


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.update(seed=-1),
        lambda stored: stored.update(seed="0"),
        lambda stored: stored.update(seed=True),
        lambda stored: stored.update(seed=2**64),
        lambda stored: stored.update(status="fine"),
        lambda stored: stored.update(epochs=-1),
        lambda stored: stored.update(epochs=1.5),
        lambda stored: stored.update(reached=0),
        lambda stored: stored.update(reached=4),
        lambda stored: stored.update(train_loss=math.nan),
        lambda stored: stored.update(train_loss=-0.1),
        lambda stored: stored.update(train_loss="0"),
        lambda stored: stored.update(train_error=1.5),
        lambda stored: stored.update(test_error=-0.1),
        lambda stored: stored.update(validation_error=math.inf),
        lambda stored: stored.pop("status"),
        lambda stored: stored.pop("state_dict"),
        lambda stored: stored.update(state_dict={}),
        lambda stored: stored.update(state_dict=[1]),
        lambda stored: stored.update(state_dict={"readout.bias": 1.0}),
        lambda stored: stored.update(net="pooling"),
        lambda stored: stored.update(net={"name": 5, "options": {}}),
        lambda stored: stored.update(net={"name": "pooling", "options": 5}),
        lambda stored: stored["net"]["options"].update(depth=2**31),
        lambda stored: stored["net"]["options"].update(width=3),
        lambda stored: stored["net"]["options"].update(dim="1"),
    ],
)
def test_a_member_out_of_range_is_refused(change: Callable[[Stored], object], whole: Path, tmp_path: Path) -> None:
    stored = torch.load(whole / "seed-0.pt", weights_only=True)
    change(stored)
    torch.save(stored, tmp_path / "seed-0.pt")
    with pytest.raises(RefusalError, match=r"path='.*seed-0\.pt': is no whole member"):
        load_member(tmp_path / "seed-0.pt")


def test_numbers_at_the_ends_of_their_ranges_are_taken(whole: Path, tmp_path: Path) -> None:
    stored = torch.load(whole / "seed-0.pt", weights_only=True)
    ends: list[Stored] = [
        {"seed": 2**64 - 1, "reached": 3, "epochs": 3, "train_loss": 0.0, "train_error": 1.0, "test_error": 0.0},
        {"seed": 0, "reached": 1, "epochs": 1, "train_loss": None, "train_error": None, "test_error": None},
    ]
    for changed in ends:
        torch.save(stored | changed, tmp_path / "a.pt")
        assert all(getattr(load_member(tmp_path / "a.pt"), name) == value for name, value in changed.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("seeds"),
        lambda state: state.pop("epoch"),
        lambda state: state.pop("reached"),
        lambda state: state.pop("losses"),
        lambda state: state.pop("engine"),
        lambda state: state.update(seeds=5),
        lambda state: state.update(seeds=[]),
        lambda state: state.update(seeds=[0, 0]),
        lambda state: state.update(seeds=["0"]),
        lambda state: state.update(epoch=-1),
        lambda state: state.update(epoch="2"),
        lambda state: state.update(reached={0: "x"}),
        lambda state: state.update(losses={0: 1.0}),
        lambda state: state.update(losses={0: "x", 1: 1.0}),
        lambda state: state.update(engine={}),
        lambda state: state.update(engine={"parameters": 5}),
        lambda state: state.update(engine={"parameters": []}),
        lambda state: state.update(engine={"parameters": [torch.zeros(1)] * 6}),
    ],
)
def test_a_checkpoint_without_its_parts_is_refused(change: Callable[[Stored], object], broken_off: Path) -> None:
    state = torch.load(broken_off / "checkpoint.pt", weights_only=True)
    change(state)
    torch.save(state, broken_off / "checkpoint.pt")
    with pytest.raises(RefusalError, match=r"output='.*checkpoint\.pt': is damaged.*; remove it, and members"):
        train(broken_off)
    (broken_off / "checkpoint.pt").unlink()
    assert len(train(broken_off).members) == 2


def test_a_member_in_the_place_of_another_is_refused(whole: Path, broken_off: Path) -> None:
    (broken_off / "checkpoint.pt").unlink()
    for seed in (0, 1):
        (broken_off / f"seed-{seed}.pt").write_bytes((whole / "seed-1.pt").read_bytes())
    with pytest.raises(RefusalError, match=r"output='.*seed-0\.pt': is the member of seed 1; train it again"):
        train(broken_off)


@pytest.mark.parametrize(
    "line",
    [
        "no JSON", "[1]", "5", "{}", '{"epoch": "1", "seeds": [0]}', '{"epoch": 1, "seeds": 5}', "", "[" * 20_000,
        '{"epoch": 1, "seeds": ["0"]}', '{"epoch": -1, "seeds": [0]}',
    ],
)  # fmt: skip
def test_a_bad_line_in_the_log_is_named(line: str, tmp_path: Path) -> None:
    good = json.dumps({"epoch": 1, "seeds": [0]})
    path = tmp_path / "log.jsonl"
    path.write_text(f"{good}\n{line}\n{good}\n")
    with pytest.raises(RefusalError, match=r"path='.*log\.jsonl': line 2 is none of a log; remove that line"):
        read_log(path)


def test_a_log_ends_with_its_last_whole_line(tmp_path: Path) -> None:
    path, good = tmp_path / "log.jsonl", json.dumps({"epoch": 1, "seeds": [0]})
    for text, n in (("", 0), (good, 0), (f"{good}\n", 1), (f"{good}\n{good[:9]}", 1)):
        path.write_text(text)
        assert len(read_log(path)) == n
    path.write_bytes(b"\xff\n")
    with pytest.raises(RefusalError, match=r"path='.*log\.jsonl': cannot be read"):
        read_log(path)


def test_no_damage_to_a_folder_gives_another_error(broken_off: Path) -> None:
    rng, before = random.Random(0), {path: path.read_bytes() for path in broken_off.iterdir()}
    before = {path: data for path, data in before.items() if data}  # the lock is empty
    for number in range(24):
        for path in broken_off.iterdir():
            path.unlink()
        for path, data in before.items():
            path.write_bytes(data)
        path = sorted(before)[number % len(before)]
        damaged = bytearray(before[path])
        for _ in range(3):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(damaged if number % 4 else damaged[: rng.randrange(len(damaged))])
        try:
            train(broken_off)
        except RefusalError as error:
            assert broken_off.name in str(error)
