"""Refusals of what malformed inputs once raised other errors for, or refused without the name of the argument."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import scaledetect as sd
from scaledetect import images, statistics, theory
from scaledetect._base.errors import RefusalError
from scaledetect._base.files import read_text
from scaledetect.leaderboard.records import merge_records
from scaledetect.training import read_log

TASK = sd.Task(size=16, xi=4)
IMAGES = np.zeros((2, 1, 8, 8), dtype=np.float32)
LONG: Any = 10**5000


class Silent:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


SILENT: Any = Silent()


def nested() -> list[Any]:
    """A list in a list, deeper than Python prints."""
    found: list[Any] = []
    for _ in range(5000):
        found = [found]
    return found


NESTED: Any = nested()
NUMBER: Any = np.array(2.0)
TENSOR: Any = torch.tensor(2.0)
NOTHING: Any = None

CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "temperature without a text": ("delta", lambda: sd.diffeo(IMAGES, temperature=SILENT, delta=1.0)),
    "temperature of 5000 digits": ("delta", lambda: sd.diffeo(IMAGES, temperature=LONG, delta=1.0)),
    "temperature nested deeply": ("delta", lambda: sd.diffeo(IMAGES, temperature=NESTED, delta=1.0)),
    "a field of no size": ("size", lambda: sd.displacement_field(np.ones((3, 3)), NOTHING, temperature=1e-4)),
    "field of objects": ("field", lambda: sd.deform(IMAGES, np.full((2, 2, 8, 8), None))),
    "no net": ("net", lambda: sd.net_report(NOTHING, TASK)),
    "n of one number": ("n", lambda: sd.net_report(torch.nn.Identity(), NUMBER, n=2)),
    "root of 5000 digits": ("root", lambda: images.load("digits", root=LONG)),
    "one number for filters": ("filters", lambda: theory.mean_filter_sensitivities(TASK, NUMBER, stride=2)),
    "one tensor for filters": ("filters", lambda: theory.mean_filter_sensitivities(TASK, TENSOR, stride=2)),
    "depth nested deeply": ("net", lambda: theory.sensitivities(TASK, object(), depth=NESTED)),
    "an array for a depth": ("net", lambda: theory.sensitivities(TASK, object(), stride=np.array([2, 3]).tolist())),
    "one number for n_train": ("n_train", lambda: theory.kernel_learning_curve(TASK, "linear", n_train=NUMBER)),
    "a step that is no number": ("lr", lambda: sd.TrainConfig(lr=1.1e30)),
    "a ridge that is no number": ("ridge", lambda: sd.TrainConfig(ridge=1.1e6)),
    "a decay that is no number": ("weight_decay", lambda: sd.TrainConfig(weight_decay=1.1e6)),
    "power at a level of nothing": ("alpha", lambda: statistics.tolerance_for_power(0.1, 2, alpha=1e-300)),
    "a ratio that no number holds": ("numerator", lambda: sd.bootstrap_ratio([1e200, 1.0], [1e-200, 1.0])),
    "a ratio that is nothing": ("numerator", lambda: sd.bootstrap_ratio([1e-200, 1.0], [1e200, 1.0])),
    "a level at which quantiles are lost": ("alpha", lambda: statistics.tolerance_for_power(0.1, 6, alpha=1e-300)),
    "a level lost among hypotheses": (
        "alpha",
        lambda: statistics.direction_power(1, 0.1, 4, alpha=1e-90, hypotheses=10**15),
    ),
    "an order of more than memory holds": ("n_samples", lambda: sd.make_scale_detection(10**15, size=2**31, xi=4)),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_by_name(case: str) -> None:
    name, call = CASES[case]
    with pytest.raises(RefusalError, match=rf"^{name}="):
        call()


def test_a_power_of_nearly_1_has_a_tolerance_or_is_refused() -> None:
    """Which of the two depends on the quantiles of SciPy."""
    try:
        assert 0.1 < statistics.tolerance_for_power(0.1, 2, power=1 - 2**-53) < np.inf
    except RefusalError as error:
        assert str(error).startswith("power=")


def test_merge_into_a_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "x" / "y"):
        with pytest.raises(RefusalError, match=r"^output=.*file is a file; name a folder"):
            merge_records([tmp_path], output)


@pytest.mark.usefixtures("little_memory")
def test_a_small_text_takes_little_memory_whatever_its_limit(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "seeds": [0]}\n')
    assert read_log(tmp_path / "log.jsonl") == [{"epoch": 1, "seeds": [0]}]
    (tmp_path / "text").write_text("x" * 100)
    assert read_text("path", tmp_path / "text", 2**40) == "x" * 100
    with pytest.raises(RefusalError, match=r"^path=.*more than the 99 bytes"):
        read_text("path", tmp_path / "text", 99)


@pytest.fixture
def little_memory() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * 10**9, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
def test_images_that_no_memory_holds_name_their_size() -> None:
    with pytest.raises(RefusalError, match=r"^size=1100: asks for 8.7 GB of memory"):
        images.load("digits", 1100)


@pytest.mark.usefixtures("little_memory")
def test_samples_that_no_memory_holds_are_named_as_they_were_asked_for() -> None:
    with pytest.raises(RefusalError, match=r"^n_samples=5: asks for"):
        sd.make_scale_detection(5, dim=1, size=2**31, xi=4, labelling="block")
    for shuffle in (False, True):
        with pytest.raises(RefusalError, match=r"^n_samples=1000000000: asks for"):
            sd.make_scale_detection(10**9, size=2**31, xi=4, sparse=True, shuffle=shuffle)
