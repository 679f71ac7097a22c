"""Command lines that are right, of which the fuzzer changes words."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from typer import testing

from fuzz.readers import sound
from scaledetect.cli import app

__all__ = ["COMMANDS", "line_of", "run_line"]

# A runner makes all commands anew for each line, which takes nine times as long as the line does.
testing._get_command = cache(testing._get_command)  # type: ignore[attr-defined]

CARD = "block-2d-L16-xi8"

# A word that begins with ! stays, and has the command refuse before it works.
COMMANDS: dict[str, tuple[str, ...]] = {
    "tasks": ("--kind", "theory"),
    "info": ("block-1d-L64-xi16", "--json"),
    "sample": (CARD, "--n", "20", "--seed", "3", "--split", "test", "--start", "1", "--output", "OUT.npz"),
    "theory": (
        "block-1d-L64-xi16",
        "--filter-size",
        "2,3",
        "--stride",
        "2",
        "--depth",
        "2",
        "--noise",
        "signed",
        "--json",
    ),
    "experiment": ("block-1d-L128-trained", "--json"),
    "leaderboard": ("RECORDS", "--format", "markdown"),
    "merge": ("RECORDS", "--output", "MERGED"),
    "verify": ("RECORDS", "--sample", "3", "--tolerance", "0.1", "--cards", "x.toml"),
    "theories": ("--experiments", "block-1d-L64-background-initial"),
    "doctor": ("--json",),
    "run": (
        "--cards",
        CARD,
        "--entries",
        "chance",
        "--n-train",
        "32",
        "--seeds",
        "1-3",
        "!--jobs",
        "!0",
        "--output",
        "RUNS",
    ),
    "train": ("block-1d-L64-xi16", "!--width", "!0", "--seeds", "0-2", "--n-train", "8", "--output", "TRAINED"),
    "measure": ("!nowhere.pt", "--task", "block-1d-L64-xi16", "--n", "40", "--noise", "signed"),
    "check": ("!nowhere:Net", "block-1d-L64-xi16"),
    "compare": ("!nothing", "--n", "200", "--output", "COMPARED"),
    "reproduce": ("!nothing", "--output", "FIGURES"),
}

_WORDS = (
    "", "-1", "0", "1", "2", "1e400", "nan", "inf", "99999999999999999999", "9" * 400, "0-99999999999", "3,,4", "a,b",
        "--",
    "-", "--n", "--json", "--help", "--nothing", "\0", "\ud800", "é", "x" * 300, "/dev/null/x", ".", "a:b", "None",
    "block-1d-L64-xi16", "1.5", "true", "[]", "rectified_noise", "nowhere.toml", "RECORDS", "OUT.txt", "--version",
)  # fmt: skip


def line_of(name: str, place: Path, rng: Random) -> list[str]:
    """The words of a command, some of them changed."""
    words = [name, *COMMANDS[name]]
    for _ in range(rng.choice((0, 1, 1, 2))):
        k, way = rng.randrange(len(words) + 1), rng.randrange(4)
        stays = not 0 < k < len(words) or words[k].startswith("!")
        # An option before a word that stays would take it for its value.
        if (
            way == 1
            and not words[k - 1 if k else 0].startswith("!--")
            and not "".join(words[k : k + 1]).startswith("!")
        ):
            words.insert(k, rng.choice(_WORDS))
        elif not stays and way == 0:
            words.pop(k)
        elif not stays:
            words[k] = rng.choice(_WORDS)
    words = [word.removeprefix("!") for word in words]
    places = {"RECORDS": str(sound() / "records")}
    return [places.get(word, str(place / word) if word.split(".")[0].isupper() else word) for word in words]


def run_line(words: list[str]) -> tuple[int, str, BaseException | None]:
    """Exit code, output and the exception that came through, if one did."""
    result: Any = testing.CliRunner().invoke(app, words)
    error = None if isinstance(result.exception, SystemExit) else result.exception
    return result.exit_code, result.output, error
