"""The report is one file that needs nothing else: its tables, charts and data say what records and results say."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from helpers.command_line import run
from helpers.record_samples import sample_record

import scaledetect as sd
from scaledetect._base.files import plain, write_json
from scaledetect.leaderboard.records import write_record
from scaledetect.publish.html_report import report, sortable
from scaledetect.publish.report_charts import Line, chart
from scaledetect.sensitivity.beside_theory import compare_with_theory
from scaledetect.task.cards import ReferenceNet


class Page(HTMLParser):
    """Tags by name with their attributes; what is opened is closed."""

    VOID = ("meta", "link", "input", "img", "line", "circle", "path")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    (folder / "results").mkdir()
    task, net = sd.Task(size=16, xi=4), ReferenceNet(filter_size=2, stride=2, depth=2)
    compared = compare_with_theory(task, nets=[net], n=1000)
    write_json(folder / "results" / "compare.json", plain({"comparisons": [one.to_dict() for one in compared]}))
    compared[0].measured.save(folder / "saved.npz")
    sources = [folder / "results", folder / "saved.npz"]
    return report(sources, folder / "report.html", claims=False, theories=False).read_text(encoding="utf-8")


def test_it_asks_the_network_for_nothing(text: str) -> None:
    page = Page(text)
    for tag, attributes in page.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", text)


def test_results_stand_beside_theory_with_z_and_the_joint_test(text: str) -> None:
    page = Page(text)
    assert sum(tag == "svg" for tag, _ in page.tags) == 6
    assert text.count("<table") == 2
    assert "Hotelling" in text
    assert "<button>exact</button>" in text
    data = json.loads(re.findall(r'id="report-data">(.*?)</script>', text, re.DOTALL)[0].replace("<\\/", "</"))
    assert list(data["results"])[1] == "saved"
    assert len(data["results"]["saved"]["D"]) == 2
    assert data["versions"]["scaledetect"] == sd.__version__


def test_the_board_and_the_runs_without_a_score_are_those_of_the_records(tmp_path: Path) -> None:
    for changes in ({"n_train": 64}, {"n_train": 128}, {"n_train": 256, "status": "failed", "reason": "<no memory>"}):
        write_record(tmp_path / "records", sample_record(entry="knn", **changes))
    made = report([tmp_path / "records"], tmp_path / "report.html", claims=False, theories=False)
    text = made.read_text(encoding="utf-8")
    page = Page(text)
    assert "3 records, each with the hash that it names" in text
    assert "1 failed, 2 ok" in text
    assert "&lt;no memory&gt;" in text
    assert sum(tag == "svg" for tag, _ in page.tags) >= 1
    assert re.search(r"<button>P = 64</button>.*<button>P = 128</button>", text)


def test_every_button_has_what_it_acts_on(text: str) -> None:
    page = Page(text)
    ids = {attributes["id"] for _, attributes in page.tags if attributes.get("id")}
    for _, attributes in page.tags:
        for name in ("data-csv", "data-json", "data-filters"):
            assert attributes.get(name) is None or attributes[name] in ids


def test_cells_sort_by_their_first_number() -> None:
    cells = [sortable(text) for text in ("> 64", "64 [50, 80]", "≤ 64", "0.1 ± 0.2")]
    values = [cell[1] for cell in cells if isinstance(cell, tuple) and cell[1] is not None]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    assert sortable("at chance") == "at chance"


def test_a_chart_leaves_out_what_it_cannot_show() -> None:
    assert chart("t", [Line("a", [1, 2], [float("nan"), 0.0])], x_label="x", y_label="y", log_y=True) == ""
    drawn = chart("a < b", [Line("a", [1, 2, 3], [1.0, 0.0, 2.0], [0.1] * 3)], x_label="x", y_label="y", log_y=True)
    assert drawn.count("<circle") == 3  # two points, and the mark of the legend
    assert "a &lt; b" in drawn
    Page(drawn)


def test_what_holds_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="hold no record and no result"):
        report([tmp_path / "empty"], tmp_path / "report.html")
    with pytest.raises(ValueError, match=r"must end in \.html"):
        report([tmp_path], tmp_path / "report.txt")
    (tmp_path / "compare.json").write_text('{"comparisons": [{}]}', encoding="utf-8")
    assert "is no result of scaledetect compare" in run("report", tmp_path, "-o", tmp_path / "r.html", code=2).stderr


def _reproduced(folder: Path, *, finished: bool = True) -> Path:
    """A folder as `scaledetect reproduce` leaves it, of two jobs."""
    configuration = {"name": "depth-1d", "size": "laptop", "jobs": {"a": {}, "b": {}}}
    write_json(folder / "depth-1d.json", {"format": "scaledetect.reproduce/1", "configuration": configuration})
    (folder / "jobs" / "a").mkdir(parents=True)
    if finished:
        (folder / "jobs" / "b").mkdir()
        (folder / "depth-1d.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
        (folder / "depth-1d-curves.csv").write_text("k,D\n" + "1,0.5\n" * 501, encoding="utf-8")
        (folder / "depth-1d-training.csv").write_text('net,epochs\n"a </script> b",3\n', encoding="utf-8")
    return folder


def test_folders_of_reproductions_show_their_figures_and_keep_their_tables(tmp_path: Path) -> None:
    (tmp_path / "figure").mkdir()
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "claims-primary.csv").write_text("claim,value,verdict\nD falls,2.1,confirmed\n")
    sources = [_reproduced(tmp_path / "figure"), tmp_path / "claims"]
    text = report(sources, tmp_path / "r.html", claims=False, theories=False).read_text(encoding="utf-8")
    test_it_asks_the_network_for_nothing(text)
    test_every_button_has_what_it_acts_on(text)
    page = Page(text)
    pictures = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert [base64.b64decode(one.partition(",")[2])[:4] for one in pictures] == [b"<svg"]
    stored = json.loads(re.findall(r'id="report-data">(.*?)</script>', text, re.DOTALL)[0])["tables"]
    assert set(stored) == {"depth-1d-curves.csv", "depth-1d-training.csv", "claims-primary.csv"}
    assert stored["depth-1d-curves.csv"].count("\n") == 502
    assert "depth-1d-curves.csv: 501 rows" in text  # too long to be shown
    assert '<table id="depth-1d-training">' in text
    assert re.search(r'data-value="2.1">2.1</td><td class="text">confirmed', text)
    assert "jobs are missing" not in text


def test_a_reproduction_that_is_not_finished_says_so(tmp_path: Path) -> None:
    made = report([_reproduced(tmp_path, finished=False)], tmp_path / "r.html", claims=False, theories=False)
    assert "1 of 2 jobs are missing" in made.read_text(encoding="utf-8")


def test_a_log_axis_has_two_ticks_at_least() -> None:
    for y in ([0.55, 0.95], [1.3, 1.9], [0.21, 0.31], [3.0, 3.1]):
        drawn = chart("t", [Line("a", [1, 2], y)], x_label="x", y_label="y", log_y=True)
        assert drawn.count('text-anchor="end"') >= 2, y
