"""Theories, their stored predictions and the board made of them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import run

import scaledetect as sd
from scaledetect.experiments.board import TheoryBoard, theory_board
from scaledetect.experiments.board_text import board_as_csv, board_as_markdown
from scaledetect.experiments.check_theory import check_theory
from scaledetect.experiments.predicting import predict, verify_predictions
from scaledetect.experiments.predictions import predictions_folder, read_predictions, store_predictions
from scaledetect.experiments.scoring import PredictionScore
from scaledetect.experiments.theories import find_theory, theory_names
from scaledetect.plots import plot_theories

CHEAP = ("asymptotic-exponents", "constant-filters", "mean-filters", "nothing-changes", "shuffled-channels")


@pytest.fixture(scope="module")
def board() -> TheoryBoard:
    return theory_board()


def scores(board: TheoryBoard, theory: str) -> dict[str, PredictionScore]:
    rows = [row for table in board.tables for row in table.rows if row.theory == theory]
    return {one.experiment: one for row in rows for one in row.scores}


def test_infinite_width_is_within_three_per_cent_of_wide_nets(board: TheoryBoard) -> None:
    wide = {name: one for name, one in scores(board, "infinite-width").items() if "H1024" in name}
    assert len(wide) == 2
    for one in wide.values():
        assert max(one.D.value, one.G.value, one.R.value) < 0.03


def test_first_order_says_what_trained_nets_do_and_mean_filters_do_not(board: TheoryBoard) -> None:
    cluster, mean = scores(board, "cluster-1"), scores(board, "mean-filters")
    for name, limit in (("block-1d-L128-trained", 0.1), ("distance-1d-L64-F3-trained", 0.2)):
        assert cluster[name].D.value < limit
        assert cluster[name].D.value <= mean[name].D.value / 3


def test_ridge_makes_filters_constant(board: TheoryBoard) -> None:
    ridge = {name: one for name, one in scores(board, "constant-filters").items() if "-ridge" in name}
    assert len(ridge) == 2
    assert max(one.D.value for one in ridge.values()) < 0.1


def test_ranks_are_by_the_mean_square_among_theories_told_the_same(board: TheoryBoard) -> None:
    for table in board.tables:
        ranked = [row for row in table.rows if row.rank is not None]
        assert [row.rank for row in ranked] == list(range(1, len(ranked) + 1))
        assert [row.square for row in ranked] == sorted(row.square for row in ranked)
        assert {find_theory(row.theory).told for row in table.rows} == {table.told}
        for row in ranked:
            assert {one.experiment for one in row.scores} >= set(table.common)
            decided = [one for one in row.scores if one.experiment in table.common]
            squares = [one.D.square + one.G.square + one.R.square for one in decided]
            assert row.square == pytest.approx(np.mean(squares) / 3)


def test_ranks_are_decided_on_what_all_speak_of_and_who_speaks_of_little_has_none(tmp_path: Path) -> None:
    names = [f"block-1d-L64-{kind}-initial" for kind in ("F3-s2", "F4-s2", "H256", "H32")]
    theories = ("infinite-width", "nothing-changes", "constant-filters")
    for theory, spoken in zip(theories, (names, names[1:], names[:2]), strict=True):
        header, lines = read_predictions(predictions_folder() / f"{theory}.jsonl")
        del header
        store_predictions(find_theory(theory), [line for line in lines if line["experiment"] in spoken], tmp_path)
    (table,) = theory_board(names, theories=theories, folder=tmp_path).tables
    assert table.common == tuple(names[1:])
    assert [(row.theory, row.rank) for row in table.rows] == list(zip(theories, (1, 2, None), strict=True))
    alone = theory_board(names[1:], theories=theories[:1], folder=tmp_path).tables[0].rows[0]
    assert table.rows[0].D.square == alone.D.square


def test_the_page_is_what_the_predictions_make_of_it(board: TheoryBoard, root: Path) -> None:
    assert board_as_markdown(board) == (root / "baselines" / "THEORIES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CHEAP)
def test_stored_predictions_come_out_again(name: str) -> None:
    assert verify_predictions([name], ["block-1d-L128-ridge"]) == []


def test_theories_keep_their_contract() -> None:
    for name in CHEAP:
        steps = list(check_theory(name))
        assert all(step.ok for step in steps) and len(steps) > 4


def test_bad_theories_fail_the_contract() -> None:
    class Bad(sd.theory.Theory):
        name, title, version, told = "bad", "Bad", 1, "task"

        def applies(self, experiment: object) -> bool:
            return True

        def predict(self, experiment: sd.Experiment) -> sd.Sensitivities:
            return sd.Sensitivities.from_arrays(D=[1.0], G=[1.0])

    assert [step.says for step in check_theory(Bad) if not step.ok and "must be those of" in step.says]
    Bad.told = "gossip"  # type: ignore[assignment]
    (step,) = check_theory(Bad)
    assert not step.ok and "choose one of" in step.says


def test_changed_predictions_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "predictions"
    (path,) = predict(["nothing-changes"], ["block-1d-L128-ridge"], folder=folder)
    assert verify_predictions(["nothing-changes"], folder=folder) == []
    header, (line,) = read_predictions(path)
    line["D"][2] *= 1.01
    path.write_text(f"{json.dumps(header)}\n{json.dumps(line)}\n")
    with pytest.raises(ValueError, match="has lines of the SHA-256"):
        read_predictions(path)


def test_predictions_for_other_data_are_refused(tmp_path: Path) -> None:
    shutil.copytree(predictions_folder(), tmp_path / "p")
    path = tmp_path / "p" / "nothing-changes.jsonl"
    _, lines = read_predictions(path)
    from scaledetect.experiments.predictions import store_predictions

    store_predictions(find_theory("nothing-changes"), [line | {"data": "0"} for line in lines], tmp_path / "p")
    with pytest.raises(ValueError, match="predict anew"):
        theory_board(theories=["nothing-changes"], folder=tmp_path / "p")


def test_the_command_prints_the_board(tmp_path: Path) -> None:
    subset = ("--experiments", "block-1d-L128-trained,block-1d-L128-ridge")
    text = run("theories", *subset, "--picture", tmp_path / "board.png").output
    assert all(name in text for name in theory_names()) and "Trained with ridge: told the task" in text
    assert (tmp_path / "board.png").stat().st_size > 10_000
    data = json.loads(run("theories", *subset, "--format", "json").output)
    assert {table["regime"] for table in data["tables"]} == {"trained", "ridge"}
    assert run("theories", *subset, "--format", "csv").output == board_as_csv(theory_board(subset[1].split(",")))


def test_the_figure_shows_what_is_predicted_and_measured() -> None:
    figure = plot_theories({"one": [([0.5, 0.2], [0.4, 0.3])], "two": [([np.nan, 0.1], [0.4, 0.3])]})
    first, second, last = figure.axes[:3]
    assert np.asarray(first.collections[0].get_offsets()).tolist() == [[0.4, 0.5], [0.3, 0.2]]
    assert np.asarray(second.collections[0].get_offsets()).tolist() == [[0.3, 0.1]]
    assert last.lines[1].get_ydata().tolist() == pytest.approx([np.log(3)])  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="has no layer"):
        plot_theories({"none": [([np.nan], [0.1])]})


def test_the_theory_of_the_page_is_checked_and_scored(root: Path) -> None:
    text = (root / "docs" / "submit-theory.md").read_text(encoding="utf-8")
    printed: list[tuple[object, ...]] = []
    namespace: dict[str, object] = {"print": lambda *values: printed.append(values)}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, namespace)
    steps, (value, *_) = printed[:-1], printed[-1]
    assert len(steps) >= 5 and all(str(step[0]).startswith("ok") for step in steps)
    assert isinstance(value, float) and 0 < value < 2
