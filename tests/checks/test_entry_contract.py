"""The contract suite passes what keeps the contract, and finds what does not."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import own_entries
from helpers.command_line import run

from scaledetect import Task
from scaledetect.checks.entry import check_entry, main
from scaledetect.leaderboard.entries.base import Entry, entry_class, entry_names, find_entry, is_entry

STEPS = ["configuration", "fit", "labels", "rows", "images", "repeatable", "global state", "score"]

BROKEN: list[tuple[type[Entry], str, str]] = [
    (own_entries.NoVersion, "declaration", "NoVersion.version=None: must be of type int"),
    (own_entries.VersionZero, "declaration", "VersionZero.version=0: must be at least 1"),
    (own_entries.BadName, "declaration", "BadName.name='../escape': must be up to 50 of a-z"),
    (own_entries.UnknownBudget, "declaration", "UnknownBudget.budget='huge': choose one of 'quick', 'full'"),
    (own_entries.Unfinished, "declaration", "does not define configuration, predict"),  # type: ignore[type-abstract]
    (own_entries.NeedsArguments, "declaration", "missing 1 required positional argument: 'width'"),
    (own_entries.NotPickled, "pickle", "pickle"),
    (own_entries.NowhereAtHome, "applies", "applies to none of the tasks"),
    (own_entries.AppliesByNone, "1-D applies", "applies returns None"),
    (own_entries.PlainlyNot, "1-D configuration", "no plain data"),
    (own_entries.TupleInside, "1-D configuration", "does not come back from JSON"),
    (own_entries.NotANumber, "1-D configuration", "no plain data"),
    (own_entries.Unstable, "1-D configuration", "another one when asked again"),
    (own_entries.Raises, "1-D fit", "RuntimeError: no such luck"),
    (own_entries.Peeks, "1-D fit", "asks for 64 test rows"),
    (own_entries.PeeksLater, "1-D score", "the entry asked for 64 test rows"),
    (own_entries.WrongShape, "1-D labels", "an array of shape (64,)"),
    (own_entries.ZeroAndOne, "1-D labels", "predict=0: must return labels -1 and +1 only"),
    (own_entries.Nan, "1-D labels", "1 of 64 labels are not finite"),
    (own_entries.Words, "1-D labels", "must return an array of int8"),
    (own_entries.Int64, "1-D labels", "predict returns int64: it must be int8"),
    (own_entries.ByBatch, "1-D rows", "labels are others"),
    (own_entries.Writes, "1-D images", "writes to the images"),
    (own_entries.Counter, "1-D repeatable", "after a second fit with the same seed"),
    (own_entries.DrawsNumpy, "1-D global state", "moves the global random state of numpy"),
    (own_entries.DrawsPython, "1-D global state", "moves the global random state of random"),
    (own_entries.DrawsTorch, "1-D global state", "moves the global random state of torch"),
]


def test_what_keeps_the_contract_passes() -> None:
    steps = list(check_entry(own_entries.Good))
    assert [step.name for step in steps] == [
        "declaration", "pickle", "1-D applies", *(f"1-D {name}" for name in STEPS), "2-D applies",
        *(f"2-D {name}" for name in STEPS),
    ]  # fmt: skip
    assert all(step.ok for step in steps), steps


@pytest.mark.parametrize(("entry", "name", "says"), BROKEN, ids=[entry.__name__ for entry, *_ in BROKEN])
def test_what_breaks_it_is_found(entry: type[Entry], name: str, says: str) -> None:
    failed = [step for step in check_entry(entry) if not step.ok]
    assert failed[0].name == name and says in failed[0].says, failed


def test_every_broken_entry_is_tried() -> None:
    defined = {value for value in vars(own_entries).values() if isinstance(value, type) and issubclass(value, Entry)}
    scored = {own_entries.Exits, own_entries.Diverges, own_entries.Constant, own_entries.Linear}  # in test_scoring
    assert defined - {Entry, own_entries.Good} - scored == {entry for entry, *_ in BROKEN}


def test_global_states_are_put_back() -> None:
    before = random.getstate(), torch.get_rng_state()
    numpy_before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    list(check_entry(own_entries.DrawsTorch))
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert np.random.get_state()[1].tolist() == numpy_before  # type: ignore[index]  # noqa: NPY002


# ---------------------------------------------------------------------- names


def test_names() -> None:
    assert {"chance", "oracle", "spectral"} <= set(entry_names("quick")) <= set(entry_names("full"))
    assert entry_names("full") == entry_names() == sorted(entry_names())
    assert all(find_entry(name).name == name for name in entry_names())
    assert find_entry("knn") is not find_entry("knn")


def test_no_entry_claims_the_interface_of_scikit_learn() -> None:
    """Scikit-learn's own checks are for what does: entries take a sampler, and have neither parameters nor scores."""
    for name in entry_names():
        assert not any(
            hasattr(find_entry(name), method) for method in ("get_params", "set_params", "score", "fit_predict")
        )


def test_every_file_of_the_folder_is_registered(root: Path) -> None:
    files = {path.stem for path in (root / "baselines").glob("*.py")} - {"__init__"}
    assert {entry_class(name).__module__.rpartition(".")[2] for name in entry_names()} == files


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("chanse", KeyError, "unknown entry 'chanse': did you mean chance"),
        ("no_module:X", ValueError, "entry='no_module:X': there is no module 'no_module'"),
        ("helpers.own_entries:X", ValueError, "helpers.own_entries has no 'X'"),
        ("helpers.own_entries:not_an_entry", TypeError, "names no subclass"),
        ("helpers.own_entries:not_a_class", TypeError, "names no subclass"),
        ("helpers.own_entries:BadName", ValueError, "BadName.name"),
        ("helpers.own_entries:", ValueError, "must read module:callable"),
    ],
)
def test_what_is_no_entry_is_refused(source: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        find_entry(source)


def test_an_entry_is_told_from_a_net() -> None:
    assert is_entry("knn") and is_entry("helpers.own_entries:Good")
    assert not any(map(is_entry, ("vgg11", "helpers.own_entries:not_an_entry", "helpers.own_entries:X", "no_module:X")))


# ---------------------------------------------------------------------- command lines


def test_main(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["helpers.own_entries:Good"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "20 of 20 checks passed"
    assert main(["helpers.own_entries:Raises"]) == 1
    assert "FAIL  1-D fit           RuntimeError: no such luck" in capsys.readouterr().out


def test_module_in_the_current_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text((root / "tests" / "helpers" / "own_entries.py").read_text())
    command = [sys.executable, "-m", "scaledetect.testing", "mine:Peeks"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "asks for 64 test rows" in done.stdout
    assert done.stderr == ""


def test_check_recognises_entries() -> None:
    assert "FAIL  1-D fit" in run("check", "helpers.own_entries:Peeks", "distance-1d-L64-xi16", code=1).stdout
    assert "2-D score" in run("check", "helpers.own_entries:Good", "block-2d-L16-xi8").stdout


def test_three_dimensions() -> None:
    steps = list(check_entry("oracle", [Task(dim=3, size=6, xi=3)]))
    assert all(step.ok for step in steps) and steps[-1].name == "3-D score"
