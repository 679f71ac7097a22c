"""What is no number, too large a number, or no task is refused by the package's own error, which names the argument."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.command_line import run

import scaledetect as sd
from scaledetect._base.arguments import (
    LARGEST,
    check_device,
    finite,
    flag,
    fraction,
    integer,
    integers,
    not_negative,
    one_of,
    positive,
    real_array,
    text,
)
from scaledetect._base.checklist import in_words
from scaledetect._base.errors import MissingFileError, RefusalError
from scaledetect.entry import find_entry
from scaledetect.leaderboard.runner import plan_runs
from scaledetect.nets import ConstantFilterNet, NetSpec, PoolingNet
from scaledetect.statistics import decide_direction, decide_prediction, direction_power, hotelling, joint_test
from scaledetect.training import load_member, read_log
from scaledetect.training.find_net import find_net

TASK = sd.Task(size=16, xi=4)
NET = PoolingNet(depth=2, width=2)
HUGE = 10**400
DIGITS = 10**5000
"""An integer that Python refuses to print."""


def nested(depth: int = 3000) -> Any:
    values: Any = [1.0]
    for _ in range(depth):
        values = [values]
    return values


def any_of(value: object) -> Any:
    return value


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


# ---------------------------------------------------------------------- the checks themselves


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: integer("n", 1.0), "n=1.0: must be an integer$"),
        (lambda: integer("n", True), "n=True: must be an integer$"),
        (lambda: integer("n", np.bool_(True)), "n=.*: must be an integer$"),
        (lambda: integer("n", "1", 1), "n='1': must be an integer of at least 1$"),
        (lambda: integer("n", 1.0, 2, 5), "n=1.0: must be an integer from 2 to 5$"),
        (lambda: integer("n", 0, 1), "n=0: must be at least 1$"),
        (lambda: integer("n", 6, 2, 5), "n=6: must be from 2 to 5$"),
        (lambda: integer("n", HUGE, 1), r"n=.*: must be at most 2\^63 - 1$"),
        (lambda: integer("n", -HUGE), r"n=.*: must be at least -9223372036854775807$"),
        (lambda: integer("n", DIGITS), "n=<int>: must be at most"),
        (lambda: integer("n", 2, 3, kind="odd", way_out="add one"), "n=2: must be odd; add one$"),
        (lambda: integers("layers", (1, 2.5), kind="integers"), "layers=2.5: must be integers$"),
        (lambda: integers("layers", "12", kind="integers"), "layers='12': must be integers$"),
        (lambda: integers("layers", 3, kind="integers"), "layers=3: must be integers$"),
        (lambda: integers("seeds", range(10**18), kind="integers"), "seeds=range.*: must be at most 100000 numbers"),
        (lambda: finite("x", HUGE), "x=1000.*: must be finite$"),
        (lambda: finite("x", Fraction(-HUGE, 3)), "x=.*: must be finite$"),
        (lambda: finite("x", math.nan), "x=nan: must be finite$"),
        (lambda: finite("x", True), "x=True: must be a number$"),
        (lambda: positive("x", 0.0), "x=0.0: must be positive and finite$"),
        (lambda: positive("x", DIGITS), "x=<int>: must be positive and finite$"),
        (lambda: not_negative("x", -1e-300), "x=-1e-300: must be finite and not negative$"),
        (lambda: fraction("level", 1.0), "level=1.0: must lie between 0 and 1$"),
        (lambda: fraction("alpha", 0.5, 0.5), "alpha=0.5: must lie between 0 and 1/2$"),
        (lambda: fraction("alpha", 0.0, 0.5), "alpha=0.0: must lie between 0 and 1/2$"),
        (lambda: flag("sparse", 1), "sparse=1: must be True or False$"),
        (lambda: flag("sparse", "no"), "sparse='no': must be True or False$"),
        (lambda: text("name", 5), "name=5: must be a string$"),
        (lambda: one_of("kind", ["a"], ("a", "b")), r"kind=\['a'\]: choose one of 'a', 'b'$"),
        (lambda: one_of("kind", np.array(["a", "b"]), ("a", "b")), "kind=.*: choose one of 'a', 'b'$"),
        (lambda: real_array("values", nested()), "values=<list>: must be an array of real numbers"),
        (lambda: real_array("values", [1.0, HUGE]), "values=.*: must be an array of real numbers"),
        (lambda: real_array("values", [[1.0], [1.0, 2.0]]), "values=.*: must be an array of real numbers"),
        (lambda: real_array("values", ["1.5"]), "values=.*: must be an array of real numbers"),
        (lambda: real_array("values", [1j]), "values=.*: must be an array of real numbers"),
        (lambda: check_device("no-such-device"), "device='no-such-device': cannot be used .*; take \"cpu\"$"),
        (lambda: check_device(any_of(1.5)), "device=1.5: must be a torch.device"),
    ],
)
def test_a_check_says_name_value_and_range(check: Callable[[], object], message: str) -> None:
    with pytest.raises(RefusalError, match="^" + message):
        check()


def test_what_is_right_comes_back_as_pythons_own() -> None:
    assert (integer("n", np.int8(3), 3, 3), type(integer("n", np.int8(3)))) == (3, int)
    assert (integer("n", LARGEST), integer("n", -LARGEST)) == (LARGEST, -LARGEST)
    assert integers("layers", np.array([1, 2]), 1, 2, kind="integers") == (1, 2)
    assert (finite("x", np.float32(0.5)), type(finite("x", Fraction(1, 2)))) == (0.5, float)
    assert (positive("x", 5e-324), not_negative("x", 0), fraction("x", 0.25)) == (5e-324, 0.0, 0.25)
    assert (flag("a", True), flag("a", np.bool_(False))) == (True, False)
    assert real_array("values", [Fraction(1, 2), 2]).tolist() == [0.5, 2.0]
    assert np.isnan(real_array("values", [math.nan])).all()
    assert check_device("cpu").type == "cpu"


# ---------------------------------------------------------------------- public functions


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: sd.load_card(any_of(5)), "name"),
        (lambda: sd.load_task(any_of(None)), "name"),
        (lambda: sd.list_tasks(any_of([])), "kind"),
        (lambda: sd.sample_pairs(any_of("a"), 1), "task"),
        (lambda: sd.sample_images(any_of(None), 1), "task"),
        (lambda: sd.shift_pairs(np.zeros((1, 2, 1), dtype=np.int64), None, task=any_of(1)), "task"),
        (lambda: sd.render_pairs(np.zeros((1, 2, 1), dtype=np.int64), any_of(1)), "task"),
        (lambda: sd.render_pairs(any_of(nested()), TASK), "pairs"),
        (lambda: sd.render_pairs(any_of(5), TASK), "pairs"),
        (lambda: sd.noise_images(any_of(1), 1), "task"),
        (lambda: sd.noise_images(TASK, 2**62), "n"),
        (lambda: sd.sample_images(TASK, 2**62, replace=True), "n"),
        (lambda: sd.sample_pairs(TASK, 1, replace=any_of(1)), "replace"),
        (lambda: sd.sample_images(TASK, 1, dtype=nested()), "dtype"),
        (lambda: sd.ScaleDetectionDataset(any_of("a"), 1), "task"),
        (lambda: sd.make_scale_detection(4, random_state=1.0), "random_state"),
        (lambda: sd.make_scale_detection(4, random_state="x"), "random_state"),
        (lambda: sd.make_scale_detection(4, sparse=any_of(1)), "sparse"),
        (lambda: sd.make_scale_detection(4, periodic=any_of("yes")), "periodic"),
        (lambda: sd.theory.sensitivities(any_of(1)), "task"),
        (lambda: sd.theory.ensemble_sigma(any_of(1)), "task"),
        (lambda: sd.theory.at_initialisation(any_of(1)), "task"),
        (lambda: sd.theory.kernel_learning_curve(any_of(1), "linear", n_train=[4]), "task"),
        (lambda: sd.theory.mean_filter_sensitivities(any_of("task"), [[1, 1]], stride=1), "task"),
        (lambda: sd.theory.mean_filter_sensitivities(TASK, any_of(3), stride=1), "filters"),
        (lambda: sd.theory.mean_filter_sensitivities(TASK, [nested()], stride=1), "filters"),
        (lambda: sd.theory.sensitivities(TASK, depth=2**31), "depth"),
        (lambda: sd.theory.sensitivities(TASK, filter_size=[2, 2**31], depth=2), "filter_size"),
        (lambda: sd.theory.sensitivities(TASK, stride=2**63), "stride"),
        (lambda: sd.theory.sensitivities(TASK, stride=any_of("22"), depth=2), "stride"),
        (lambda: sd.theory.exponents(filter_size=HUGE), "filter_size"),
        (lambda: sd.theory.refinement_matrix(filter_size=2**31, stride=2), "filter_size"),
        (lambda: sd.theory.lattice_sensitivities(depth=2**31), "depth"),
        (lambda: sd.theory.lattice_sensitivities(filter_size=2**31, stride=1), "depth"),
        (lambda: PoolingNet(depth=2**31), "depth"),
        (lambda: PoolingNet(dim=any_of(1.0)), "dim"),
        (lambda: ConstantFilterNet(dim=any_of([])), "dim"),
        (lambda: ConstantFilterNet(dim=3, filter_size=2**20, depth=1), "filter_size"),
        (lambda: ConstantFilterNet(stride=2**63), "stride"),
        (lambda: sd.nets.get(any_of(["lenet"])), "name"),
        (lambda: NetSpec("pooling", any_of(5)), "options"),
        (lambda: find_net(any_of(5)), "net"),
        (lambda: sd.Task(size=HUGE, xi=4), "size"),
        (lambda: sd.Task(size=16, xi=HUGE), "xi"),
        (lambda: sd.Task(size=16, xi=4, amplitude=DIGITS), "amplitude"),
        (lambda: sd.Task(size=16, xi=4, background_noise=HUGE), "background_noise"),
        (lambda: sd.Noise(sigma=HUGE), "sigma"),
        (lambda: sd.TrainConfig(lr=HUGE), "lr"),
        (lambda: sd.TrainConfig(max_epochs=DIGITS), "max_epochs"),
        (lambda: sd.TrainConfig(zero_multiple=HUGE), "zero_multiple"),
        (lambda: sd.TrainConfig(zero_validation=any_of(1)), "zero_validation"),
        (lambda: sd.fit_exponent([1.0, 2.0], [1.0, HUGE]), "values"),
        (lambda: sd.fit_exponent([1.0, 2.0], nested()), "values"),
        (lambda: sd.fit_exponent([1.0, 2.0], [1.0, 2.0], layers=any_of(3)), "layers"),
        (lambda: sd.fit_exponent([1.0, 2.0], [1.0, 2.0], level=HUGE), "level"),
        (lambda: sd.bootstrap_mean([1.0, HUGE]), "values"),
        (lambda: sd.bootstrap_mean([1.0, 2.0], resamples=HUGE), "resamples"),
        (lambda: sd.bootstrap_mean([1.0, 2.0], seed=-1), "seed"),
        (lambda: sd.bootstrap_ratio(["1", "2"], [1.0, 2.0]), "numerator"),
        (lambda: hotelling(nested()), "differences"),
        (lambda: decide_direction(nested(), [1.0]), "numerator"),
        (lambda: direction_power(0.1, 0.1, HUGE), "n_seeds"),
        (lambda: sd.diffeo_temperature_range(HUGE), "size"),
        (lambda: sd.typical_displacement(32, temperature=HUGE), "temperature"),
        (lambda: sd.diffeo(np.zeros((1, 8, 8)), delta=HUGE), "delta"),
        (lambda: sd.diffeo(np.zeros((1, 8, 8)), cutoff=HUGE), "cutoff"),
        (lambda: sd.diffeo_coefficients(2**40, cutoff=100), "n"),
        (lambda: sd.diffeo_coefficients(1, cutoff=2**31), "cutoff"),
        (lambda: sd.displacement_field(np.zeros((2, 2)), 2**31, temperature=0.1), "size"),
        (lambda: sd.Diffeo(delta=DIGITS), "delta"),
        (lambda: sd.images.load(any_of(["digits"])), "name"),
        (lambda: sd.images.load("digits", DIGITS), "size"),
        (lambda: sd.images.load("digits", 2**20), "size"),
        (lambda: sd.train(any_of(1), "pooling", n_train=1), "task"),
        (lambda: sd.train(TASK, NET, n_train=8, seeds=range(10**12)), "seeds"),
        (lambda: sd.train(TASK, NET, n_train=8, track=any_of(5)), "track"),
        (lambda: sd.train(TASK, NET, n_train=8, on_epoch=any_of(5)), "on_epoch"),
        (lambda: sd.sensitivities(ConstantFilterNet(), any_of(1)), "task"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, channel_mean=any_of(1)), "channel_mean"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, keep_sums=any_of(1)), "keep_sums"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, target_stderr=HUGE), "target_stderr"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, device=any_of("nowhere")), "device"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, dtype=any_of(torch.zeros(2))), "dtype"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, layers=any_of(np.array(3))), "layers"),
        (lambda: sd.sensitivities(ConstantFilterNet(), TASK, layers=any_of(range(10**18))), "layers"),
        (lambda: sd.merge(any_of(5)), "parts"),
        (lambda: sd.merge(any_of([1.0])), "parts"),
        (lambda: sd.theory.cluster_profile(NET, TASK, device=any_of("cpu5")), "device"),
        (lambda: sd.probes.coherent_share(NET, TASK, channel_mean=any_of(np.array([1, 2]))), "channel_mean"),
        (lambda: sd.probes.coherent_share(NET, TASK, dtype=any_of("float32")), "dtype"),
        (lambda: sd.probes.effective_receptive_field(NET, TASK, prepare=any_of(1)), "prepare"),
        (lambda: sd.nets.calibrate_batch_norm(any_of(len), np.zeros((4, 1, 8, 8))), "net"),
        (lambda: sd.nets.FullyConnected(depth=2**40), "depth"),
        (lambda: sd.nets.FullyConnected(width=2**62), "width"),
        (lambda: sd.nets.LeNet(in_channels=2**40), "in_channels"),
        (lambda: sd.nets.LeNet(n_classes=2**40), "n_classes"),
        (lambda: sd.Task(size=16, xi=4, amplitude=1e51), "amplitude"),
        (lambda: sd.Task(size=16, xi=4, amplitude=9e-51), "amplitude"),
        (lambda: sd.Task(size=16, xi=4, background_noise=1e51), "background_noise"),
        (lambda: sd.Noise(sigma=1e-51), "sigma"),
        (lambda: sd.Sensitivities.from_arrays(D=[1.0], layers=any_of(int)), "layers"),
        (lambda: sd.Sensitivities.from_arrays(D=[HUGE]), "D"),
        (lambda: sd.deform(np.zeros((1, 8, 8)), any_of({})), "field"),
        (lambda: sd.Diffeo(cutoff=any_of((2, len))), "cutoff"),
        (lambda: sd.Diffeo(delta=any_of((0.5, "1"))), "delta"),
        (lambda: sd.diffeo(np.zeros((1, 8, 8)), temperature=any_of(Unprintable()), delta=1.0), "delta"),
        (lambda: sd.typical_displacement(any_of(None), temperature=0.1), "size"),
        (lambda: sd.sample_pairs(TASK, 1, split=any_of(np.array(["a", "b"]))), "split"),
        (lambda: sd.load_experiment(any_of(["x"])), "name"),
        (lambda: find_entry(any_of({})), "entry"),
        (lambda: sd.diffeo_temperature_range(any_of(None)), "size"),
        (lambda: decide_prediction([0.1, 0.2], tolerance=any_of(torch.zeros(()))), "tolerance"),
        (lambda: joint_test(any_of(5), sd.theory.sensitivities(TASK, depth=2)), "measured"),
        (lambda: sd.net_report(NET, TASK, layers=any_of(2.5)), "layers"),
        (lambda: plan_runs(cards=any_of(5)), "cards"),
        (lambda: plan_runs(entries=any_of("chance")), "entries"),
    ],
)
def test_a_public_function_refuses_by_name(call: Callable[[], object], name: str) -> None:
    with pytest.raises(RefusalError, match=rf"^{name}(\[0\])?="):
        call()


def test_values_at_the_ends_of_the_intensities_are_taken() -> None:
    for value in (1e-50, 1e50):
        task = sd.Task(size=16, xi=4, amplitude=value)
        assert np.isfinite(sd.theory.sensitivities(task, depth=2, noise=sd.Noise(sigma=value)).G).all()


def test_a_net_too_large_for_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", broken)
    with pytest.raises(RefusalError, match=r"take more memory than there is; lower its width"):
        sd.nets.LeNet()


def test_an_output_that_never_changes_has_no_sensitivity_over_the_whole_population() -> None:
    """Its Delta of 0 raised ZeroDivisionError."""
    with pytest.warns(RuntimeWarning, match="constant"):
        found = sd.sensitivities(lambda x: {"f": 0 * x.flatten(1)}, sd.Task(size=8, xi=3), "all")
    assert np.isnan(found.D).all()


# ---------------------------------------------------------------------- paths


@pytest.mark.parametrize("path", ["a\0b.toml", "\ud800.toml", "x" * 300 + ".toml"], ids=["nul", "surrogate", "long"])
def test_a_path_that_the_system_cannot_name_is_refused(path: str) -> None:
    stem = path.removesuffix(".toml")
    calls: list[Callable[[], object]] = [
        lambda: sd.load_card(path), lambda: sd.Sensitivities.load(f"{stem}.npz"),
        lambda: sd.Sensitivities.load(f"{stem}.json"),
        lambda: load_member(f"{stem}.pt"), lambda: read_log(f"{stem}.jsonl"), lambda: find_net(f"{stem}.pt"),
        lambda: sd.theory.sensitivities(TASK, depth=2).save(f"{stem}.npz"),
        lambda: sd.train(TASK, NET, n_train=8, output=stem),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(RefusalError, match=r"(card|path|output|net)='.*(is no path|cannot be)"):
            call()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    read: dict[str, Callable[[str], object]] = {
        "a.toml": sd.load_card, "b.npz": sd.Sensitivities.load, "c.json": sd.Sensitivities.load, "d.pt": load_member,
        "e.jsonl": read_log,
    }  # fmt: skip
    for name, reader in read.items():
        os.mkfifo(tmp_path / name)
        with pytest.raises(RefusalError, match="it is no regular file"):
            reader(str(tmp_path / name))
    with pytest.raises(MissingFileError, match="cannot be read"):
        sd.load_card(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("line", "message"),
    [("size = 1" + "0" * 5000, "not TOML"), ("size = " + "[" * 3000, "not TOML"), ("n = 1" + "0" * 400, "unknown key")],
    ids=["digits", "nested", "huge"],
)
def test_a_card_of_absurd_numbers_is_refused(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(line)
    with pytest.raises(RefusalError, match=message):
        sd.load_card(str(tmp_path / "a.toml"))


@pytest.mark.parametrize(("key", "value"), [("size", HUGE), ("xi", HUGE), ("background_noise", HUGE), ("digest", HUGE)])
def test_a_huge_number_in_a_card_is_refused(key: str, value: int, root: Path, tmp_path: Path) -> None:
    lines = (root / "tasks" / "block-2d-L16-xi8.toml").read_text().splitlines()
    changed = [f"{key} = {value}" if line.split(" =")[0] == key else line for line in lines]
    if changed == lines:
        changed.insert(lines.index("[task]") + 1, f"{key} = {value}")
    (tmp_path / "block-2d-L16-xi8.toml").write_text("\n".join(changed))
    with pytest.raises(RefusalError, match=key):
        sd.load_card(str(tmp_path / "block-2d-L16-xi8.toml"))


# ---------------------------------------------------------------------- command line and records


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["run", "--seeds", "0-99999999999"], "seeds='0-99999999999': must be at most 100000 numbers"),
        (["run", "--n-train", "1" * 5000], "n_train=.*must be numbers or ranges"),
        (["train", "block-2d-L16-xi8", "--seeds", "0-99999999999"], "seeds=.*must be at most 100000 numbers"),
        (["train", "block-2d-L16-xi8", "--track", "5-99999999999"], "track=.*must be at most 100000 numbers"),
    ],
)
def test_a_range_is_counted_before_it_is_made(command: list[str], message: str) -> None:
    result = run(*command, code=2)
    assert result.stderr.count("\n") == 1
    assert re.search(message, result.stderr)


def test_an_error_in_half_a_character_is_said_in_whole_ones() -> None:
    words = in_words(ValueError("bad \ud800 text"))
    assert words.startswith("ValueError: bad \\ud800 text")
    words.encode("utf-8")
