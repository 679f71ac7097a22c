"""Reproductions: jobs are kept and gone on with, shards add up, tables are what the public functions measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import scaledetect as sd
from scaledetect.cli.app import app
from scaledetect.reproduce import names, reproduce
from scaledetect.reproduce.depth_1d import STUDY as DEPTH
from scaledetect.reproduce.folder import read_table
from scaledetect.reproduce.pooling_job import PoolingJob
from scaledetect.reproduce.study import Job, Size, Study, Tables
from scaledetect.sampling.seeds import factor_seed

# ---------------------------------------------------------------------- jobs that cost nothing


@dataclass
class Counting:
    """A job that knows how often it ran, and fails while it is told to."""

    name: str
    value: float
    fails: bool = False
    calls: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return {"value": self.value}

    def run(self, folder: Path, say: Callable[[str], object]) -> Tables:
        self.calls.append(self.name)
        if self.fails:
            raise KeyboardInterrupt
        say("working")
        return {"numbers": pd.DataFrame({"job": [self.name], "value": [self.value]})}


def _draw(tables: Tables) -> dict[str, Figure]:
    figure = Figure()
    figure.subplots().plot(tables["numbers"]["value"])
    return {"": figure, "again": figure}


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Counting]:
    made = [Counting("one", 1 / 3), Counting("two", 2.0), Counting("three", float("nan"))]

    def chosen(size: Size) -> tuple[Job, ...]:
        del size
        return tuple(made)

    monkeypatch.setattr("scaledetect.reproduce.run.study", lambda name: Study(name, "", "", chosen, _draw))
    return made


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_job_that_is_done_is_not_done_again(jobs: list[Counting], tmp_path: Path) -> None:
    jobs[1].fails = True
    with pytest.raises(KeyboardInterrupt):
        reproduce("numbers", output=tmp_path / "a")
    assert not (tmp_path / "a" / "numbers-numbers.csv").exists()
    jobs[1].fails = False
    done = reproduce("numbers", output=tmp_path / "a")
    assert [len(job.calls) for job in jobs] == [1, 2, 1]
    assert [path.name for path in done.data + done.figures] == [
        "numbers-numbers.csv", "numbers.png", "numbers.svg", "numbers-again.png", "numbers-again.svg",
    ]  # fmt: skip
    assert done.data[0].read_text() == "job,value\none,0.333333\ntwo,2\nthree,\n"
    reproduce("numbers", output=tmp_path / "b")
    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_shards_add_up(jobs: list[Counting], tmp_path: Path) -> None:
    first = reproduce("numbers", output=tmp_path / "shared", shard=(1, 2))
    assert first.missing == ("two",) and not first.data and not first.figures
    second = reproduce("numbers", output=tmp_path / "shared", shard=(2, 2))
    assert not second.missing and [len(job.calls) for job in jobs] == [1, 1, 1]
    reproduce("numbers", output=tmp_path / "whole")
    assert _files(tmp_path / "shared") == _files(tmp_path / "whole")


def test_a_folder_with_something_else_is_refused(jobs: list[Counting], tmp_path: Path) -> None:
    reproduce("numbers", output=tmp_path)
    before = _files(tmp_path)
    jobs[0].value = 5.0
    with pytest.raises(ValueError, match=r"^output=.*holds another 'numbers'"):
        reproduce("numbers", output=tmp_path)
    (tmp_path / "numbers.json").write_text("{")
    with pytest.raises(ValueError, match=r"^output=.*cannot be read"):
        reproduce("numbers", output=tmp_path)
    assert {**_files(tmp_path), "numbers.json": before["numbers.json"]} == before


def test_a_job_whose_tables_cannot_be_written_leaves_nothing(
    jobs: list[Counting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, table: pd.DataFrame) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr("scaledetect.reproduce.folder.write_table", broken)
        with pytest.raises(OSError, match="disk full"):
            reproduce("numbers", output=tmp_path)
    assert list((tmp_path / "jobs").iterdir()) == []
    assert not reproduce("numbers", output=tmp_path).missing


@pytest.mark.parametrize(
    ("options", "message"),
    [({"size": "huge"}, "^size="), ({"shard": (0, 2)}, "^shard="), ({"shard": (3, 2)}, "^shard=")],
)
def test_bad_arguments_are_named(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        reproduce("examples", output=tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_an_unknown_name_lists_the_close_ones(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="did you mean depth-1d"):
        reproduce("depth_1d", output=tmp_path)
    assert set(names()) == {
        "examples",
        "depth-1d",
        "deep-nets",
        "layers-2d",
        "images-error",
        "images-layers",
        "filters",
    }


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("size", ["laptop", "paper"])
def test_the_jobs_of_every_figure_can_be_described(name: str, size: Size) -> None:
    from scaledetect.reproduce.run import study

    made = study(name).jobs(size)
    assert len({job.name for job in made}) == len(made) > 0
    assert all(job.describe() for job in made)


# ---------------------------------------------------------------------- examples


def test_examples_are_the_first_rows_of_the_cards(tmp_path: Path) -> None:
    done = reproduce("examples", output=tmp_path)
    pixels = read_table(done.data[0])
    assert set(pixels["card"]) == {"distance-2d-L28-xi14-gap2-open", "block-2d-L28-xi14"}
    for card, rows in pixels.groupby("card"):
        X, y = sd.sample_images(sd.load_task(str(card)), 6)
        for row in range(6):
            image = rows[rows["row"] == row]
            active = {(int(a), int(b)) for a, b in zip(image["y"], image["x"], strict=True)}
            assert active == {tuple(site) for site in np.argwhere(X[row, 0] > 0).tolist()}
            assert set(image["class"]) == {"near" if y[row] > 0 else "far"}
    assert all(path.stat().st_size > 5000 for path in done.figures)


# ---------------------------------------------------------------------- trained nets, tiny

BLOCK = sd.Task(dim=1, size=32, xi=8, labelling="block")
JOBS = (
    PoolingJob("block-F2-s2", BLOCK, 2, 2, depth=3, width=6, n_train=40, seeds=2, n_test=20, draws=200, max_epochs=4),
    PoolingJob("noisy-F3-s1", replace(BLOCK, background_noise=0.3), 3, 1, depth=3, width=4, n_train=20, seeds=2,
               n_test=20, draws=200, max_epochs=2),
)  # fmt: skip


class StopHereError(Exception):
    """What ends a run in the middle."""


def test_a_broken_off_training_goes_on_and_the_tables_are_those_of_the_public_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scaledetect.reproduce.run.study", lambda name: replace(DEPTH, jobs=lambda size: JOBS))

    def stop(text: str, done: int, total: int) -> None:
        if "measuring seed 1" in text:
            raise StopHereError

    with pytest.raises(StopHereError):
        reproduce("depth-1d", output=tmp_path / "a", on_step=stop)
    stored = tmp_path / "a" / "runs" / "block-F2-s2" / "seed-0.pt"
    written = stored.stat().st_mtime_ns
    done = reproduce("depth-1d", output=tmp_path / "a")
    # What was trained was not trained again.
    assert stored.stat().st_mtime_ns == written
    assert {path.name for path in done.data} == {
        f"depth-1d-{t}.csv" for t in ("curves", "filters", "training", "exploratory")
    }
    curves = read_table(done.data[0])

    member = sd.load_member(stored)
    measured = {
        channels: sd.sensitivities(
            member.net, BLOCK, 200, noise=sd.Noise(mode="rectified_noise"), channel_mean=channels == "mean",
            seed=factor_seed(0, "measure"),
        )
        for channels in ("each", "mean")
    }  # fmt: skip
    for channels, s in measured.items():
        rows = curves[
            (curves["job"] == "block-F2-s2") & (curves["curve"] == "trained") & (curves["seed"] == 0)
            & (curves["channels"] == channels) & (curves["noise"] == "rectified_noise")
        ]  # fmt: skip
        for name in ("D", "G", "R", "D_stderr", "G_stderr", "R_stderr"):
            np.testing.assert_allclose(rows[name], getattr(s, name), rtol=2e-5)
        assert rows["A"].tolist() == [2, 4, 8]
    exact = sd.theory.sensitivities(BLOCK, depth=3, noise=sd.Noise(mode="signed"))
    rows = curves[(curves["curve"] == "constant filters") & (curves["noise"] == "signed")]
    np.testing.assert_allclose(rows["D"], exact.D, rtol=1e-5, atol=1e-12)
    # Background noise has no theory, and says so by leaving it out.
    assert set(curves[curves["job"] == "noisy-F3-s1"]["curve"]) == {"initial", "trained", "shuffled"}
    assert set(read_table(done.data[0])["noise"]) == {"signed", "rectified_noise", "rectified_input"}
    filters = read_table(tmp_path / "a" / "depth-1d-filters.csv")
    own = filters[(filters["job"] == "block-F2-s2") & (filters["curve"] == "trained") & (filters["seed"] == 0)]
    np.testing.assert_allclose(own["constant"], sd.probes.filter_spectrum(member.net).constant, rtol=2e-5)


# ---------------------------------------------------------------------- command line


def test_the_command_writes_into_the_folder_and_names_the_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["reproduce", "examples", "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert result.output.split() == [str(path) for path in _outputs(tmp_path / "out")]


def _outputs(folder: Path) -> list[Path]:
    return [folder / name for name in ("examples-pixels.csv", "examples.png", "examples.svg")]


@pytest.mark.parametrize("options", [["--shard", "2"], ["--shard", "3/2"], ["--size", "huge"]])
def test_the_command_refuses_in_one_line(options: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["reproduce", "examples", "--output", str(tmp_path), *options])
    assert result.exit_code == 2
    assert f"{options[0][2:]}=" in result.output and result.output.count("\n") == 1
