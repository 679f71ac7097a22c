"""The command line: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import run

import scaledetect as sd
from scaledetect._base.files import check_writable, plain, replacing, write_json
from scaledetect._base.tables import with_error

CARD = "distance-1d-L64-xi16"
SMALL = ["--filter-size", "2", "--stride", "2", "--depth", "3"]


# ---------------------------------------------------------------------- commands


def test_version() -> None:
    assert run("--version").stdout == f"scaledetect {sd.__version__}\n"


def test_module_is_the_command() -> None:
    command = [sys.executable, "-m", "scaledetect", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"scaledetect {sd.__version__}\n"


def test_tasks() -> None:
    lines = run("tasks").stdout.splitlines()
    assert [line.split()[0] for line in lines] == sd.list_tasks()
    rows = json.loads(run("tasks", "--json").stdout)
    assert {row["name"]: row["digest"] for row in rows} == {name: sd.load_card(name).digest for name in sd.list_tasks()}


def test_tasks_verify() -> None:
    rows = json.loads(run("tasks", "--verify", "--json").stdout)
    assert all(row["verified"] for row in rows)
    assert run("tasks", "--verify").stdout.count("verified") == len(rows)


def test_tasks_verify_finds_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaledetect.task.cards.DIGEST_LENGTH", 999)
    assert "DIFFERS" in run("tasks", "--verify", code=1).stdout


def test_tasks_update(root: Path, tmp_path: Path) -> None:
    card = sd.load_card(CARD)
    path = tmp_path / f"{CARD}.toml"
    text = (root / "tasks" / path.name).read_text()
    path.write_text(text.replace(card.digest, "0" * 64))
    assert card.digest in run("tasks", "--update", tmp_path).stdout
    assert path.read_text() == text
    assert run("tasks", "--update", tmp_path).stdout == ""


def test_info() -> None:
    numbers = json.loads(run("info", CARD, "--json").stdout)
    task = sd.load_task(CARD)
    assert (numbers["n_near"], numbers["n_far"]) == (task.n_near, task.n_far)
    assert numbers["sigma"] == sd.theory.ensemble_sigma(task)
    assert str(task.n_near) in run("info", CARD).stdout


def test_info_names_budgets() -> None:
    assert "n_train" in run("info", "block-1d-L512-xi128").stdout


@pytest.mark.parametrize("split", [None, "test"])
def test_sample(tmp_path: Path, split: str | None) -> None:
    path = tmp_path / "data.npz"
    choice = ["--split", split] if split else []
    run("sample", CARD, "--n", "10", "--seed", "3", "--start", "2", "--images", "--output", path, *choice)
    task = sd.load_task(CARD)
    with np.load(path, allow_pickle=False) as data:
        pairs, y = sd.sample_pairs(task, 10, seed=3, split=split, start=2)  # type: ignore[arg-type]
        np.testing.assert_array_equal(data["pairs"], pairs)
        np.testing.assert_array_equal(data["y"], y)
        np.testing.assert_array_equal(data["X"], sd.render_pairs(pairs, task))
        metadata = json.loads(str(data["metadata"]))
    assert sd.Task(**metadata["task"]) == task
    assert (metadata["seed"], metadata["start"], metadata["split"]) == (3, 2, split)


def test_sample_picture(tmp_path: Path) -> None:
    run("sample", "distance-2d-L16-xi5-gap1-open", "--picture", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_theory() -> None:
    found = json.loads(run("theory", CARD, *SMALL, "--noise", "rectified_noise", "--json").stdout)
    exact = sd.theory.sensitivities(sd.load_task(CARD), depth=3, noise=sd.Noise("rectified_noise"))
    assert found["F=2 s=2"]["G"] == exact.G.tolist()
    table = run("theory", CARD).stdout
    assert all(net.label in table for net in sd.load_card(CARD).nets)


def test_theory_with_one_number_per_layer() -> None:
    found = json.loads(run("theory", CARD, "--filter-size", "3,2", "--stride", "1,2", "--depth", "2", "--json").stdout)
    assert list(found) == ["F=3,2 s=1,2"]


def test_theory_of_random_nets() -> None:
    options = ("--net", "pooling", "--gain", "paper", "--n", "200", "--seed", "4")
    found = json.loads(run("theory", CARD, *SMALL, *options, "--json").stdout)
    t = sd.theory.at_initialisation(sd.load_task(CARD), depth=3, gain="paper", n=200, seed=4)
    assert found["F=2 s=2"]["G"] == t.G.tolist()
    assert "at initialisation" in run("theory", CARD, *SMALL, *options).stdout


def test_measure() -> None:
    arguments = ("measure", "--task", CARD, *SMALL, "--n", "1000", "--seed", "5")
    found = json.loads(run(*arguments, "--json").stdout)["F=2 s=2"]
    net = sd.nets.ConstantFilterNet(1, 2, 2, 3)
    s = sd.sensitivities(net, sd.load_task(CARD), 1000, seed=5)
    assert found["D"] == s.D.tolist()
    assert found["D_stderr"] == s.D_stderr.tolist()
    assert with_error(s.D[0], s.D_stderr[0]) in run(*arguments).stdout


def test_compare(tmp_path: Path) -> None:
    card = "block-1d-L64-xi16"
    modes = ("--noise", "signed", "--noise", "rectified_input")
    table = run("compare", card, "--n", "1000", "--output", tmp_path / "out", *modes).stdout
    assert "* D or G was not 0 in fewer than 400 draws" in table
    names = {path.name for path in (tmp_path / "out").iterdir()}
    figures = {
        f"{name}.{ending}"
        for name in (f"{card}-signed", f"{card}-rectified_input", "overview")
        for ending in ("png", "svg")
    }
    assert names == {*figures, "compare.json"}
    # The share that Student's t expects within two standard errors, with 49 degrees of freedom.
    assert "95%" in table
    assert "joint p" in table
    stored = json.loads((tmp_path / "out" / "compare.json").read_text())
    nets = sd.load_card(card).nets
    assert len(stored["comparisons"]) == 2 * len(nets)
    first = stored["comparisons"][0]
    exact = sd.theory.sensitivities(sd.load_task(card), **nets[0].model_dump())
    assert first["theory"]["D"] == exact.D.tolist()
    assert first["z"]["G"][0] == pytest.approx(
        (first["measured"]["G"][0] - exact.G[0]) / first["measured"]["G_stderr"][0]
    )
    assert stored["versions"]["scaledetect"] == sd.__version__


def test_compare_as_json() -> None:
    found = json.loads(run("compare", "block-2d-L16-xi4", "--n", "1000", "--json").stdout)
    assert [one["net"]["filter_size"] for one in found] == [2, 3, 3]


def test_doctor() -> None:
    report = json.loads(run("doctor", "--json").stdout)
    assert report["stream"] == "verified"
    assert report["scaledetect"] == sd.__version__
    assert "kernel_cache" in run("doctor").stdout


def test_show_versions(capsys: pytest.CaptureFixture[str]) -> None:
    sd.show_versions()
    assert capsys.readouterr().out.startswith(f"scaledetect   {sd.__version__}\n")


# ---------------------------------------------------------------------- refusals

REFUSED = [
    (["info", "distance-1d-L64-xi1"], "unknown card 'distance-1d-L64-xi1': did you mean distance-1d-L64-xi16"),
    (["info", "nowhere/card.toml"], "card='nowhere/card.toml': cannot be read"),
    (["sample", CARD], "output=None: nothing to write"),
    (["sample", CARD, "--output", "x.csv"], "must end in .npz"),
    (["sample", CARD, "--output", "nowhere/x.npz"], "output='nowhere/x.npz': cannot be written"),
    (["sample", CARD, "--picture", "x.what"], "must end in one of"),
    (["sample", CARD, "--output", "x.npz", "--n", "100000"], "1920"),
    (["sample", CARD, "--output", "x.npz", "--n", "-1"], "n=-1"),
    (["sample", CARD, "--output", "x.npz", "--seed", "-1"], "seed=-1"),
    (["sample", CARD, "--output", "x.npz", "--split", "dev"], "split='dev'"),
    (["theory", CARD, "--noise", "loud"], "mode='loud'"),
    (["theory", CARD, "--net", "none"], "net='none'"),
    (["theory", CARD, "--gain", "paper"], "gain='paper': means nothing to constant filters"),
    (["theory", CARD, "--net", "pooling", "--channel-mean"], "width=None"),
    (["theory", CARD, "--filter-size", "two"], "filter_size='two'"),
    (["theory", CARD, "--filter-size", "3,3", "--depth", "3"], "filter_size=(3, 3)"),
    (["measure", "--task", CARD, "--sigma", "-1"], "sigma=-1.0"),
    (["measure", "--task", CARD, "--n", "7"], "n=7"),
    (["compare", CARD, "--n", "1000", "--output", "taken"], "output='taken': cannot be made"),
    (["compare", CARD, "--n", "7"], "n=7"),
    (["tasks", "--update", "nowhere"], "holds no card"),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_refused_in_one_line(arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").touch()
    result = run(*arguments, code=2)
    assert result.stdout == ""
    assert result.stderr.startswith("scaledetect: ") and result.stderr.count("\n") == 1
    assert says in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_usage_error() -> None:
    assert "No such command" in run("taks", code=2).stderr


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        int(name)

    monkeypatch.setattr("scaledetect.task.cards.load_card", broken)
    with pytest.raises(ValueError, match="invalid literal"):
        run("info", CARD)


# ---------------------------------------------------------------------- pieces


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.53922, 0.00041, "0.53922(41)"),
        (0.5, 0.00996, "0.500(10)"),
        (0.5, 0.01, "0.500(10)"),
        (12.345, 0.5, "12.35(50)"),
        (123.4, 1.5, "123.4(1.5)"),
        (12345.0, 25.0, "12345(25)"),
        (1.872e-15, 0.025e-15, "1.872(25)e-15"),
        (-0.02, 0.003, "-0.0200(30)"),
        (0.000714, 0.000027, "0.000714(27)"),
        (4.69e-7, 0.35e-7, "4.69(35)e-07"),
        (0.25, 0.0, "0.25"),
        (math.nan, 0.1, "-"),
        (0.1, math.nan, "-"),
    ],
)
def test_with_error(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text


def test_replacing_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": math.nan, "y": np.arange(2)})
    assert json.loads(path.read_text()) == {"x": None, "y": [0, 1]}
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"x": None, "y": [0, 1]}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_check_writable_leaves_nothing(tmp_path: Path) -> None:
    assert check_writable(tmp_path / "a") == tmp_path / "a"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="is a folder"):
        check_writable(tmp_path)


def test_plain() -> None:
    assert plain({1: (np.float32(0.5), math.inf, np.array([True]))}) == {"1": [0.5, None, [True]]}


def test_nets_entries_and_figures_are_listed() -> None:
    listed = json.loads(run("nets", "--json").stdout)
    assert {"name": "fc2", "options": ["in_channels", "n_classes", "width", "seed"]}.items() <= listed[3].items()
    assert "quick, full" in run("entries").stdout
    assert "fig7" in run("reproduce", "--list").stdout
    assert "unknown figure" in run("reproduce", "fig99", code=2).stderr


def test_sample_looks_at_the_card_and_n_before_the_files(tmp_path: Path) -> None:
    assert "unknown card" in run("sample", "nosuch", code=2).stderr
    assert "n=99999" in run("sample", CARD, "--n", "99999", code=2).stderr
    assert "nothing to write" in run("sample", CARD, code=2).stderr
    # A population of 960 has no 1000 images: all are taken.
    assert "960 samples" in run("sample", "block-1d-L64-xi16", "--output", tmp_path / "all.npz").stdout


@pytest.mark.parametrize("setting", [{"PYTHONIOENCODING": "cp1252"}, {"NO_COLOR": "1"}, {"COLUMNS": "60"}])
def test_output_survives_any_terminal(setting: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "scaledetect", "reproduce", "--list"]
    done = subprocess.run(command, capture_output=True, check=True)
    text = done.stdout.decode("cp1252" if "PYTHONIOENCODING" in setting else "utf-8")
    assert "\x1b" not in text
    if "COLUMNS" in setting:
        assert max(map(len, text.splitlines())) <= 60
