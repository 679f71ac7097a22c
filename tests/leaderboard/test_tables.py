"""The leaderboard: means, errors, ranks and correlations of made-up records, against numbers worked out here."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from helpers.record_samples import sample_record, sample_scores
from scipy import stats
from typer.testing import CliRunner

from scaledetect.cli import app
from scaledetect.leaderboard.records import Record, write_record
from scaledetect.leaderboard.tables import (
    as_csv,
    as_markdown,
    card_tables,
    family_tables,
    leaderboard,
    rank_correlation,
)
from scaledetect.leaderboard.tables.scaling import FamilyTable
from scaledetect.leaderboard.tables.text import family_cells

CARD = "block-2d-L16-xi8"


def runs(entry: str, wrong: dict[int, list[int]], **more: Any) -> list[Record]:
    """Records of an entry: numbers of wrong labels by n_train and seed."""
    return [
        sample_record(sample_scores(n, **more), entry=entry, n_train=size, seed=seed, exact=False)
        for size, numbers in wrong.items()
        for seed, n in enumerate(numbers)
    ]


def test_means_and_errors() -> None:
    (table,) = card_tables(runs("a", {32: [64, 96, 128], 128: [0, 32, 64]}))
    (row,) = table.rows
    errors = [n / 256 for n in (64, 96, 128)]
    first = row.errors[32]
    assert (first.value, first.n) == (mean(errors), 3)
    assert first.spread == pytest.approx(stdev(errors))
    assert first.stderr == pytest.approx(math.sqrt(sum(e * (1 - e) / 256 for e in errors)) / 3)
    assert row.area == pytest.approx((mean(errors) + 0.125) / 2)
    assert table.range == (32, 128)
    assert row.complexity[0.1].value is None
    assert row.complexity[0.25].value == pytest.approx(32 * 4 ** ((0.375 - 0.25) / 0.25))


def test_rank_counts_the_entries_that_are_better_beyond_their_intervals() -> None:
    """P*(10 %) near 50, 50, 200, and one that stays at a third: the first two are tied."""
    records = runs("a", {32: [64, 66], 64: [0, 1], 512: [0, 0]}) + runs("b", {32: [65, 67], 64: [1, 0], 512: [0, 0]})
    records += runs("slow", {32: [120, 121], 64: [100, 102], 512: [0, 0]})
    records += runs("never", {32: [120, 125], 64: [80, 90], 512: [81, 82]})
    (table,) = card_tables(records)
    assert [(row.rank, row.tied, row.entry) for row in table.rows] == [
        (1, True, "a"), (1, True, "b"), (3, False, "slow"), (4, False, "never"),
    ]  # fmt: skip
    assert table.rows[3].complexity[0.1].value is None and table.rows[3].complexity[0.1].largest == 512


def test_what_is_not_below_chance_has_no_rank_and_references_have_none_either() -> None:
    records = runs("coin-like", {32: [120, 125], 64: [130, 119]}) + runs("better", {32: [60, 64], 64: [10, 12]})
    records += runs("oracle", {32: [0, 0], 64: [0, 0]}) + runs("chance", {32: [120, 136], 64: [128, 128]})
    records += runs("worse", {32: [150, 160], 64: [200, 201]})
    (table,) = card_tables(records)
    assert {row.entry: (row.standing, row.rank) for row in table.rows} == {
        "better": ("ranked", 1), "coin-like": ("at chance", None), "worse": ("at chance", None),
        "oracle": ("reference", None), "chance": ("reference", None),
    }  # fmt: skip


def test_one_s_own_records_are_rows_of_their_own() -> None:
    (table,) = card_tables(runs("a", {32: [10, 12]}), runs("a", {32: [100, 99]}))
    assert [(row.label, row.own, row.errors[32].value) for row in table.rows] == [
        ("a", False, 11 / 256), ("a (own)", True, 99.5 / 256),
    ]  # fmt: skip


def in_family(wrong: dict[int, dict[int, list[int]]], entry: str = "a") -> list[Record]:
    """Records on cards of the family of blocks in 1-D: numbers of wrong labels by size, n_train and seed."""
    return [
        sample_record(sample_scores(n, 2048), f"block-1d-L{size}", entry=entry, n_train=P, seed=seed, exact=False)
        for size, curve in wrong.items()
        for P, numbers in curve.items()
        for seed, n in enumerate(numbers)
    ]


def test_the_exponent_of_a_family_is_fitted_where_training_and_test_are_hardly_anticorrelated() -> None:
    """P* halves its way from 1/4 to 0 between two sizes that grow as L: exponent 1 by construction."""
    wrong = {L: {L // 2: [500, 520], L: [0, 0]} for L in (64, 128, 256, 512)}
    (family,) = family_tables(card_tables(in_family(wrong)))
    (row,) = family.rows
    assert (family.family, family.sizes) == ("block-1d", (64, 128, 256, 512))
    # At L = 64 a learner that knows nothing is .515 wrong at P* = 50.
    assert row.fair == (128, 256, 512)
    assert row.exponent is not None and row.exponent.value == pytest.approx(1.0)
    assert row.exponent.low < 1 < row.exponent.high
    assert "*" in as_markdown_row(family)
    tables = {table.card: table for table in card_tables(in_family(wrong))}
    assert tables["block-1d-L64"].know_nothing[64] == pytest.approx(0.5173, abs=1e-4)
    assert list(tables) == [f"block-1d-L{L}" for L in (64, 128, 256, 512)]


def as_markdown_row(family: FamilyTable) -> str:
    ((_, first, *_),) = family_cells(family)
    return first


def test_runs_without_a_score_are_counted_and_not_averaged() -> None:
    records = runs("a", {32: [64]})
    for seed, status in ((1, "diverged"), (2, "failed"), (3, "failed")):
        records.append(sample_record(entry="a", seed=seed, status=status, reason="why", exact=False))
    records.append(sample_record(entry="b", status="failed", reason="why"))
    (table,) = card_tables(records)
    a, b = table.rows
    assert (a.errors[32].value, a.errors[32].n, a.diverged, a.failed) == (0.25, 1, 1, 2)
    assert (b.errors, b.rank, b.standing, b.failed) == ({}, None, "no score", 1)


def test_cards_and_versions_stand_apart() -> None:
    records = [sample_record(), sample_record(card_version=2), sample_record(card="block-1d-L512-xi128")]
    records.append(sample_record(entry_version=2))
    tables = card_tables(records)
    assert [(t.card, t.card_version) for t in tables] == [("block-1d-L512-xi128", 1), (CARD, 1), (CARD, 2)]
    assert [row.label for row in tables[1].rows] == ["chance", "chance (v2)"]


def test_the_output_is_that_of_the_largest_size() -> None:
    records = runs("net", {32: [1]}, D=9.0, D_stderr=0.1)
    records += [
        sample_record(sample_scores(1, D=d, D_stderr=0.3, G=2.0), entry="net", n_train=64, seed=seed)
        for seed, d in enumerate((1.0, 2.0, 6.0))
    ]
    (table,) = card_tables(records)
    d = table.rows[0].output["D"]
    assert (d.value, d.n) == (3.0, 3)
    assert d.error == pytest.approx(stdev([1.0, 2.0, 6.0]) / math.sqrt(3))
    assert table.rows[0].output["G"].value == 2.0
    assert "R" not in table.rows[0].output


@pytest.mark.parametrize("ties", [False, True])
def test_rank_correlation_is_that_of_scipy(ties: bool) -> None:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 5 if ties else 10**9, 12).astype(float)
    y = x + generator.normal(scale=2, size=12) if ties else generator.normal(size=12)
    found = rank_correlation(list(zip(x, y, strict=True)), 64)
    assert found is not None
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    without = [stats.spearmanr(np.delete(x, i), np.delete(y, i)).statistic for i in range(12)]
    assert found.stderr == pytest.approx(math.sqrt(11 * np.var(without)))
    reach = stats.t.ppf(0.975, 11) * found.stderr
    assert (found.low, found.high) == pytest.approx((max(-1, found.rho - reach), min(1, found.rho + reach)))


def test_correlations_need_enough_nets() -> None:
    def board(n: int) -> dict[str, Any]:
        nets = [r for k in range(n) for r in runs(f"net{k}", {32: [10], 64: [10 + k]}, D=1.0 + k, R=5.0 - k)]
        (table,) = card_tables(nets + runs("no-net", {64: [0]}))
        return table.correlations

    assert board(4) == {}
    found = board(6)
    assert {name: (c.rho, c.n, c.n_train) for name, c in found.items()} == {"D": (1.0, 6, 64), "R": (-1.0, 6, 64)}
    assert rank_correlation([(1.0, float(k)) for k in range(9)], 1) is None


# ---------------------------------------------------------------------- forms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for record in [
        *runs("a", {32: [64, 96], 64: [0, 0]}, D=1.0, D_stderr=0.1, G=1.0, G_stderr=0.1),
        sample_record(entry="b", status="diverged", reason="why"),
    ]:
        write_record(tmp_path / "records", record)
    (tmp_path / "records" / "broken.json").write_text("{")
    return tmp_path / "records"


def invoke(*arguments: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["leaderboard", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_the_command_in_every_form(folder: Path, tmp_path: Path) -> None:
    result = invoke(folder, "--alone")
    assert "broken.json: is not JSON" in result.stderr
    assert "0.312 ± 0.088" in result.stdout
    assert "1 diverged" in result.stdout
    lines = list(csv.DictReader(io.StringIO(invoke(folder, "--alone", "--format", "csv").stdout)))
    assert [(line["entry"], line["n_train"], line["test_error"]) for line in lines] == [
        ("a", "32", "0.3125"), ("a", "64", "0.0"), ("b", "", ""),
    ]  # fmt: skip
    data = json.loads(invoke(folder, "--alone", "--format", "json").stdout)
    assert data["tables"][0]["rows"][0]["errors"]["32"]["value"] == 0.3125
    assert data["bad"][0]["path"].endswith("broken.json")
    text = invoke(folder, "--alone", "--format", "md").stdout
    assert "| 1 | a | 51 [29, 92] | 37 [8, 160] | 0.312 ± 0.088 | 0.000 ± 0.000 |" in text
    output = tmp_path / "board.md"
    assert invoke(folder, "--alone", "--format", "md", "--output", output).stdout == ""
    assert output.read_text() == text
    assert text == as_markdown(leaderboard([folder]))
    assert as_csv(leaderboard([folder])) == invoke(folder, "--alone", "--format", "csv").stdout


def test_every_row_of_markdown_has_all_columns(folder: Path) -> None:
    for part in as_markdown(leaderboard([folder])).split("\n\n"):
        assert len({line.count("|") for line in part.splitlines() if line.startswith("|")}) <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no such file"),
        (["--format", "html"], "choose one of"),
        ([".", "--output", "x"], "takes csv"),
        (["--alone"], "name a folder of records"),
    ],
)
def test_refusals(arguments: list[str], message: str) -> None:
    assert message in invoke(*arguments, code=2).stderr


def test_merge_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.json").unlink()
    (other,) = runs("a", {32: [1]})
    write_record(tmp_path / "other", other)
    output = tmp_path / "merged"
    result = CliRunner().invoke(app, ["merge", str(folder), str(tmp_path / "other"), "--output", str(output)])
    assert result.exit_code == 1
    assert "block-2d-L16-xi8 / a / P=32 / seed 0" in result.stderr
    assert "n_wrong 64 and 1" in result.stderr
    assert "5 records in" in result.stdout
    named = CliRunner().invoke(app, ["merge", str(folder), "--output", "9" * 300])
    assert named.exit_code == 2 and "is no path of this system" in named.output
    again = CliRunner().invoke(app, ["merge", str(folder), "--output", str(output)])
    assert again.exit_code == 0


# ---------------------------------------------------------------------- the repository's own


def test_the_leaderboard_in_the_repository_is_current(root: Path) -> None:
    board = leaderboard(published=True)
    assert (board.bad, board.conflicts, board.repeated) == ((), (), 0)
    assert (root / "baselines/LEADERBOARD.md").read_text(encoding="utf-8") == as_markdown(board)


def test_the_published_board_is_shown_without_a_folder_and_own_rows_are_marked_in_it(folder: Path) -> None:
    published = invoke().stdout
    assert "(own)" not in published and "reference" in published
    assert "a (own)" in invoke(folder).stdout
    assert invoke("--format", "csv").stdout.count("\n") > 100
