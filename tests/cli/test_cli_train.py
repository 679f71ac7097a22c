"""``scaledetect train``: options, what it keeps, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.command_line import run

import scaledetect as sd

CARD = "block-1d-L64-xi16"
SHORT = ("--max-epochs", "2", "--n-train", "24", "--n-test", "24")
QUICK = ("--width", "4", *SHORT)


def test_json_has_what_the_function_returns() -> None:
    found = json.loads(run("train", CARD, *QUICK, "--seeds", "3,5-6", "--ridge", "0.01", "--json").stdout)
    net = sd.nets.PoolingNet(1, 2, 2, 5, width=4)  # the first reference net of the card
    config = sd.TrainConfig(max_epochs=2, ridge=0.01)
    members = sd.train(sd.load_task(CARD), net, n_train=24, n_test=24, seeds=(3, 5, 6), config=config)
    assert [row["seed"] for row in found["members"]] == [3, 5, 6]
    for row, member in zip(found["members"], members, strict=True):
        assert all(row[name] == getattr(member, name) for name in row)
    assert (found["n_train"], found["n_validation"], found["n_test"]) == (24, 0, 24)
    assert found["net"]["options"]["filter_size"] == [2] * 5


def test_table_and_folder_and_measure(tmp_path: Path) -> None:
    shown = run("train", CARD, *QUICK, "--track", "0,1", "--output", tmp_path / "run").stdout
    assert "max_epochs" in shown and "D, G and R during training" in shown and "epoch 1" in shown
    weights = tmp_path / "run" / "seed-0.pt"
    found = json.loads(run("measure", weights, "--task", CARD, "--n", "200", "--json").stdout)
    member = sd.load_member(weights)
    expected = sd.sensitivities(member.net, sd.load_task(CARD), 200, seed=0)
    assert found[str(weights)]["D"] == expected.D.tolist()
    refused = run("measure", weights, "--task", CARD, "--architecture", "pooling", code=2)
    assert "brings along" in refused.stderr


def test_budgets_of_a_score_card_are_the_default() -> None:
    found = json.loads(
        run("train", "block-2d-L16-xi8", "--width", "2", "--depth", "2", "--max-epochs", "1", "--json").stdout
    )
    budgets = sd.load_card("block-2d-L16-xi8").budgets
    assert budgets is not None
    assert found["n_train"] == budgets.n_train[-1] and found["n_test"] == budgets.n_test
    assert found["net"]["options"]["dim"] == 2


def test_images_in_place_of_a_card(tmp_path: Path) -> None:
    options = ("--net", "lenet", "--width", "0.5", "--n-train", "32", "--n-test", "20", "--max-epochs", "1")
    more = ("--batch-size", "16", "--noise-norm", "2", "--noise", "fixed", "--flip", "no", "--lr", "0.02")
    found = json.loads(run("train", "--images", "digits", *options, *more, "--json").stdout)
    config = sd.ImageTrainConfig(epochs=1, batch_size=16, noise_norm=2, noise="fixed", flip=False, lr=0.02)
    spec = sd.nets.NetSpec("lenet", {"in_channels": 1, "n_classes": 10, "width": 0.5})
    (member,) = sd.train(sd.images.load("digits"), spec, n_train=32, n_test=20, config=config)
    assert found["members"][0]["test_error"] == member.test_error
    assert found["net"]["options"] == dict(spec.options)
    shown = run("train", "--images", "digits", *options, "--output", tmp_path).stdout
    weights, figure = tmp_path / "seed-0.pt", tmp_path / "report.png"
    report = run("measure", weights, "--images", "digits", "--probes", "--n", "50", "--output", figure, "--json").stdout
    rows = json.loads(report)
    assert [row["curve"] for row in rows] == [c for c in ("initial", "trained", "shuffled") for _ in range(5)]
    expected = sd.image_sensitivities(
        sd.load_member(weights).net, sd.images.load("digits").test_images[:50], noise=sd.Noise(match="sample")
    )
    assert [row["D"] for row in rows[5:10]] == expected.D.tolist()
    assert figure.stat().st_size > 10_000
    assert "digits: lenet, 32 training and 20 test images" in shown and "--images digits" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--net", "lenet", "--ridge", "0.1"], "ridge=0.1: goes with a card only"),
        (["--net", "lenet", "--track", "0"], "track='0': goes with a card only"),
        (["--net", "pooling"], "net='pooling': is a net for cards"),
        (["--net", "lenet", "--width", "-1"], "width=-1.0"),
        (["--net", "lenet", "--root", "/nowhere"], "root='/nowhere'"),
        (["--net", "lenet", "--keep", "first"], "keep='first'"),
        ([CARD], "exactly one of CARD and --images"),
    ],
)
def test_refuses_on_images_in_one_line(arguments: list[str], says: str) -> None:
    result = run("train", "--images", "digits", *arguments, code=2)
    assert result.stderr.startswith("scaledetect: ") and result.stderr.count("\n") == 1, result.stderr
    assert says in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--crop", "3"], "crop=3: goes with --images only"),
        (["--n-train", "100000"], "n_train=100000"),
        (["--n-train", "480", "--n-validation", "400"], "n_validation=400"),
        (["--filter-size", "65"], "filter_size=65"),
        (["--filter-size", "2", "--stride", "2", "--depth", "9"], "stride="),
        (["--net", "poling"], "did you mean pooling"),
        (["--net", "constant_filter"], "nothing to train"),
        (["--net", "lenet"], "two dimensions"),
        (["--net", "lenet", "--width", "3"], "width=3"),
        (["--seeds", "zero"], "seeds='zero'"),
        (["--seeds", "5-3"], "seeds='5-3'"),
        (["--lr", "-1"], "lr=-1.0"),
        (["--output", "/dev/null/run"], "output='/dev/null/run'"),
        (["--device", "nowhere"], "device='nowhere'"),
    ],
)
def test_refuses_in_one_line(arguments: list[str], says: str) -> None:
    result = run("train", CARD, *SHORT, *arguments, code=2)
    assert result.stdout == ""
    assert result.stderr.startswith("scaledetect: ") and result.stderr.count("\n") == 1, result.stderr
    assert says in result.stderr
