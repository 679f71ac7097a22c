"""What a notebook shows: tables, figures, short representations; progress of what takes long."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr
from html.parser import HTMLParser
from typing import Any

import pytest
from torch import nn

import scaledetect as sd
from scaledetect._base.progress import Progress
from scaledetect._base.tables import html_table
from scaledetect.sensitivity.beside_theory import compare_with_theory
from scaledetect.task.cards import ReferenceNet

TASK = sd.Task(size=16, xi=4)


def own_net(seed: int) -> nn.Module:
    del seed
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 1))


def pooling(stride: int) -> sd.nets.ConstantFilterNet:
    return sd.nets.ConstantFilterNet(dim=1, filter_size=2, stride=stride, depth=2)


def measured() -> sd.Sensitivities:
    return sd.sensitivities(pooling(2), TASK, 100)


def trained() -> sd.TrainingRun:
    return sd.train(TASK, own_net, n_train=8, seeds=(3, 5), config=sd.TrainConfig(max_epochs=2))


class Cells(HTMLParser):
    """Rows of cells; tags that are not closed are an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def cells_of(html: str) -> list[list[str]]:
    parser = Cells()
    parser.feed(html)
    assert parser.open == []
    return parser.rows


def test_sensitivities_have_a_row_a_layer_with_errors() -> None:
    s = measured()
    head, first, second = cells_of(s._repr_html_())
    assert head == ["k", "layer", "A", "D", "G", "R", "Delta"]
    assert [row[:3] for row in (first, second)] == [["1*", "layer1", "2.00"], ["2*", "layer2", "4.00"]]
    assert re.fullmatch(r"0\.\d+\(\d\d\)", first[3])
    assert "do not trust the error bars" in s._repr_html_()


@pytest.mark.parametrize(
    ("make", "rows", "word"),
    [
        (lambda: TASK, 12, "near pairs"),
        (lambda: sd.load_card("block-1d-L512-xi128"), 9, "digest"),
        (lambda: sd.images.load("digits"), 7, "classes"),
        (trained, 3, "max_epochs"),
        (lambda: sd.compare([pooling(1), pooling(2)], TASK, 100), 3, "net2"),
        (
            lambda: compare_with_theory(TASK, nets=[ReferenceNet(filter_size=2, stride=2, depth=2)], n=100)[0],
            3,
            "exact",
        ),
    ],
)
def test_results_show_a_table_in_a_notebook_and_a_short_line_elsewhere(
    make: Callable[[], Any], rows: int, word: str
) -> None:
    result = make()
    html = result._repr_html_()
    assert word in html
    assert len(cells_of(html)) == rows
    assert len(repr(result)) < 220


def test_a_data_set_says_what_it_holds() -> None:
    data = sd.ScaleDetectionDataset(TASK, 20, split="train", seed=4)
    assert repr(data).startswith(
        "<ScaleDetectionDataset of 20 samples, split='train', seed=4, target='sign': Task(dim=1"
    )


def test_tables_escape_what_names_hold_and_say_what_they_leave_out() -> None:
    html = html_table("a < b", ("x",), [("<script>",)] * 100)
    assert "<script>" not in html
    assert "a &lt; b" in html
    assert "40 more rows: see to_frame()" in html


def test_a_figure_is_shown_as_a_picture() -> None:
    data, size = measured().plot()._repr_png_()  # type: ignore[attr-defined]
    assert data.startswith(b"\x89PNG")
    # The width in its header is twice that at which it is shown.
    assert int.from_bytes(data[16:20], "big") == pytest.approx(2 * size["width"], abs=1)


@pytest.mark.parametrize(
    ("run", "what", "last"),
    [
        (lambda progress: sd.sensitivities(pooling(2), TASK, 200, batch_size=30, progress=progress), "draws", 200),
        (lambda progress: sd.sensitivities(pooling(2), TASK, "all", progress=progress), "pairs", None),
        (lambda progress: sd.theory.at_initialisation(TASK, depth=2, n=200, progress=progress), "draws", 200),
        (lambda progress: sd.probes.coherent_share(pooling(2), TASK, n=100, progress=progress), "draws", 100),
        (
            lambda progress: sd.train(TASK, own_net, n_train=8, config=sd.TrainConfig(max_epochs=3), progress=progress),
            "epochs",
            3,
        ),
    ],
)
def test_progress_is_told_step_by_step(run: Callable[[Any], object], what: str, last: int | None) -> None:
    seen: list[Progress] = []
    run(seen.append)
    assert {one.what for one in seen} == {what}
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done == seen[-1].total
    assert last is None or seen[-1].done == last
    stderr = io.StringIO()
    with redirect_stderr(stderr):
        run(True)
    assert stderr.getvalue() == ""  # no terminal, no bar


def test_progress_is_a_flag_or_a_function() -> None:
    with pytest.raises(TypeError, match="progress='yes': must be True, False, or a function of a Progress"):
        sd.sensitivities(pooling(2), TASK, 100, progress="yes")  # type: ignore[arg-type]
