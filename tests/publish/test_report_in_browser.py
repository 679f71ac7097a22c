"""The report in a browser without a window: it sorts, filters and saves, asks for nothing and fits a narrow screen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import scaledetect as sd
from scaledetect.publish.html_report import report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

VISIT = """<script>
const met={errors:[],saved:[],sizes:[]};
window.addEventListener("error",event=>met.errors.push(event.message));
const make=URL.createObjectURL;URL.createObjectURL=blob=>{met.sizes.push(blob.size);return make(blob)};
HTMLAnchorElement.prototype.click=function(){met.saved.push(this.download)};
const table=document.getElementById("sensitivities-0"),rows=()=>[...table.tBodies[0].rows];
const head=table.tHead.rows[0].cells[2],cells=()=>rows().map(row=>row.cells[1].textContent);
head.querySelector("button").click();met.up=cells();head.querySelector("button").click();met.down=cells();
const filter=document.querySelector("input[data-filters=sensitivities-0]");
filter.value="FC";filter.dispatchEvent(new Event("input"));
met.shown=rows().filter(row=>!row.hidden).map(row=>row.cells[1].textContent);
for(const kind of ["csv","json","svg","stored","picture"])document.querySelector(`button[data-${kind}]`).click();
const outside=entry=>!/^(data|blob):/.test(entry.name);
met.requests=performance.getEntriesByType("resource").filter(outside).length;
met.overflows=document.documentElement.scrollWidth>window.innerWidth;
met.width=window.innerWidth;
document.body.innerHTML="";document.body.dataset.met=JSON.stringify(met);parent.postMessage(JSON.stringify(met),"*");
</script></body>"""

FRAME = """<body data-met=""><script>
window.addEventListener("message",event=>document.body.dataset.met=event.data)</script>
<iframe src="visit.html" style="width:400px;height:900px;border:0"></iframe></body>"""
"""A window has a width that it cannot fall below; a frame has not."""


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a visitor of a report of one result and one reproduction meets, 400 pixels wide."""
    if BROWSER is None:
        pytest.skip("needs Chromium")
    folder = tmp_path_factory.mktemp("report")
    layers = ("conv1", "conv2", "fc")
    sd.Sensitivities.from_arrays(D=[0.2, 0.02, 0.1], G=[0.5, 0.6, 0.7], layers=layers).save(folder / "saved.npz")
    configuration = {"name": "examples", "size": "laptop", "jobs": {}}
    (folder / "made").mkdir()
    made = {"format": "scaledetect.reproduce/1", "configuration": configuration}
    (folder / "made" / "examples.json").write_text(json.dumps(made))
    (folder / "made" / "examples.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (folder / "made" / "examples-pixels.csv").write_text("x\n" + "1\n" * 600)
    path = report([folder / "saved.npz", folder / "made"], folder / "report.html", claims=False, theories=False)
    text = path.read_text(encoding="utf-8").replace("</body>", VISIT)
    (folder / "visit.html").write_text(text, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME, encoding="utf-8")
    return _visited(folder / "frame.html", folder / "profile")


def _visited(page: Path, profile: Path) -> dict[str, Any]:
    assert BROWSER is not None
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--virtual-time-budget=3000",
    ]
    command = [BROWSER, *options, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    found: dict[str, Any] = json.loads(unescape(re.findall(r'data-met="(.*?)"', shown)[0]))
    return found


def test_it_sorts_by_number_and_filters(met: dict[str, Any]) -> None:
    assert met["up"] == ["conv2", "fc", "conv1"]
    assert met["down"] == met["up"][::-1]
    assert met["shown"] == ["fc"]


def test_tables_figures_and_data_can_be_saved(met: dict[str, Any]) -> None:
    names = ["sensitivities-0.csv", "report-data.json", "D-saved.svg", "examples-pixels.csv", "examples.svg"]
    assert met["saved"] == names
    assert met["sizes"][3] == len("x\n") + 600 * len("1\n")
    assert min(met["sizes"]) > 50


def test_it_has_no_error_asks_for_nothing_and_fits_a_narrow_screen(met: dict[str, Any]) -> None:
    assert met["errors"] == []
    assert met["requests"] == 0
    assert met["width"] == 400
    assert not met["overflows"]
