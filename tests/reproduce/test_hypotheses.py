"""The file of primary hypotheses: what it holds, and that it is checked strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaledetect.reproduce import load_hypotheses
from scaledetect.statistics import direction_power, equivalence_power, tolerance_for_power

FOUND = load_hypotheses()


def test_the_hypotheses_of_the_package_are_those_of_the_docs(root: Path) -> None:
    assert load_hypotheses(root / "docs" / "hypotheses.toml") == FOUND
    assert len(FOUND) == len(FOUND.hypotheses) >= 8 and FOUND.alpha == 0.05


@pytest.mark.parametrize("one", FOUND.hypotheses, ids=[one.id for one in FOUND.hypotheses])
def test_power_and_tolerance_are_those_of_the_tests(one: object) -> None:
    hypothesis = next(h for h in FOUND.hypotheses if h is one)
    m = len(FOUND)
    if hypothesis.tolerance is None:
        power = direction_power(hypothesis.pilot_mean, hypothesis.pilot_sd, hypothesis.seeds, hypotheses=m)
    else:
        power = equivalence_power(hypothesis.tolerance, hypothesis.pilot_sd, hypothesis.seeds, hypotheses=m)
        least = tolerance_for_power(hypothesis.pilot_sd, hypothesis.seeds, hypotheses=m)
        # The scatter is written with two or three digits.
        assert hypothesis.least_tolerance == pytest.approx(least, rel=0.05)
    assert hypothesis.power == pytest.approx(power, abs=0.01)


def changed(root: Path, tmp_path: Path, before: str, after: str) -> Path:
    text = (root / "docs" / "hypotheses.toml").read_text()
    assert before in text
    path = tmp_path / "other.toml"
    path.write_text(text.replace(before, after, 1))
    return path


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('form = "fall"', 'form = "falls"', r"hypotheses\.0\.form"),
        ('kind = "direction"', 'kind = "prediction"', "a tolerance goes with predictions"),
        ('form = "fall"', 'form = "slope"', "a theory goes with slope"),
        ('form = "fall"', 'form = "ln_half_time"', "ln_half_time goes with half_time"),
        ("layers = [1, 2, 3, 4]", "layers = [1, 3]", "must follow one another"),
        ("layers = [1, 2, 3, 4]", "layers = [1, 9223372036854775807]", "must follow one another"),
        ("least_tolerance = 0.086", "least_tolerance = 0.2", "at least least_tolerance"),
        ('id = "distance-D-falls"', 'id = "block-D-falls"', "id: must differ"),
        ("alpha = 0.05", "alpha = 0.5", "alpha"),
        ("seeds = 40", "nets = 40", r"hypotheses\.0\.seeds"),
        ("alpha = 0.05", "alpha = ", "is no TOML"),
        ("alpha = 0.05", f"alpha = {'[' * 3000}", "is no TOML"),
        ("alpha = 0.05", f"alpha = {'9' * 5000}", "is no TOML"),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    before: str, after: str, message: str, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"path=.*{message}"):
        load_hypotheses(changed(root, tmp_path, before, after))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.toml.*cannot be read"):
        load_hypotheses(tmp_path / "none.toml")
