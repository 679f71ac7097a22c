"""Links of pages to files of the repository that are no pages: on the site they lead to the code host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from scaledetect.publish.citation import HOME

LINK = re.compile(r"(?<!!)(\[[^\]]*\])\((?!https?:|mailto:|#)([^)\s]+)\)")
"""A Markdown link, not a picture, to something that is no address."""

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent


def outside(target: str, page: Path) -> str | None:
    """The address on the code host of `target`, written in `page`; None where it is a page of the site."""
    path, hash_, anchor = target.partition("#")
    found = (page.parent / path).resolve()
    if not found.exists():
        return None
    if found.suffix == ".md" and found.is_relative_to(DOCS):
        return None
    kind = "tree" if found.is_dir() else "blob"
    return f"{HOME}/{kind}/main/{found.relative_to(ROOT).as_posix()}{hash_}{anchor}"


def rewrite(text: str, page: Path) -> str:
    """`text` with such links led outside."""
    return LINK.sub(lambda match: f"{match[1]}({outside(match[2], page) or match[2]})", text)


def _on_read(app: Any, name: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(name))
    if page.suffix == ".md":
        source[0] = rewrite(source[0], page)


def _on_include(app: Any, relative: Path, parent: str, content: list[str]) -> None:
    path = (DOCS / relative).resolve()
    if path.suffix == ".md":
        content[0] = rewrite(content[0], path)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _on_read)
    app.connect("include-read", _on_include)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
