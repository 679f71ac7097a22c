"""Links within the documentation lead to what is there: pages, headings, files, pictures, functions."""

from __future__ import annotations

import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scaledetect.publish.citation import HOME

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BUILT = {"_build", "generated", "gallery"}
PAGES = sorted(
    [path for path in DOCS.rglob("*.md") if not BUILT & set(path.relative_to(DOCS).parts)]
    + [path for folder in (".", "baselines", "benchmarks", "paper") for path in (ROOT / folder).glob("*.md")]
)
WRITTEN_BY_THE_BUILD = {"generated/cards.md", "generated/command-line.md", "gallery/index.md"}
ADDRESSES = (
    f"{HOME}/blob/main/",
    f"{HOME}/tree/main/",
    "https://raw.githubusercontent.com/scaledetect/scaledetect/main/",
)
"""Under which files of the repository stand on the code host."""

FENCED = re.compile(r"^ *(```+|~~~+)(.*?)^ *\1", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<![`}])`[^`\n]+`")
TARGETS = (
    re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)"),
    re.compile(r"^\[[^\]]+\]: +(\S+)", re.MULTILINE),
    re.compile(r"(?:src|srcset|href)=\"([^\"]+)\""),
    re.compile(r"^ *(?:```|:::)\{(?:image|include|literalinclude|figure)\} +(\S+)", re.MULTILINE),
    re.compile(r"\{download\}`(?:[^`<]*<)?([^`>]+)>?`"),
)
PAGE_LINKS = (
    re.compile(r"^:link: +(\S+)\n:link-type: doc", re.MULTILINE),
    re.compile(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`"),
)
TREES = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
NAMES = re.compile(r"\{(?:func|class|meth|mod|attr|exc|data)\}`(?:[^`<]*<)?~?([\w.]+)>?`")
REFERENCES = re.compile(r"\{(?:ref|numref|eq)\}`(?:[^`<]*<)?([^`>]+)>?`")


def _prose(text: str) -> str:
    """`text` without its code; directives of the site, which are fenced too, stay."""
    return FENCED.sub(lambda match: match[0] if match[2].startswith("{") else "", text)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """Anchors of a page: of its headings, as the code host and the site name them, and those that are written out."""
    prose, seen, found = _prose(text), Counter[str](), set[str]()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    found |= set(re.findall(r"^\(([\w-]+)\)=", prose, re.MULTILINE))
    return found | set(re.findall(r"(?:id|name)=\"([\w-]+)\"", prose))


def broken(page: Path, text: str) -> list[str]:
    """What `text`, as the text of `page`, links to and is not there."""
    bare = _prose(text)
    prose = SPAN.sub("", bare)
    missing = [target for target in _targets(prose) if not _is_there(page, text, target)]
    missing += [target for target in _pages(bare, page) if not _is_there(page, text, f"{target}.md")]
    listed = _listed()
    missing += [name for name in NAMES.findall(bare) if name not in listed]
    return missing + [label for label in REFERENCES.findall(bare) if label not in anchors(text)]


def _targets(prose: str) -> Iterator[str]:
    for pattern in TARGETS:
        yield from pattern.findall(prose)


def _pages(text: str, page: Path) -> Iterator[str]:
    """Pages that are named without their suffix."""
    for pattern in PAGE_LINKS:
        yield from pattern.findall(text)
    for tree in TREES.findall(text):
        yield from (line for line in tree.splitlines() if line and not line.startswith(":"))


def _is_there(page: Path, text: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    folder = page.parent
    for address in ADDRESSES:
        if path.startswith(address):
            folder, path = ROOT, path.removeprefix(address)
    if re.match(r"[a-z]+:", path):
        return True  # leads out of the repository
    if not path:
        return anchor in anchors(text)
    found = (folder / path).resolve()
    if found.is_relative_to(DOCS) and found.relative_to(DOCS).as_posix() in WRITTEN_BY_THE_BUILD:
        return True
    if not found.exists():
        return False
    return not anchor or (found.suffix != ".md" and anchor.startswith("L")) or anchor in anchors(_text(found))


def _listed() -> set[str]:
    """Names that the reference documents: those in its tables, and the modules that it names."""
    names, module = set[str](), "scaledetect"
    for line in _text(DOCS / "reference" / "api.md").splitlines():
        if match := re.match(r"\.\. currentmodule:: +(\S+)", line):
            module = match[1]
        elif match := re.fullmatch(r" {3}([A-Za-z_][\w.]*)", line):
            names.add(f"{module}.{match[1]}")
    return names | {name.rpartition(".")[0] for name in names}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_what_is_there(page: Path) -> None:
    assert broken(page, _text(page)) == []


def test_every_name_in_the_reference_is_there() -> None:
    for name in _listed():
        assert pkgutil.resolve_name(name) is not None


@pytest.mark.parametrize(
    "text",
    [
        "[a](nowhere.md)", "![a](figures/nothing.png)", "[a](develop/cite.md#no-such-heading)", "[a](#nor-this)",
        f"[a]({HOME}/blob/main/nothing.py)", "```{image} figures/nothing.svg\n```", '<img src="nothing.svg">',
        ":link: nowhere/index\n:link-type: doc", "```{toctree}\n:hidden:\n\nnowhere\n```",
        "{func}`scaledetect.nothing`", "{ref}`nothing`", "[a]: nowhere.md", "{doc}`nowhere`",
        "[a](generated/nothing.md)",
    ],
)  # fmt: skip
def test_a_link_to_nothing_is_found(text: str) -> None:
    assert len(broken(DOCS / "index.md", text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "# A *heading*, and more!\n[a](#a-heading-and-more)", "# One\n## One\n[a](#one-1)", "(label)=\n{ref}`label`",
        f"[a]({HOME}/blob/main/README.md) [b](https://arxiv.org/abs/2210.01506)", "`[a](nowhere.md)`",
        "```python\nx = y[0](nowhere)\n```", "[a](generated/cards.md) {func}`~scaledetect.sensitivities`",
    ],
)  # fmt: skip
def test_a_link_to_what_is_there_is_not_found(text: str) -> None:
    assert broken(DOCS / "index.md", text) == []
