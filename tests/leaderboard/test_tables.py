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

import scaledetect as sd
from scaledetect.cli import app
from scaledetect.leaderboard.records import Record, write_record
from scaledetect.leaderboard.tables import as_csv, as_markdown, card_tables, leaderboard, rank_correlation, theory_gaps

CARD = "block-2d-L16-xi8"
POOLING = {"net": "pooling", "options": {"filter_size": [2, 2, 2], "stride": 2, "depth": 3, "width": 4}}


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
    # Two sizes: half of each, so the area is their mean and its variance a quarter of the sum of theirs.
    assert row.area == pytest.approx((mean(errors) + 0.125) / 2)
    spread = stdev([0, 0.125, 0.25])
    assert row.area_stderr == pytest.approx(math.hypot(stdev(errors), spread) / math.sqrt(3) / 2)
    assert table.range == (32, 128)
    assert row.crossing is None


def test_rank_is_by_area_and_only_over_the_shared_sizes() -> None:
    records = runs("good", {32: [10], 64: [10], 128: [0]}) + runs("bad", {32: [100], 64: [90], 256: [1]})
    records += runs("worst", {32: [128], 64: [128]}) + runs("short", {64: [1]}) + runs("shorter", {64: [1]})
    (table,) = card_tables(records)
    assert table.sizes == (32, 64, 128, 256)
    assert table.range == (32, 64)
    assert [(row.rank, row.entry) for row in table.rows] == [
        (1, "good"), (2, "bad"), (3, "worst"), (None, "short"), (None, "shorter"),
    ]  # fmt: skip
    assert table.rows[0].crossing == 32
    # 90 wrong at 64 fall to 1 at 256, and cross 25.6 on the way.
    assert table.rows[1].crossing == pytest.approx(64 * 4 ** ((90 - 25.6) / 89))


def test_runs_without_a_score_are_counted_and_not_averaged() -> None:
    records = runs("a", {32: [64]})
    for seed, status in ((1, "diverged"), (2, "failed"), (3, "failed")):
        records.append(sample_record(entry="a", seed=seed, status=status, reason="why", exact=False))
    records.append(sample_record(entry="b", status="failed", reason="why"))
    (table,) = card_tables(records)
    a, b = table.rows
    assert (a.errors[32].value, a.errors[32].n, a.diverged, a.failed) == (0.25, 1, 1, 2)
    assert (b.errors, b.rank, b.failed) == ({}, None, 1)


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


def test_correlations_need_enough_nets() -> None:
    def board(n: int) -> dict[str, Any]:
        nets = [r for k in range(n) for r in runs(f"net{k}", {32: [10], 64: [10 + k]}, D=1.0 + k, R=5.0 - k)]
        (table,) = card_tables(nets + runs("no-net", {64: [0]}))
        return table.correlations

    assert board(4) == {}
    found = board(6)
    assert {name: (c.rho, c.n, c.n_train) for name, c in found.items()} == {"D": (1.0, 6, 64), "R": (-1.0, 6, 64)}
    assert rank_correlation([(1.0, float(k)) for k in range(9)], 1) is None


def with_configuration(record: Record, configuration: dict[str, Any]) -> Record:
    return Record.seal(**record.model_dump(exclude={"key", "sha256"}) | {"configuration": configuration})


def test_the_gap_to_theory() -> None:
    records = runs("net", {32: [1, 2], 64: [1, 2]}, D=0.5, D_stderr=0.1, G=0.25, G_stderr=0.1)
    assert theory_gaps(records) == ()
    (gap,) = theory_gaps([with_configuration(record, POOLING) for record in records])
    exact = sd.theory.sensitivities(sd.load_task(CARD), filter_size=2, stride=2, depth=3)
    assert (gap.n_train, gap.filter_size, gap.stride, gap.depth) == (64, (2, 2, 2), 2, 3)
    assert gap.exact == {"D": exact.D[-1], "G": exact.G[-1]}
    assert gap.measured["D"].value == 0.5
    # At depth 4 the whole image is one site: the output is constant, and there is nothing to compare with.
    assert (
        theory_gaps([with_configuration(record, {"filter_size": 2, "stride": 2, "depth": 4}) for record in records])
        == ()
    )


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
    result = invoke(folder)
    assert "broken.json: is not JSON" in result.stderr
    assert "0.312(88)" in result.stdout
    assert "1 diverged" in result.stdout
    lines = list(csv.DictReader(io.StringIO(invoke(folder, "--format", "csv").stdout)))
    assert [(line["entry"], line["n_train"], line["test_error"]) for line in lines] == [
        ("a", "32", "0.3125"), ("a", "64", "0.0"), ("b", "", ""),
    ]  # fmt: skip
    data = json.loads(invoke(folder, "--format", "json").stdout)
    assert data["tables"][0]["rows"][0]["errors"]["32"]["value"] == 0.3125
    assert data["bad"][0]["path"].endswith("broken.json")
    text = invoke(folder, "--format", "md").stdout
    assert "| 1 | a | 0.312 ± 0.088 (0.020) | 0.000 ± 0.000 (0.000) |" in text
    output = tmp_path / "board.md"
    assert invoke(folder, "--format", "md", "--output", output).stdout == ""
    assert output.read_text() == text
    assert text == as_markdown(leaderboard([folder]))
    assert as_csv(leaderboard([folder])) == invoke(folder, "--format", "csv").stdout


def test_every_row_of_markdown_has_all_columns(folder: Path) -> None:
    lines = [line for line in as_markdown(leaderboard([folder])).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nothing"], "no such file"), (["--format", "html"], "choose one of"), ([".", "--output", "x"], "takes csv")],
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
    again = CliRunner().invoke(app, ["merge", str(folder), "--output", str(output)])
    assert again.exit_code == 0


# ---------------------------------------------------------------------- the repository's own


def test_the_leaderboard_in_the_repository_is_current(root: Path) -> None:
    records = root / "baselines/records"
    board = leaderboard([records] if records.exists() else [])
    assert (board.bad, board.conflicts) == ((), ())
    assert (root / "baselines/LEADERBOARD.md").read_text(encoding="utf-8") == as_markdown(board)
