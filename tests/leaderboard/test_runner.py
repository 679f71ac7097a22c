"""The runner: what it plans, what it records, what it survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from helpers.record_samples import sample_record
from helpers.study_target import CARD, deadly_work, fake_plan, fake_study, fake_work
from typer.testing import CliRunner, Result

import scaledetect as sd
from scaledetect.cli import app
from scaledetect.leaderboard.records import find_records, read_record, unique_records
from scaledetect.leaderboard.runner import ProcessPool, make_pool, plan_runs, run_study
from scaledetect.leaderboard.runner.grid import QUICK_CARDS

OWN = """
import os, time
import numpy as np
from scaledetect.entry import Entry


class Own(Entry):
    name, title, version, exact, budget = "own", "Own", 1, True, "quick"

    def configuration(self, task, n_train):
        return {"sign": 1}

    def fit(self, sampler, *, seed):
        time.sleep(0.05)

    def predict(self, X):
        return np.ones(len(X), dtype=np.int8)


class Raises(Own):
    name = "raises"

    def fit(self, sampler, *, seed):
        raise RuntimeError(f"{os.path.expanduser('~/data')} is no good")


class Dies(Own):
    name = "dies"

    def fit(self, sampler, *, seed):
        if sampler.n_train == 33:
            os._exit(1)


class Baseline(Own):
    name = "chance"


