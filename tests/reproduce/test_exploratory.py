"""Exploratory numbers come from the data alone: made-up nets whose numbers are known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from scaledetect.perturbations.noise import NOISE_MODES
from scaledetect.reproduce.exploratory import exploratory

FloatArray = NDArray[np.float64]

A = np.array([2.0, 4.0, 8.0, 16.0, 32.0])
SEEDS = 8
PAPER = "rectified_noise"


def table(
    trained: tuple[float, float], initial: tuple[float, float], spread: float = 0.05, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Nets with D ~ A^first and G ~ A^second, with a log-normal factor for each seed and layer."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    laws = {"trained": trained, "initial": initial, "shuffled": initial, "trained mean filters": trained}
    for (curve, (D, G)), noise, channels, root in itertools.product(
        laws.items(), NOISE_MODES, ("each", "mean"), range(SEEDS)
    ):
        for k, a in enumerate(A, start=1):
            blur = np.exp(spread * rng.normal(size=2))
            rows.append(
                {"curve": curve, "noise": noise, "channels": channels, "seed": root, "k": k, "A": a,
                 "D": a**D * blur[0], "G": a**G * blur[1]}
            )  # fmt: skip
    rows += [
        {"curve": "constant filters", "noise": PAPER, "channels": "mean", "k": k, "A": a, "D": 1 / a, "G": a}
        for k, a in enumerate(A, start=1)
    ]
    about: dict[str, Any] = {"job": "nets", "filter_size": 2, "stride": 2, "dim": 1, "xi": 16.0}
    shares = [
        {"job": "nets", "curve": curve, "seed": root, "k": k, "constant": share + 0.001 * root}
        for curve, share in (("trained", 0.7), ("initial", 0.5))
        for root in range(SEEDS)
        for k in range(1, 6)
    ]
    return {"curves": pd.DataFrame(rows).assign(**about), "filters": pd.DataFrame(shares)}


def estimates(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return exploratory(tables)["exploratory"]


def one(found: pd.DataFrame, subject: str, channels: str = "each", noise: str = PAPER, number: str = "") -> pd.Series:
    rows = found[(found["subject"] == subject) & found["channels"].isin(["", channels])]
    rows = rows[rows["noise"].isin(["", noise]) & rows["number"].str.startswith(number)]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_there_is_no_verdict() -> None:
    found = estimates(table((-1.0, 1.0), (0.0, 0.0)))
    assert "verdict" not in found.columns and len(found) > 30


def test_the_numbers_of_nets_of_known_laws_are_found() -> None:
    """D ~ 1/A and G ~ A after training, both flat before; the last layer below xi is the fourth."""
    found = estimates(table((-1.0, 1.0), (0.0, 0.0), spread=1e-6))
    for subject, number, value in (
        ("Fall of D with depth after training", "D_1/D_4", 8.0),
        ("Fall of D with depth before training", "D_1/D_4", 1.0),
        ("Fall of D with depth after training over that before", "D_1/D_4 trained / initial", 8.0),
        ("Rise of G with depth after training", "G_4/G_1", 8.0),
        ("D with channels shuffled", "D_4 shuffled / trained", 16.0),
        ("G with channels shuffled", "G_4 shuffled / trained", 1 / 16),
        ("Slope of D against A, beside that of constant filters", "exponent of D, layers 1 to 3", -1.0),
        ("Slope of G against A, beside the asymptotic one", "exponent of G, layers 1 to 3", 1.0),
    ):
        row = one(found, subject)
        assert (row["number"], row["n_seeds"], row["left_out"]) == (number, SEEDS, 0)
        assert row["value"] == pytest.approx(value, rel=1e-4)
        assert row["low"] <= row["value"] <= row["high"]
    assert one(found, "D of the channel mean by mean filters", "mean", number="D_2")["value"] == pytest.approx(
        1, rel=1e-4
    )
    constant = one(found, "Constant mode of the filters, after training over before", number="mean P_0 trained")
    assert constant["value"] == pytest.approx(0.7 / 0.5, rel=0.01)


def test_slopes_stand_beside_what_theory_says() -> None:
    found = estimates(table((-1.0, 1.0), (0.0, 0.0)))
    assert one(found, "Slope of D against A, beside that of constant filters")["reference"] == "-1"
    assert one(found, "Slope of G against A, beside that of constant filters")["reference"] == "1"
    assert one(found, "Fall of D with depth after training")["reference"] == "1"


def test_a_number_is_the_geometric_mean_over_seeds_at_the_last_layer_below_xi() -> None:
    tables = table((-1.0, 1.0), (0.0, 0.0), spread=0.5)
    curves = tables["curves"]
    rows = curves[(curves["curve"] == "trained") & (curves["channels"] == "each") & (curves["noise"] == PAPER)]
    ratios = [seed.set_index("k")["D"][1] / seed.set_index("k")["D"][4] for _, seed in rows.groupby("seed")]
    chosen = one(estimates(tables), "Fall of D with depth after training")
    assert chosen["value"] == pytest.approx(np.exp(np.mean(np.log(ratios))), rel=1e-12)
    assert min(ratios) < chosen["low"] < chosen["value"] < chosen["high"] < max(ratios)


def test_nets_without_theory_have_no_number_about_it() -> None:
    tables = table((-1.0, 1.0), (0.0, 0.0))
    curves = tables["curves"]
    tables["curves"] = curves[~curves["curve"].isin(["constant filters", "trained mean filters"])]
    assert not any("constant filters" in text or "mean filters" in text for text in estimates(tables)["subject"])


def test_what_was_not_measured_has_no_number() -> None:
    tables = table((-1.0, 1.0), (0.0, 0.0))
    curves = tables["curves"]
    some = curves[(curves["noise"] == PAPER) & (curves["channels"] == "each") & (curves["curve"] == "trained")]
    found = estimates({"curves": some, "filters": tables["filters"].iloc[:0]})
    assert set(found["subject"]) == {f"Slope of {X} against A, beside the asymptotic one" for X in "DG"}


def test_the_order_of_the_rows_is_no_matter() -> None:
    tables = table((-1.0, 1.0), (0.0, 0.0))
    mixed = {name: rows.sample(frac=1, random_state=3) for name, rows in tables.items()}
    pd.testing.assert_frame_equal(estimates(mixed), estimates(tables))


def test_one_seed_has_no_interval() -> None:
    tables = {
        name: rows[rows["seed"].isin([0]) | rows["seed"].isna()]
        for name, rows in table((-1.0, 1.0), (0.0, 0.0)).items()
    }
    found = estimates(tables)
    assert found["low"].isna().all() and found["high"].isna().all() and found["value"].notna().all()


def test_a_layer_in_which_d_vanishes_for_a_seed_leaves_the_seed_out_and_says_so() -> None:
    tables = table((-1.0, 1.0), (0.0, 0.0))
    rows = tables["curves"]
    gone = (rows["curve"] == "trained") & (rows["seed"] == 0) & (rows["k"] == 4)
    for value in (0.0, np.nan):
        found = estimates({**tables, "curves": rows.assign(D=rows["D"].where(~gone, value))})
        fall = one(found, "Fall of D with depth after training")
        assert (fall["n_seeds"], fall["left_out"]) == (SEEDS - 1, 1)
        assert one(found, "Rise of G with depth after training")["left_out"] == 0
