"""``scaledetect nets`` and ``scaledetect entries``: the names that other commands take."""

from __future__ import annotations

import typer

from scaledetect.cli.options import AsJson, print_json

__all__ = ["entries", "nets"]


def nets(as_json: AsJson = False) -> None:
    """Nets by name, as measure and train take them, with their options."""
    from scaledetect.nets import names
    from scaledetect.nets.registry import description, option_names

    rows: list[dict[str, object]] = [
        {"name": name, "what": description(name), "options": option_names(name)} for name in names()
    ]
    _print("Nets", rows, as_json)


def entries(as_json: AsJson = False) -> None:
    """Entries of the leaderboard by name, as run takes them."""
    from scaledetect.leaderboard.entries.base import entry_names, find_entry

    found = {name: find_entry(name) for name in entry_names()}
    quick = set(entry_names("quick"))
    rows: list[dict[str, object]] = [
        {
            "name": name,
            "version": entry.version,
            "budget": "quick, full" if name in quick else "full",
            "title": entry.title,
        }
        for name, entry in found.items()
    ]
    _print("Entries of the leaderboard", rows, as_json)


def _print(title: str, rows: list[dict[str, object]], as_json: bool) -> None:
    from scaledetect.cli.tables import print_rows

    if as_json:
        print_json(rows)
        return
    texts = [[", ".join(cell) if isinstance(cell, list) else str(cell) for cell in row.values()] for row in rows]
    print_rows(title, list(rows[0]), texts, left=len(rows[0]), folded=True)
    typer.echo("Names complete in the shell after scaledetect --install-completion.")
