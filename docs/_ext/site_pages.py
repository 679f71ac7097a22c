"""Pages written when the site is built: the cards with pictures, and the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from scaledetect.plots.examples import plot_examples
from scaledetect.publish import cite
from scaledetect.publish.citation import HOME
from scaledetect.publish.datasheet import rule
from scaledetect.sampling.samplers import first_of_each_class
from scaledetect.task.cards import Card, list_tasks, load_card

DOCS = Path(__file__).resolve().parents[1]
GENERATED = DOCS / "generated"
SHOWN = {1: 3, 2: 3, 3: 3}
"""Pictures of each class, by dimension."""

KINDS = {
    "score": ("Score cards", "For training: training and test rows use at most 5 % of each class."),
    "theory": ("Theory cards", "For the comparison with theory; too small, or not meant, for scores."),
}


def write_text(path: Path, text: str) -> None:
    """Write a page where it has changed: what has not is not built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def card_text(card: Card) -> str:
    """One card as a section of the gallery."""
    task = card.task
    facts = {
        "Rule": rule(task),
        "Population": f"{task.n_near} near and {task.n_far} far pairs",
        "Digest": f"`{card.digest}` (version {card.version})",
    }
    if card.budgets is not None:
        sizes = ", ".join(map(str, card.budgets.n_train))
        facts["Budgets"] = f"P = {sizes}; {card.budgets.n_validation} validation and {card.budgets.n_test} test rows"
    if card.nets:
        facts["Reference nets"] = ", ".join(f"{net.label}, K = {net.depth}" for net in card.nets)
    facts["Cite"] = f"`{cite(card).line}`"
    lines = "\n".join(f"- **{name}**: {text}" for name, text in facts.items())
    return f"""### {card.name}

{card.display_name}: [the card]({HOME}/blob/main/tasks/{card.name}.toml).

![Near and far images of {card.name}](pictures/{card.name}.png)

{lines}
"""


def cards_page() -> str:
    """All cards, by kind."""
    cards = [load_card(name) for name in list_tasks()]
    parts = [f"## {title}\n\n{text}\n" for title, text in KINDS.values()]
    for place, kind in enumerate(KINDS):
        parts[place] += "\n" + "\n".join(card_text(card) for card in cards if card.kind == kind)
    return "# Card gallery\n\n" + "\n".join(parts)


def draw_cards() -> None:
    """Pictures of every card, drawn once; a changed card has a changed digest, and another file stamp."""
    folder = GENERATED / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for card in map(load_card, list_tasks()):
        path, stamp = folder / f"{card.name}.png", folder / f"{card.name}.digest"
        if path.exists() and stamp.exists() and stamp.read_text() == card.digest:
            continue
        near, far = first_of_each_class(card.task, SHOWN[card.task.dim], seed=card.seeds.digest)
        plot_examples(card.task, near, far).savefig(path, dpi=110)
        stamp.write_text(card.digest)


def command_line_page() -> str:
    """The help of every command, as typer writes it."""
    command = [sys.executable, "-m", "typer", "scaledetect.cli.app", "utils", "docs", "--name", "scaledetect"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    title, _, rest = found.partition("\n")
    assert title == "# `scaledetect`", title
    return f"# Command line\n\n{rest.strip()}\n"


def _on_start(app: Any) -> None:
    draw_cards()
    write_text(GENERATED / "cards.md", cards_page())
    write_text(GENERATED / "command-line.md", command_line_page())


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _on_start)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
