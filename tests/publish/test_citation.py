"""Citations name every version a result depends on, and agree with the files that say the same."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from helpers.command_line import run

import scaledetect as sd
from scaledetect.publish import cite
from scaledetect.publish.citation import HOME, RELEASED, TITLE
from scaledetect.sampling.keys import STREAM_VERSION

CARD = "block-1d-L512-xi128"


def test_a_card_is_cited_with_versions_and_digest() -> None:
    card = sd.load_card(CARD)
    line = (
        f"scaledetect {sd.__version__}, card {CARD} version {card.version}, stream version {STREAM_VERSION}, "
        f"SHA-256 {card.digest}"
    )
    assert cite(CARD).line == cite(card).line == line
    assert card.digest in cite(CARD).bibtex


def test_the_package_is_cited_without_a_card() -> None:
    assert cite().line == f"scaledetect {sd.__version__}"
    assert "note" not in cite().bibtex


@pytest.mark.parametrize("card", [None, CARD])
def test_bibtex_is_balanced_and_has_two_entries(card: str | None) -> None:
    text = cite(card).bibtex
    assert re.findall(r"^@(\w+)\{(\w+),$", text, re.MULTILINE) == [
        ("software", "scaledetect"),
        ("article", "tomasini2022deep"),
    ]
    assert text.count("{") == text.count("}")


def test_the_citation_file_says_the_same(root: Path) -> None:
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    for line in (f'title: "{TITLE}"', f"date-released: {RELEASED}", f"repository-code: {HOME}", "license: MIT"):
        assert f"\n{line}\n" in text
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Repository"] == HOME


def test_command() -> None:
    assert run("cite").stdout == f"{cite()}\n"
    assert json.loads(run("cite", CARD, "--json").stdout) == {"line": cite(CARD).line, "bibtex": cite(CARD).bibtex}
    assert "unknown card" in run("cite", "nothing", code=2).output


def test_what_is_no_card_is_refused() -> None:
    with pytest.raises(TypeError, match="card=5"):
        cite(5)  # type: ignore[arg-type]
