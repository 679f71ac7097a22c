"""Primary hypotheses, decided on made-up experiments whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_experiment import small_card
from numpy.typing import NDArray
from typer.testing import CliRunner

import scaledetect as sd
from scaledetect.cli import app
from scaledetect.experiments import Experiment
from scaledetect.reproduce import Hypotheses, Hypothesis, claims, decide_primary
from scaledetect.reproduce.experiment_tables import experiment_tables
from scaledetect.reproduce.primary import numbers, primary_frame

FloatArray = NDArray[np.float64]

NETS, A = 12, [2.0, 4.0, 8.0]
ABOUT: dict[str, Any] = {
    "protocol": "other", "experiment": "small", "quantity": "D", "layers": (1, 2, 3), "seeds": NETS, "power": 0.9,
    "pilot_mean": 0.1, "pilot_sd": 0.1, "pilot_seeds": 4,
}  # fmt: skip
FALLS = Hypothesis(id="falls", claim="D falls.", kind="direction", form="fall", baseline="small-initial", **ABOUT)


def prediction(form: str, theory: str | None = "constant-filters", **changes: Any) -> Hypothesis:
    options = {**ABOUT, "tolerance": 0.1, **changes}
    return Hypothesis(id=form, claim="As theory.", kind="prediction", form=form, prediction=theory, **options)  # type: ignore[arg-type]


def several(*hypotheses: Hypothesis) -> Hypotheses:
    return Hypotheses(format="scaledetect.hypotheses/1", alpha=0.05, pilot="none", hypotheses=hypotheses)


def experiment(
    folder: Path,
    D: FloatArray,
    name: str = "small",
    wrong: tuple[int, ...] = (),
    extra: list[dict[str, Any]] | None = None,
) -> Experiment:
    """Nets with the curves `D`, shape (nets, 3), G and R = 1; those in `wrong` have not learnt the task."""
    card = small_card(folder, name=name, nets=len(D))
    lines: list[dict[str, Any]] = [
        {"kind": "net", "seed": seed, "weights": "", "test_error": 0.5 if seed in wrong else 0.0}
        for seed in range(len(D))
    ]
    ones, errors = [1.0, 1.0, 1.0], [0.01, 0.01, 0.01]
    for seed, curve in enumerate(D):
        values = {"D": [None if np.isnan(x) else float(x) for x in curve], "G": ones, "R": ones, "Delta": ones}
        values |= {f"{quantity}_stderr": errors for quantity in ("D", "G", "R", "Delta")}
        about = {"kind": "curve", "seed": seed, "curve": "net", "noise": "rectified_noise", "channels": "each"}
        lines.append({**about, **values})
    header = {"name": name, "layers": ["layer1", "layer2", "layer3"], "A": A, "n": 1000, "n_blocks": 50, "sigma": 1.0}
    return Experiment(card, folder / "none.jsonl", "", header, tuple(lines + (extra or [])))


def nets(power: float, scatter: float = 0.05, seed: int = 0, n: int = NETS) -> FloatArray:
    """D ~ A^power, each net with a power of its own."""
    powers = power + scatter * np.random.default_rng(seed).normal(size=(n, 1))
    return np.asarray(np.array(A) ** powers)


def finder(*found: Experiment) -> Any:
    return {one.name: one for one in found}.get


@pytest.mark.parametrize(("power", "verdict"), [(-1.0, "confirmed"), (1.0, "refuted"), (0.0, "open")])
def test_a_direction_is_decided_beside_the_nets_of_the_same_seeds(power: float, verdict: str, tmp_path: Path) -> None:
    first = nets(-0.3, 0.5, seed=1)
    find = finder(experiment(tmp_path, first * nets(power)), experiment(tmp_path, first, "small-initial"))
    (found,) = decide_primary(several(FALLS), find=find)
    assert found.decision is not None and found.decision.verdict == verdict
    # The scatter of .5 that both share is taken off: a ratio of D_1/D_3 of 4^-power, to its own .05 ln 4 / sqrt(12).
    assert np.log(found.decision.value) == pytest.approx(-power * np.log(4), abs=5 * 0.05 * np.log(4) / np.sqrt(NETS))


def test_every_hypothesis_is_decided_at_alpha_over_their_number(tmp_path: Path) -> None:
    find = finder(experiment(tmp_path, nets(-1.0)), experiment(tmp_path, nets(0.0), "small-initial"))
    found = decide_primary(several(FALLS, FALLS.model_copy(update={"id": "again"})), find=find)
    assert [one.decision.level for one in found if one.decision] == [0.025, 0.025]


def test_those_without_data_count_too_and_are_not_decided(tmp_path: Path) -> None:
    find = finder(experiment(tmp_path, nets(-1.0)), experiment(tmp_path, nets(0.0), "small-initial"))
    absent = FALLS.model_copy(update={"id": "absent", "experiment": "other"})
    unpaired = FALLS.model_copy(update={"id": "unpaired", "baseline": "other"})
    found = decide_primary(several(FALLS, absent, unpaired), find=find)
    assert found[0].decision is not None and found[0].decision.level == pytest.approx(0.05 / 3)
    assert found[1].decision is None and found[2].decision is None
    assert primary_frame(found)["verdict"].tolist() == ["confirmed", "no data", "no data"]


@pytest.fixture
def theory_of_power_minus_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scaledetect.reproduce.primary.predicted", lambda *arguments: np.array(A) ** -1.0)


@pytest.mark.parametrize(("off", "verdict"), [(0.0, "confirmed"), (0.3, "refuted"), (0.1, "open")])
@pytest.mark.usefixtures("theory_of_power_minus_one")
def test_a_slope_is_held_against_that_of_a_theory_over_the_same_layers(
    off: float, verdict: str, tmp_path: Path
) -> None:
    e = experiment(tmp_path, nets(off - 1.0, 0.03))
    (found,) = decide_primary(several(prediction("slope")), find=finder(e))
    assert found.decision is not None and found.decision.verdict == verdict
    assert found.decision.value == pytest.approx(off, abs=5 * 0.03 / np.sqrt(NETS))


@pytest.mark.usefixtures("theory_of_power_minus_one")
def test_a_ratio_is_predicted_over_measured(tmp_path: Path) -> None:
    e = experiment(tmp_path, 0.5 * nets(-1.0, 0.01))
    (found,) = decide_primary(several(prediction("mean_log_ratio")), find=finder(e))
    assert found.decision is not None and found.decision.verdict == "refuted"
    assert found.decision.value == pytest.approx(np.log(2), abs=0.05)


@pytest.mark.usefixtures("theory_of_power_minus_one")
def test_nets_that_collapsed_have_no_number_and_are_counted(tmp_path: Path) -> None:
    D = nets(-1.0, 0.01)
    D[3, 2] = np.nan
    D[5] = 0.9  # learnt nothing, and would spoil the slope
    e = experiment(tmp_path, D, wrong=(5,))
    (found,) = decide_primary(several(prediction("slope")), find=finder(e))
    assert found.decision is not None and found.decision.verdict == "confirmed"
    assert (found.decision.n_seeds, found.decision.left_out) == (NETS - 2, 2)
    # A NaN from A = xi on is none of a collapsed net: it has no logarithm.
    assert found.n_collapsed == 1


def test_the_coherent_share_has_a_rise(tmp_path: Path) -> None:
    shares = [[0.1, 0.2, 0.4 + 0.01 * seed] for seed in range(NETS)]
    lines = [
        {"kind": "share", "seed": seed, "noise": "rectified_noise", "draws": 100, "share": x, "stderr": [0.01] * 3}
        for seed, x in enumerate(shares)
    ]
    e = experiment(tmp_path, nets(0.0), extra=lines)
    hypothesis = FALLS.model_copy(update={"form": "rise", "quantity": "share", "baseline": None})
    found = numbers(hypothesis, finder(e))
    assert found is not None
    assert found[0] == pytest.approx([np.log(x[2] / x[0]) for x in shares], rel=1e-12)


def test_timing_is_decided_on_the_nets_that_were_tracked(tmp_path: Path) -> None:
    """D is half-way at epoch 2 of 4, and so is the error."""
    D = [[1.0, 1.0, value] for value in (1.0, 0.9, 0.5, 0.3, 0.25)]
    ones = [[1.0] * 3] * 5
    track = {
        "kind": "track", "noise": "rectified_noise", "draws": 100, "epochs": [0, 1, 2, 3, 4], "D": D, "G": ones,
        "R": ones,
    }  # fmt: skip
    errors = [[None, 0.4, 0.25 + e, 0.1, 0.0] for e in (-0.01, 0.0, 0.01)]
    e = experiment(
        tmp_path, nets(0.0), extra=[{**track, "seed": seed, "validation_error": x} for seed, x in enumerate(errors)]
    )
    timing = prediction("ln_half_time", None, quantity="half_time", tolerance=1.0)
    (found,) = decide_primary(several(timing), find=finder(e))
    assert found.decision is not None and found.decision.n_seeds == 3
    assert found.decision.value == pytest.approx(0.0, abs=0.02)


def test_the_theories_are_those_of_the_package(tmp_path: Path) -> None:
    from scaledetect.reproduce.primary import predicted

    e = experiment(tmp_path, nets(0.0))
    shape: dict[str, Any] = {"filter_size": 2, "stride": 2, "depth": 3}
    assert np.array_equal(
        predicted("constant-filters", e, "D", "rectified_noise"), sd.theory.sensitivities(e.task, **shape).D
    )
    noise = sd.Noise("rectified_noise")
    infinite = sd.theory.at_initialisation(e.task, **shape, noise=noise)
    assert np.array_equal(predicted("infinite-width", e, "D", "rectified_noise"), infinite.D)
    # No weights are published: a net trained again would be another one than was measured.
    assert np.isnan(predicted("cluster", e, "D", "rectified_noise")).all()


def test_exploratory_tables_pair_trained_nets_with_the_same_ones_before(tmp_path: Path) -> None:
    trained = experiment(tmp_path, nets(-1.0), "small-trained")
    first = experiment(tmp_path, nets(0.0, n=NETS - 2), "small-initial")
    curves = experiment_tables(["small-trained"], find=finder(trained, first))["curves"]
    assert set(curves["curve"]) == {"trained", "initial", "constant filters"}
    for curve in ("trained", "initial"):
        assert sorted(curves[curves["curve"] == curve]["seed"].unique()) == list(range(NETS - 2))


def test_the_command_prints_and_writes_both_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = finder(experiment(tmp_path, nets(-1.0)), experiment(tmp_path, nets(0.0), "small-initial"))
    found = claims(several(FALLS), find=find)
    monkeypatch.setattr("scaledetect.reproduce.claims", lambda: found)
    result = CliRunner().invoke(app, ["reproduce", "claims", "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "level 0.05 / 1" in result.output and "confirmed" in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "claims-exploratory.csv",
        "claims-primary.csv",
    ]
    assert "verdict" not in (tmp_path / "out" / "claims-exploratory.csv").read_text()


def test_the_command_takes_no_size_for_claims() -> None:
    result = CliRunner().invoke(app, ["reproduce", "claims", "--size", "paper"])
    assert result.exit_code == 2 and "size='paper'" in result.output