class NotPlain(Own):
    name = "not-plain"

    def configuration(self, task, n_train):
        return {"set": {1}}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a module of entries in the current folder, which is a temporary one."""
    (tmp_path / "grid_entries.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "grid_entries"
    sys.modules.pop("grid_entries", None)


def contents(folder: Path) -> dict[str, object]:
    """What the records of a folder say, by key; each file must be sound and the only one of its run."""
    found = [read_record(path) for path in find_records([folder])]
    assert len({record.key for record in found}) == len(found)
    return {record.key: record.scores for record in found}


# ---------------------------------------------------------------------- plan


def test_quick_is_a_stated_part_of_full() -> None:
    quick, full = plan_runs(budget="quick"), plan_runs(budget="full")
    assert {one.key for one in quick} < {one.key for one in full}
    assert len({one.key for one in full}) == len(full)
    assert {one.run.card for one in quick} == set(QUICK_CARDS)
    assert {one.run.seed for one in quick} == {0, 1}
    assert {one.run.card for one in full} == set(sd.list_tasks("score")) | set(sd.list_tasks("scaling"))
    assert {one.run.seed for one in full} == {0, 1, 2, 3, 4}


def test_no_run_is_beyond_what_its_entry_declares() -> None:
    full = plan_runs(budget="full")
    kernels = [one.run for one in full if one.run.entry == "nngp-pooling"]
    assert {run.card for run in kernels if "1d" in run.card} == {
        f"{t}-1d-L{n}" for t in ("block", "distance") for n in (64, 128, 256)
    }
    assert max(run.n_train for run in kernels) == 1024
    assert plan_runs(cards=["block-1d-L512"], entries=["nngp-pooling"]) == ()


def test_what_an_entry_is_not_run_on_is_said_with_the_reason() -> None:
    told: list[tuple[str, str, str]] = []
    cards, entries = ["block-1d-L256", "block-2d-L28-xi14"], ["nngp-pooling", "lenet", "chance"]
    plan = plan_runs(
        cards=cards, entries=entries, n_train=[64, 2048], seeds=[0], on_left_out=lambda *what: told.append(what)
    )
    limits = "L^d <= 256, P <= 1024"
    assert told == [
        ("nngp-pooling", "block-1d-L256", f"P = 2048 is beyond its limits, {limits}"),
        ("lenet", "block-1d-L256", "it cannot take these images"),
        ("nngp-pooling", "block-2d-L28-xi14", f"L^d = 784 is beyond its limits, {limits}"),
    ]
    runs = sorted((one.run.entry, one.run.card, one.run.n_train) for one in plan)
    assert [run for run in runs if run[0] != "chance"] == [
        ("lenet", "block-2d-L28-xi14", 64), ("lenet", "block-2d-L28-xi14", 2048), ("nngp-pooling", "block-1d-L256", 64),
    ]  # fmt: skip


def test_the_command_says_so_of_entries_that_are_asked_for(tmp_path: Path) -> None:
    options = ["--cards", "block-2d-L28-xi14", "--n-train", "32", "--seeds", "0", "--output", str(tmp_path)]
    done = CliRunner().invoke(app, ["run", *options, "--entries", "logistic", "--jobs", "1"])
    assert (done.exit_code, "0 runs recorded" in done.stdout) == (0, True)
    assert "logistic is left out on block-2d-L28-xi14: L^d = 784 is beyond its limits" in done.stderr


def test_what_is_asked_for_is_planned() -> None:
    plan = plan_runs(cards=["block-2d-L28-xi14"], entries=["chance"], n_train=[5], seeds=[7, 8])
    assert [(one.run.n_train, one.run.seed) for one in plan] == [(5, 7), (5, 8)]


def test_cards_of_a_family_take_the_sizes_that_they_have_rows_for() -> None:
    """A size is refused only where no card has rows for it."""
    told: list[tuple[str, tuple[int, ...], int]] = []
    cards = ["block-1d-L64", "block-1d-L128", "block-1d-L256"]
    plan = plan_runs(
        cards=cards, entries=["chance"], n_train=[32, 512, 2048], seeds=[0], on_beyond=lambda *what: told.append(what)
    )
    sizes = {card: sorted(one.run.n_train for one in plan if one.run.card == card) for card in cards}
    assert sizes == dict(zip(cards, ([32], [32, 512], [32, 512, 2048]), strict=True))
    assert told == [("block-1d-L64", (512, 2048), 256), ("block-1d-L128", (2048,), 1024)]
    with pytest.raises(ValueError, match="n_train=8192: must be from 1 to 4096, the largest of card 'block-1d-L256'"):
        plan_runs(cards=cards, entries=["chance"], n_train=[32, 8192], seeds=[0])


def test_the_command_says_which_sizes_a_card_has_no_rows_for(tmp_path: Path) -> None:
    cards = ["--cards", "block-1d-L64,block-1d-L128", "--entries", "chance"]
    options = ["--n-train", "32,512", "--seeds", "0", "--jobs", "1", "--output", str(tmp_path)]
    done = CliRunner().invoke(app, ["run", *cards, *options])
    assert done.exit_code == 0 and "3 runs recorded" in done.stdout
    # A worker loads what its entries need, which takes longest to start with.
    assert all("torch" not in record.environment.library_threads for record in unique_records([tmp_path]).records)
    assert "block-1d-L64: has no rows for P = 512, left out there; its largest is 256" in done.stderr


def test_a_run_asked_for_twice_is_planned_once(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{CARD}.toml").write_text((root / f"tasks/{CARD}.toml").read_text())
    plan = plan_runs(cards=[CARD, f"{CARD}.toml", CARD], entries=["chance", "chance"], n_train=[5, 5], seeds=[7, 7])
    # Of a card's file workers get the whole path: they may run elsewhere.
    assert [one.run.card for one in plan] in ([CARD], [str(tmp_path / f"{CARD}.toml")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cards": ["block-1d-L64-xi16"]}, "theory card"),
        ({"cards": [CARD], "n_train": [513]}, "from 1 to 512"),
        ({"cards": [CARD], "seeds": [-1]}, "seeds=-1"),
        ({"cards": ["no-card"]}, "unknown card"),
        ({"entries": ["no-entry"]}, "unknown entry"),
        ({"budget": "some"}, "budget"),
        ({"entries": ["grid_entries:Baseline"]}, "as a baseline is"),
        ({"entries": ["grid_entries:Own", "grid_entries:Own "]}, "grid_entries"),
        ({"cards": [CARD], "entries": ["grid_entries:NotPlain"]}, "not plain data"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(own: str, options: dict[str, object], message: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError), match=message):
        plan_runs(**options)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- resume


def test_a_study_goes_on_where_it_was(tmp_path: Path) -> None:
    plan = fake_plan()
    done: list[str] = []
    first = run_study(plan[:50], tmp_path, pool=ProcessPool(fake_work, 1))
    second = run_study(plan, tmp_path, pool=ProcessPool(fake_work, 1), on_record=lambda record: done.append(record.key))
    assert (first.done, second.found, second.done, second.missing) == (50, 50, len(plan) - 50, 0)
    assert set(done).isdisjoint(one.key for one in plan[:50])
    assert set(contents(tmp_path)) == {one.key for one in plan}
    assert run_study(plan, tmp_path).found == len(plan)


def test_a_broken_record_is_named_and_run_again(tmp_path: Path) -> None:
    plan = fake_plan()[:4]
    run_study(plan, tmp_path, pool=ProcessPool(fake_work, 1))
    whole = contents(tmp_path)
    one, other, *_ = find_records([tmp_path])
    one.write_text(one.read_text()[:100])
    other.write_text(json.dumps(sample_record().model_dump()))
    report = run_study(plan, tmp_path, pool=ProcessPool(fake_work, 1))
    assert [bad.path for bad in report.bad if "not JSON" in bad.reason] == [one]
    assert [bad.path for bad in report.bad if "another run" in bad.reason] == [other]
    assert (report.found, report.done, contents(tmp_path)) == (2, 2, whole)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("unbroken")
    fake_study(str(folder))
    return contents(folder)


@pytest.mark.parametrize(
    ("number", "share"), [(signal.SIGINT, 0.4), (signal.SIGTERM, 0.0), (signal.SIGKILL, 0.0), (signal.SIGKILL, 0.4)]
)
def test_killed_and_resumed(
    tmp_path: Path, unbroken: dict[str, object], number: signal.Signals, share: float, root: Path
) -> None:
    command = [sys.executable, "-m", "helpers.study_target", str(tmp_path), "0.01"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=root / "tests")
    deadline = time.monotonic() + 60
    while process.poll() is None and len(find_records([tmp_path])) <= share * len(unbroken):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    kept = contents(tmp_path)
    assert len(kept) < len(unbroken)
    assert kept.items() <= unbroken.items()
    if number != signal.SIGKILL:  # it ended in order, and its own count is that of the files
        assert (process.returncode, int(output)) == (0, len(kept))
    report = fake_study(str(tmp_path))
    assert (report.found, report.done) == (len(kept), len(unbroken) - len(kept))
    assert contents(tmp_path) == unbroken
    wait_for_the_end_of(process.pid)


def wait_for_the_end_of(session: int) -> None:
    """No worker outlives its driver."""
    deadline = time.monotonic() + 20
    while _members(session):
        assert time.monotonic() < deadline, "a worker is left"
        time.sleep(0.1)


def _members(session: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


# ---------------------------------------------------------------------- real runs


def test_the_command_runs_what_is_asked_and_failures_stop_nothing(tmp_path: Path, own: str) -> None:
    def command(code: int) -> Result:
        options = {
            "--cards": CARD, "--entries": f"chance,{own}:Own,{own}:Raises", "--n-train": "32", "--seeds": "0-1",
            "--jobs": "1", "--output": str(tmp_path / "records"),
        }  # fmt: skip
        arguments = ["run", *(part for pair in options.items() for part in pair)]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    first = command(1)
    assert f"{CARD} / raises / P=32 / seed 0: failed: RuntimeError: ~/data is no good" in first.stderr
    assert "6 runs recorded" in first.stdout
    assert "2 without a score" in first.stdout
    found = unique_records([tmp_path / "records"]).records
    assert Counter((record.entry, record.status) for record in found) == {
        ("chance", "ok"): 2, ("own", "ok"): 2, ("raises", "failed"): 2,
    }  # fmt: skip
    # Still without a score, and said again.
    second = command(1)
    assert "0 runs recorded" in second.stdout and "--retry-failed" in second.stdout
    assert "seed 0: recorded as failed: RuntimeError" in second.stderr


def test_a_run_that_kills_its_worker_is_recorded_as_failed(tmp_path: Path) -> None:
    plan = plan_runs(cards=[CARD], entries=["chance"], n_train=[32, 33], seeds=range(6))[5:]
    report = run_study(plan, tmp_path, pool=ProcessPool(deadly_work, 2))
    found = unique_records([tmp_path]).records
    assert Counter((record.n_train, record.status) for record in found) == {(32, "ok"): 6, (33, "failed"): 1}
    (failure,) = report.failures
    assert "3 workers died over it; the last one: a worker ended with exit code 1" in failure.reason
    assert failure.recorded
    # It is left alone, unless it is asked for.
    assert run_study(plan, tmp_path).found == 7
    again = run_study(plan, tmp_path, retry_failed=True, pool=ProcessPool(fake_work, 1))
    assert (again.done, len(again.failures)) == (1, 0)


def test_no_dask_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("scaledetect.leaderboard.runner.pools.PATIENCE", 0.2)
    with pytest.raises(ValueError, match=r"scheduler='tcp://127.0.0.1:9': no Dask scheduler answers there"):
        make_pool(scheduler="tcp://127.0.0.1:9")


@contextmanager
def dask_cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers of one thread on the loopback address, each a process of its own."""
    place = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    options = ["--host", "127.0.0.1", "--no-dashboard"]
    with ExitStack() as stack:

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen([*dask, *arguments], cwd=folder, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        start("scheduler", *options, "--port", "0", "--scheduler-file", str(place))
        deadline = time.monotonic() + 60
        while not place.exists() or not place.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        one = ["worker", *options, "--nthreads", "1", "--no-nanny", "--scheduler-file", str(place)]
        workers = [start(*one), start(*one)]
        yield json.loads(place.read_text())["address"], workers


@pytest.mark.slow
def test_dask_with_a_worker_that_is_killed(tmp_path: Path, own: str) -> None:
    pytest.importorskip("distributed")
    plan = plan_runs(cards=[CARD], entries=[f"{own}:Own"], n_train=[32], seeds=range(40))
    seen: list[str] = []
    with dask_cluster(tmp_path) as (address, workers):

        def on_record(record: object) -> None:
            seen.append(record.key)  # type: ignore[attr-defined]
            if len(seen) == 5:
                workers[0].kill()

        report = run_study(plan, tmp_path / "records", scheduler=address, on_record=on_record)
        assert workers[0].wait(10) == -signal.SIGKILL
        assert workers[1].poll() is None
    assert (report.done, report.failures) == (40, [])
    assert sorted(seen) == sorted(one.key for one in plan)
    assert set(contents(tmp_path / "records")) == set(seen)
