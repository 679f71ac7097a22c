"""Refusals: a type of their own, sentences that stay short, and their way through the command line."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from helpers.command_line import run

import scaledetect as sd
from scaledetect._base.errors import RefusalError, bad_type, bad_value, unknown_name
from scaledetect.leaderboard.records import RecordError


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(bad_value("n", 0, "must rise"), ValueError), (bad_type("n", "x", "must be an integer"), TypeError),
     (unknown_name("card", "x", ["y"]), KeyError), (RecordError(Path("a.json"), "is empty"), ValueError)],
)  # fmt: skip
def test_a_refusal_is_of_the_builtin_kind_too(error: Exception, builtin: type[Exception]) -> None:
    assert isinstance(error, RefusalError)
    assert isinstance(error, builtin)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_record_error_carries_path_and_reason() -> None:
    error = RecordError(Path("a.json"), "is empty")
    assert (error.path, error.reason, str(error)) == (Path("a.json"), "is empty", "a.json: is empty")


def test_a_long_value_is_cut() -> None:
    message = str(bad_value("n", 10**4000, "must be small"))
    assert len(message) < 300
    assert "(4001 characters)" in message


@pytest.mark.parametrize(
    "value", [10**5000, type("Rude", (), {"__repr__": lambda self: 1 / 0})()], ids=["digits", "rude"]
)
def test_a_value_that_cannot_be_shown_is_named_by_its_type(value: object) -> None:
    assert str(bad_value("n", value, "must be small")) == f"n=<{type(value).__name__}>: must be small"


def test_a_defect_is_not_taken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> sd.Task:
        raise ValueError("a defect of ours")

    monkeypatch.setattr("scaledetect.task.cards.load_card", broken)
    with pytest.raises(ValueError, match="a defect of ours"):
        run("info", "distance-1d-L64-xi16")


def test_a_refusal_takes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    result = run("info", "distance-1d-L64-xi17", code=2)
    assert result.stderr.startswith("scaledetect: unknown card 'distance-1d-L64-xi17': did you mean")
    assert result.stderr.count("\n") == 1
