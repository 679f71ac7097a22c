"""``scaledetect tasks``, ``nets``, ``entries``: names that other commands take; cards, and their data verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaledetect._base.errors import bad_value
from scaledetect._base.files import check_writable
from scaledetect.cli.options import AsJson, OutputFile, listed, print_json

if TYPE_CHECKING:
    from scaledetect.leaderboard.tuning import Trial
    from scaledetect.task.cards import Card

Verify = Annotated[
    bool, typer.Option(help="Sample the data again and compare their digests; exit code 1 on a difference.")
]
Update = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Write current digests into the cards of a folder.")
]

Tune = Annotated[
    str | None, typer.Option(metavar="ENTRIES", help="Search settings by the rule of these; --output writes a CSV.")
]


def tasks(verify: Verify = False, update: Update = None, as_json: AsJson = False) -> None:
    """List the task cards."""
    from scaledetect.task.cards import list_tasks, load_card

    if update is not None:
        _update(update)
        return
    cards = [load_card(name) for name in list_tasks()]
    rows = [_row(card, verify) for card in cards]
    if as_json:
        print_json(rows)
    else:
        _show(rows)
    if not all(row.get("verified", True) for row in rows):
        raise typer.Exit(1)


def _row(card: Card, verify: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": card.name, "kind": card.kind, "version": card.version, "title": card.display_name}
    row["digest"] = card.digest
    if verify:
        row["current_digest"] = card.current_digest()
        row["verified"] = row["current_digest"] == card.digest
    return row


def _show(rows: list[dict[str, Any]]) -> None:
    widths = {key: max(len(str(row[key])) for row in rows) for key in ("name", "kind", "title")}
    for row in rows:
        line = "  ".join(f"{row[key]:{widths[key]}}" for key in ("name", "kind", "title"))
        if "verified" in row:
            line += "  verified" if row["verified"] else f"  DIFFERS: {row['current_digest']}"
        typer.echo(line.rstrip())


def _update(folder: Path) -> None:
    from scaledetect._base.errors import bad_value
    from scaledetect._base.files import replacing

    paths = [*sorted(folder.glob("*.toml")), *sorted(folder.glob("families/*.toml"))]
    if not paths:
        raise bad_value("update", str(folder), "holds no card")
    for path in paths:
        digests = _family_digests(path) if path.parent.name == "families" else _card_digests(path)
        text = old = path.read_text(encoding="utf-8")
        for stored, current in digests:
            text = text.replace(stored, current)
        if text != old:
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
            typer.echo(f"{path}: digest {', '.join(current for _, current in digests)}")


def _card_digests(path: Path) -> list[tuple[str, str]]:
    """The digest that a card holds, and the one that it should."""
    from scaledetect.task.cards import load_card

    card = load_card(str(path))
    return [(card.digest, card.current_digest())]


def _family_digests(path: Path) -> list[tuple[str, str]]:
    """Those of each size of a family."""
    from scaledetect.task.cards import DIGEST_LENGTH
    from scaledetect.task.families import load_family
    from scaledetect.task.task import Task

    family = load_family(str(path))
    tables = [family.table(name) for name in family.members]
    return [(one["digest"], Task(**one["task"]).digest(DIGEST_LENGTH, seed=one["seeds"]["digest"])) for one in tables]


def nets(as_json: AsJson = False) -> None:
    """Nets by name, as measure and train take them, with their options."""
    from scaledetect.nets import names
    from scaledetect.nets.registry import description, option_names

    rows: list[dict[str, object]] = [
        {"name": name, "what": description(name), "options": option_names(name)} for name in names()
    ]
    _print_listed("Nets", rows, as_json)


def entries(as_json: AsJson = False, tune: Tune = None, output: OutputFile = None) -> None:
    """Entries of the leaderboard by name, as run takes them; with --tune their settings, searched again."""
    if tune is not None:
        _tune(tune, as_json, output)
        return
    if output is not None:
        raise bad_value("output", str(output), "goes with --tune", "redirect the list")
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
    _print_listed("Entries of the leaderboard", rows, as_json)


def _tune(names: str, as_json: bool, output: Path | None) -> None:
    """The wrong validation rows of every setting of the entries' grids, and the setting that the rule takes."""
    from scaledetect.leaderboard.tuning import tune, write_trials

    if output is not None:
        check_writable(output)
    found: list[Trial] = []
    chosen: dict[str, dict[str, Any]] = {}
    for name in listed(names) or []:
        chosen[name], trials = tune(name)
        found += trials
    if output is not None:
        write_trials(output, found)
    if as_json:
        print_json(chosen)
        return
    for name, settings in chosen.items():
        typer.echo(f"{name}: " + ", ".join(f"{key}={value}" for key, value in settings.items()))


def _print_listed(title: str, rows: list[dict[str, object]], as_json: bool) -> None:
    from scaledetect.cli.tables import print_rows

    if as_json:
        print_json(rows)
        return
    texts = [[", ".join(cell) if isinstance(cell, list) else str(cell) for cell in row.values()] for row in rows]
    print_rows(title, list(rows[0]), texts, left=len(rows[0]), folded=True)
    typer.echo("Names complete in the shell after scaledetect --install-completion.")
