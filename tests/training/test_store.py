"""A run is never lost: killed, interrupted or out of disk, it resumes and ends with the weights of an unbroken one."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import scaledetect as sd
from scaledetect.nets import PoolingNet
from scaledetect.sampling.seeds import epoch_order, epoch_seed
from scaledetect.training import TrainConfig, TrainingRun, TrainProgress, load_member, read_log
from scaledetect.training.data import draw_rows
from scaledetect.training.engines import LoopEngine

BLOCK = sd.Task(dim=1, size=32, xi=8, labelling="block")
FLAT = sd.Task(dim=2, size=8, xi=4, labelling="block")
NET = PoolingNet(filter_size=2, stride=2, depth=4, width=16)
SEEDS = (0, 1, 2)


def pooling(output: Path | None, **options: Any) -> TrainingRun:
    """Members that finish at different epochs, and one that runs out of them."""
    config = TrainConfig(lr=0.2, batch_size=4, max_epochs=25, ridge=0.001, zero_multiple=1.2)
    return sd.train(
        BLOCK, NET, n_train=24, n_validation=8, n_test=24, seeds=SEEDS, config=config, output=output, track=[0, 3],
        track_draws=100, checkpoint_every=0, **options,
    )  # fmt: skip


def one_by_one(output: Path | None, **options: Any) -> TrainingRun:
    """A net of the zoo under Adam, with its moments and a schedule, one member after the other."""
    config = TrainConfig(loss="cross_entropy", optimizer="adam", lr=1e-3, max_epochs=3, schedule="cosine")
    return sd.train(FLAT, "lenet", n_train=8, seeds=(0, 1), config=config, output=output, checkpoint_every=0, **options)


def same(one: TrainingRun, other: TrainingRun) -> None:
    for a, b in zip(one, other, strict=True):
        for name in (
            "seed",
            "status",
            "epochs",
            "reached",
            "train_loss",
            "train_error",
            "validation_error",
            "test_error",
        ):
            assert getattr(a, name) == getattr(b, name), name
        for x, y in zip(a.net.state_dict().values(), b.net.state_dict().values(), strict=True):
            assert torch.equal(x, y)
        assert list(a.tracked) == list(b.tracked)
        assert all(np.array_equal(a.tracked[k].D, b.tracked[k].D) for k in a.tracked)


def check_folder(folder: Path) -> None:
    """Every file that is there is whole."""
    for path in folder.rglob("*"):
        if path.suffix == ".pt":
            torch.load(path, weights_only=True)
        elif path.suffix == ".npz":
            sd.Sensitivities.load(path)
        elif path.name == "run.json":
            json.loads(path.read_text())
        elif path.name == "log.jsonl":
            read_log(path)


class StopHereError(Exception):
    """What breaks a run off."""


def stop_at(epoch: int) -> Callable[[TrainProgress], None]:
    def stop(progress: TrainProgress) -> None:
        if progress.epoch == epoch:
            raise StopHereError

    return stop


@pytest.fixture(scope="module")
def unbroken() -> TrainingRun:
    return pooling(None)


def test_the_run_has_members_of_every_kind(unbroken: TrainingRun) -> None:
    assert [member.status for member in unbroken] == ["converged", "max_epochs", "converged"]
    assert len({member.epochs for member in unbroken}) == 3


@pytest.mark.parametrize("epoch", [1, 2, 11, 21, 25])
def test_resumes_bit_for_bit(epoch: int, unbroken: TrainingRun, tmp_path: Path) -> None:
    with pytest.raises(StopHereError):
        pooling(tmp_path / "run", on_epoch=stop_at(epoch))
    same(pooling(tmp_path / "run"), unbroken)
    epochs = [line["epoch"] for line in read_log(tmp_path / "run" / "log.jsonl")]
    assert epochs == sorted(set(epochs))


def test_resumes_nets_one_by_one(tmp_path: Path) -> None:
    expected = one_by_one(None)
    for epoch in (2, 3):
        folder = tmp_path / str(epoch)
        with pytest.raises(StopHereError):
            one_by_one(folder, on_epoch=stop_at(epoch))
        same(one_by_one(folder), expected)


def test_an_engine_goes_on_with_moments_statistics_and_dropout() -> None:
    layers = (
        torch.nn.Flatten(),
        torch.nn.Linear(64, 8),
        torch.nn.BatchNorm1d(8),
        torch.nn.Dropout(),
        torch.nn.Linear(8, 2),
    )
    config = TrainConfig(loss="cross_entropy", optimizer="adam", lr=0.01, batch_size=4)
    rows = draw_rows(FLAT, 12, "train", [0], dtype="float32", device=torch.device("cpu"))

    def engine() -> LoopEngine:
        torch.manual_seed(0)
        return LoopEngine(copy.deepcopy(torch.nn.Sequential(*layers)), config, torch.device("cpu"))

    def go(one: LoopEngine, *epochs: int) -> None:
        for epoch in epochs:
            one.epoch(rows, epoch_order(0, epoch, 12)[None], epoch_seed(0, epoch) % 2**63, 1.0)

    unbroken, first, second = engine(), engine(), engine()
    go(unbroken, 1, 2, 3)
    go(first, 1, 2)
    second.load_state(copy.deepcopy(first.state()))
    go(second, 3)
    for a, b in zip(unbroken.net(0).state_dict().values(), second.net(0).state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_finished_run_is_read(unbroken: TrainingRun, tmp_path: Path) -> None:
    pooling(tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()

    def never(progress: TrainProgress) -> None:
        raise AssertionError("trained again")

    same(pooling(tmp_path, on_epoch=never), unbroken)


def test_a_fault_at_every_write_corrupts_nothing(
    unbroken: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th write of any kind leaves half of its bytes and fails, as on a full disk."""
    real_write, real_replace = Path.write_bytes, Path.replace
    countdown = [0]

    def fails() -> bool:
        countdown[0] -= 1
        return countdown[0] == 0

    def write(self: Path, data: memoryview) -> int:
        if fails():
            real_write(self, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        return real_write(self, data)

    def replace(self: Path, target: Path) -> Path:
        if fails():
            raise OSError(28, "No space left on device")
        return real_replace(self, target)

    monkeypatch.setattr(Path, "write_bytes", write)
    monkeypatch.setattr(Path, "replace", replace)
    countdown[0] = 10**6
    pooling(tmp_path / "count")
    writes = 10**6 - countdown[0]
    assert writes > 60
    for number in {*range(1, 10), *range(10, writes + 1, 11), writes}:
        folder = tmp_path / str(number)
        countdown[0] = number
        with pytest.raises(OSError, match="No space left"):
            pooling(folder)
        check_folder(folder)
        assert not list(folder.glob(".*-*")) and not list(folder.glob("track/.*"))
        countdown[0] = 0
        same(pooling(folder), unbroken)


def test_resumes_after_a_member_ended_before_an_epoch_that_is_tracked(unbroken: TrainingRun, tmp_path: Path) -> None:
    first, last = sorted(unbroken, key=lambda member: member.epochs)[::2]
    assert first.epochs < last.epochs - 2
    track = [0, last.epochs - 2]

    def run(output: Path | None, **options: Any) -> TrainingRun:
        return sd.train(
            BLOCK, NET, n_train=24, n_validation=8, n_test=24, seeds=SEEDS, config=unbroken.config, output=output,
            track=track,
            track_draws=100, checkpoint_every=0, **options,
        )  # fmt: skip

    with pytest.raises(StopHereError):
        run(tmp_path, on_epoch=stop_at(last.epochs - 1))
    resumed = run(tmp_path)
    same(resumed, run(None))
    assert list(resumed.member(first.seed).tracked) == [0] and list(resumed.member(last.seed).tracked) == track


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    others = [tmp_path / ".pre-commit-config.yaml", tmp_path / "sub" / ".my-notes.txt", tmp_path / ".a-folder.d" / "x"]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    (tmp_path / ".checkpoint-left.pt").write_text("of a process that was killed")
    for _ in range(2):
        sd.train(BLOCK, NET, n_train=24, config=TrainConfig(max_epochs=1), output=tmp_path)
    assert [path.read_text() for path in others] == ["mine"] * 3
    assert not (tmp_path / ".checkpoint-left.pt").exists()


def test_a_torn_log_line_is_dropped(unbroken: TrainingRun, tmp_path: Path) -> None:
    with pytest.raises(StopHereError):
        pooling(tmp_path, on_epoch=stop_at(9))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"epoch": 9, "seeds": [0, 1')
    same(pooling(tmp_path), unbroken)
    assert len(read_log(tmp_path / "log.jsonl")) >= 25


KILLED = """
import os, signal, sys, time
sys.path[:0] = [{tests!r}]
from pathlib import Path
import test_store
for folder, seconds in {kills!r}:
    # A copy of this process: it has loaded everything, so that the kill meets the run and not the imports.
    if not (child := os.fork()):
        test_store.pooling(Path(folder))
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.slow
def test_killed_at_random_moments(unbroken: TrainingRun, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kills = [(str(tmp_path / str(number)), rng.uniform(0.02, 0.25)) for number in range(5)]
    code = KILLED.format(tests=str(Path(__file__).parent), kills=kills)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split().count(str(-signal.SIGKILL)) >= 3
    for name, _ in kills:
        folder = Path(name)
        if folder.exists():
            check_folder(folder)
        same(pooling(folder), unbroken)
        assert not list(folder.glob(".*-*"))


def test_what_is_left_of_a_process_killed_at_its_first_write_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".run-abcdefgh.json").write_text("{")
    sd.train(BLOCK, NET, n_train=24, config=TrainConfig(max_epochs=1), output=tmp_path)
    assert not list(tmp_path.glob(".run-*"))


def test_another_run_is_refused(tmp_path: Path) -> None:
    config = TrainConfig(max_epochs=1)
    sd.train(BLOCK, NET, n_train=24, config=config, output=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    wider = PoolingNet(filter_size=2, stride=2, depth=4, width=17)
    for net, n, says in ((wider, 24, "net is"), (NET, 20, "n_train is 24 there and 20 here")):
        with pytest.raises(ValueError, match=f"holds another run: .*{says}"):
            sd.train(BLOCK, net, n_train=n, config=config, output=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_of_another_net_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StopHereError):
        pooling(tmp_path, on_epoch=stop_at(3))
    torch.save({"state_dict": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="is no checkpoint of this package"):
        pooling(tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="is damaged"):
        pooling(tmp_path)


def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"output=.*cannot be made"):
        pooling(tmp_path / "file" / "run")


def test_a_foreign_run_file_is_refused(tmp_path: Path) -> None:
    for text in ("[1", '{"format": "other"}', "{}"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(ValueError, match=r"run\.json that (cannot be read|is not)"):
            pooling(tmp_path)


def test_a_member_file_is_read_and_others_are_refused(tmp_path: Path) -> None:
    run = pooling(tmp_path)
    member = load_member(tmp_path / "seed-1.pt")
    X = torch.from_numpy(sd.sample_images(BLOCK, 5)[0])
    assert torch.equal(member.net(X), run.member(1).net(X))
    torch.save({"format": "scaledetect.member/1"}, tmp_path / "part.pt")
    with pytest.raises(ValueError, match="is no whole member"):
        load_member(tmp_path / "part.pt")
    torch.save({"format": "other"}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="is not in the format"):
        load_member(tmp_path / "other.pt")
    with pytest.raises(ValueError, match="cannot be read"):
        load_member(tmp_path / "missing.pt")
    with pytest.raises(ValueError, match="seed=9: this run has the seeds"):
        run.member(9)
