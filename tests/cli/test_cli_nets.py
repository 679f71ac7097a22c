"""Nets on the command line: found by name, in code or as weights; measured, and checked before."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from helpers.command_line import run

import scaledetect as sd
from scaledetect.images.datasets import load

CARD = "distance-1d-L64-xi16"

CODE = """
import torch
from torch import nn
import torch.nn.functional as F


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(1, 3, 4, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(93, 2))


instance = build()
number = 3


def needs(width):
    return build()


def returns_nothing():
    pass


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(F.silu(self.first(x)))


def flat(x):
    return x.flatten(1)


def breaks():
    raise RuntimeError("no such luck")


class Of(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.layer, self.function = nn.Flatten(), function

    def forward(self, x):
        return self.function(self.layer(x))


def nan():
    return Of(lambda x: x / 0 * 0)


def random():
    return Of(lambda x: F.dropout(x, 0.5))


def mixes():
    return Of(lambda x: x - x.mean(0))


def constant():
    return Of(lambda x: torch.ones_like(x))


def wide():
    return nn.Linear(7, 2)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with code, the current one; what the import leaves behind goes with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_nets", raising=False)
    (tmp_path / "own_nets.py").write_text(CODE)
    return tmp_path


# ---------------------------------------------------------------------- measure


def measured(*arguments: str | Path) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = json.loads(run("measure", *arguments, "--json").stdout)
    return found


def own_net() -> torch.nn.Module:
    names: dict[str, torch.nn.Module] = {}
    exec(CODE, names)
    return names["instance"]


@pytest.mark.parametrize("net", ["own_nets:build", "own_nets:instance"])
def test_measure_code(net: str) -> None:
    found = measured(net, "--task", CARD, "--n", "200", "--seed", "5")[net]
    s = sd.sensitivities(own_net(), sd.load_task(CARD), 200, seed=5)
    assert found["D"] == s.D.tolist()


def test_measure_averages_channels() -> None:
    found = measured("own_nets:build", "--task", CARD, "--n", "200", "--seed", "5", "--channel-mean")
    s = sd.sensitivities(own_net(), sd.load_task(CARD), 200, seed=5, channel_mean=True)
    assert found["own_nets:build"]["D"] == s.D.tolist()


@pytest.mark.parametrize("prepare", ["flatten", "own_nets:flat"])
def test_measure_prepares_images_and_chooses_layers(prepare: str) -> None:
    options = ("own_nets:Wide", "--task", CARD, "--n", "100", "--prepare", prepare)
    assert run("measure", *options).stdout.count("silu") == 1
    assert len(measured(*options, "--layers", "silu,output")["own_nets:Wide"]["D"]) == 2
    assert "silu" not in run("measure", *options, "--layers", "blocks").stdout


def test_measure_constant_filter_by_name() -> None:
    found = measured("constant_filter", "--task", CARD, "--depth", "2", "--n", "200")
    assert list(found) == ["F=2 s=2"]
    assert len(found["F=2 s=2"]["D"]) == 2
    with pytest.warns(RuntimeWarning, match="layer6"):  # one site is left there
        assert len(measured("constant_filter", "--task", CARD, "--n", "200")["F=2 s=2"]["D"]) == 6


def test_measure_weights(folder: Path) -> None:
    net = own_net()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(-1)
    torch.save(net.state_dict(), folder / "w.pt")
    found = measured("w.pt", "--architecture", "own_nets:build", "--task", CARD, "--n", "200", "--seed", "5")["w.pt"]
    assert found["G"] == sd.sensitivities(net, sd.load_task(CARD), 200, seed=5).G.tolist()


def test_measure_images(folder: Path) -> None:
    deformation = ("--delta", "1.5", "--cutoff", "4")
    found = measured("fc2", "--images", "digits", "--n", "60", *deformation, "--output", "s.npz")["fc2"]
    net = sd.nets.get("fc2", in_channels=1, n_classes=10)
    s = sd.image_sensitivities(net, load("digits").test_images[:60], delta=1.5, cutoff=4)
    assert found["D"] == s.D.tolist()
    assert sd.Sensitivities.load(folder / "s.npz").G.tolist() == s.G.tolist()


NEITHER = "give exactly one of --task CARD and --images NAME"
REFUSED = [
    ([], NEITHER),
    (["fc2", "--task", CARD, "--images", "digits"], NEITHER),
    (["--images", "digits"], "a data set has no nets of its own"),
    (["vgg1", "--task", CARD], "unknown net 'vgg1': did you mean vgg1"),
    (["fc2", "--task", CARD, "--n", "200"], "does not take images"),
    (["fc2", "--task", CARD, "--depth", "2"], "--filter-size, --stride, --depth go with constant_filter"),
    (["fc2", "--images", "digits", "--n", "9999"], "'digits' has 355 test images"),
    (["fc2", "--images", "digit"], "unknown data set 'digit': did you mean digits"),
    (["--task", CARD, "--delta", "1"], "delta=1.0: goes with --images only"),
    (
        ["own_nets:Wide", "--task", CARD, "--prepare", "flip"],
        "prepare='flip': is none of flatten, squeeze, tokens, rgb",
    ),
    (["own_nets:Wide", "--task", CARD, "--prepare", "own_nets:number"], "must be a function from a batch of images"),
    (["--task", CARD, "--output", "s.npz"], "takes one measurement; name one net"),
    (["own_nets:build", "--task", CARD, "--output", "s.csv"], "must end in .npz or .json"),
    (["own_nets:build", "--task", CARD, "--output", "nowhere/s.npz"], "cannot be written"),
    (["own_nets:no", "--task", CARD], "own_nets has no 'no'"),
    (["no_nets:no", "--task", CARD], "there is no module 'no_nets'"),
    (["own_nets:needs", "--task", CARD], "missing a required argument: 'width'"),
    (["own_nets:number", "--task", CARD], "is of type int"),
    (["own_nets:returns_nothing", "--task", CARD], "returns NoneType"),
    (["own_nets:build", "--task", CARD, "--architecture", "fc2"], "goes with a file of weights"),
    (["--task", CARD, "--architecture", "fc2"], "goes with a file of weights"),
    (["w.pt", "--task", CARD], "name theirs with --architecture"),
    (["none.pt", "--task", CARD, "--architecture", "own_nets:build"], "cannot be read (No such file or directory)"),
    (["text.pt", "--task", CARD, "--architecture", "own_nets:build"], "holds more or other than a state dict"),
    (["whole.pt", "--task", CARD, "--architecture", "own_nets:build"], "holds more or other than a state dict"),
    (["list.pt", "--task", CARD, "--architecture", "own_nets:build"], "is no state dict"),
    (["w.pt", "--task", CARD, "--architecture", "own_nets:build"], "it lacks 0.bias, 3.weight, 3.bias; has beside x"),
]


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_measure_refuses_in_one_line(arguments: list[str], says: str, folder: Path) -> None:
    torch.save({"0.weight": torch.zeros(3, 1, 4), "x": torch.zeros(1)}, folder / "w.pt")
    torch.save(torch.nn.Linear(2, 2), folder / "whole.pt")
    torch.save([1, 2], folder / "list.pt")
    (folder / "text.pt").write_text("hello")
    result = run("measure", *arguments, code=2)
    assert result.stdout == ""
    assert result.stderr.startswith("scaledetect: ") and result.stderr.count("\n") == 1, result.stderr
    assert says in result.stderr


def test_measure_says_that_images_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(name: str, root: str | None = None) -> None:
        raise ConnectionError(f"{name} is\nnot here")

    monkeypatch.setattr("scaledetect.images.datasets.load", unreachable)
    result = run("measure", "fc2", "--images", "cifar10", code=2)
    assert result.stderr == "scaledetect: images='cifar10': cifar10 is not here\n"


# ---------------------------------------------------------------------- check


def test_check_passes() -> None:
    steps = json.loads(run("check", "own_nets:build", CARD, "--json").stdout)
    assert [step["name"] for step in steps] == [
        "import", "build", "run", "finite", "deterministic", "rows", "sensitivities",
    ]  # fmt: skip
    assert all(step["ok"] for step in steps)
    assert "images (4, 1, 64) give (4, 2)" in run("check", "own_nets:build", CARD).stdout


@pytest.mark.parametrize(
    ("net", "step", "says"),
    [
        ("no_nets:build", "import", "there is no module 'no_nets'"),
        ("own_nets:no", "import", "has no 'no'"),
        ("own_nets:breaks", "build", "RuntimeError: no such luck (own_nets.py, line "),
        ("own_nets:needs", "build", "missing a required argument: 'width'"),
        ("own_nets:wide", "run", "does not take images of shape (4, 1, 64)"),
        ("own_nets:nan", "finite", "NaN or infinite numbers in output"),
        ("own_nets:random", "deterministic", "other numbers the second time in output"),
        ("own_nets:mixes", "rows", "depends on the other images of its batch in output"),
        ("own_nets:constant", "sensitivities", "D and G are undefined in output"),
    ],
)
def test_check_says_what_is_wrong(net: str, step: str, says: str) -> None:
    result = run("check", net, CARD, code=1)
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert failed[0].split()[1] == step and says in failed[0], result.stdout
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [("own_nets", CARD), ("own_nets:build", "no-card")])
def test_check_refuses_in_one_line(arguments: tuple[str, str]) -> None:
    result = run("check", *arguments, code=2)
    assert result.stderr.startswith("scaledetect: ") and result.stderr.count("\n") == 1
