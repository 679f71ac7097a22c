"""``python -m mutants [--sample N]`` tries a sample of mutants of the core and prints the score of each part of it.

Tests that run the changed function come first, then all of the group: ``--covering`` leaves the latter out, which is
quicker where many survive, and gives a score that is at most too low. ``--survivors`` tries those again that survived
the last time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from mutants.covering import Covering, Only
from mutants.judging import LIMIT_SECONDS, Copy, load_libraries
from mutants.selecting import ROOT, Group, Mutant, equivalents, groups, mutants_of, sample

LAST = ROOT / "results" / "mutants.jsonl"

LEAST_SCORE = 0.9
"""Share of the mutants, less the accepted equivalents, that tests must kill."""

MOST_EQUIVALENT = 0.03


def run(mutants: list[Mutant], covering_only: bool = False) -> Counter[str]:
    """Judge each, print those that survive and the counts; how many of each verdict."""
    accepted = equivalents()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    start = time.perf_counter()
    LAST.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, LAST.open("w", encoding="utf-8") as last:
        copy = Copy(Path(folder))
        sound: dict[Group, Covering] = {}
        for i, mutant in enumerate(mutants):
            if mutant.key in accepted:
                verdict, seconds = "equivalent", 0.0
            else:
                _check_sound(mutant.group, copy, sound)
                with copy.holding(mutant.file, mutant.code()):
                    verdict, seconds = _judge(mutant, copy, sound[mutant.group], covering_only)
            counts[mutant.group.name][verdict] += 1
            print(f"{i + 1}/{len(mutants)} {verdict} {seconds:.1f} s {mutant.file}:{mutant.line}", flush=True)
            if verdict == "survived":
                print(f"    - {mutant.before}\n    + {mutant.after}", flush=True)
            last.write(json.dumps({"verdict": verdict, "key": mutant.key}) + "\n")
            last.flush()
    return _report(counts, time.perf_counter() - start)


def _judge(mutant: Mutant, copy: Copy, covering: Covering, covering_only: bool) -> tuple[str, float]:
    tests = mutant.group.tests
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    first = covering.of(mutant.file, source, mutant.line)
    if first is None:
        return copy.judge(tests)
    # What goes round for ever needs no longer to show it.
    limit = min(LIMIT_SECONDS, 30 + 2 * math.ceil(covering.time_of(first)))
    verdict, seconds = copy.judge(tests, (Only(first, frozenset(covering.seconds)),), limit)
    if verdict == "survived" and not covering_only:
        verdict, more = copy.judge(tests)
        seconds += more
    return verdict, seconds


def _check_sound(group: Group, copy: Copy, sound: dict[Group, Covering]) -> None:
    """The tests of a group pass on the code as it is; what they call is kept for the next time."""
    if group in sound:
        return
    start = time.perf_counter()
    path = LAST.with_name(f"covering-{_stamp(group)}.json")
    if not path.exists() and copy.covering(group.files, group.tests, path) != "survived":
        path.unlink(missing_ok=True)
        sys.exit(f"tests of {group.name} fail without a mutant:\n{copy.log.read_text(encoding='utf-8')[-3000:]}")
    print(f"tests of {group.name}: {time.perf_counter() - start:.0f} s", flush=True)
    sound[group] = Covering.load(path)


def _stamp(group: Group) -> str:
    """Other for other code. Tests that are new since run for each mutant."""
    digest = hashlib.sha256(repr(group).encode())
    for file in group.files:
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()[:16]


def _report(counts: dict[str, Counter[str]], seconds: float) -> Counter[str]:
    total = sum(counts.values(), Counter[str]())
    for name, found in (*sorted(counts.items()), ("all", total)):
        tried = found.total() - found["equivalent"]
        dead = found["killed"] + found["out of time"]
        share = f"{dead / tried:.0%}" if tried else "none"
        print(f"{name:14} {dead:4} of {tried:4} killed ({share}), {found['equivalent']} equivalent")
    print(f"{total.total()} mutants in {seconds:.0f} s")
    return total


def _again() -> list[Mutant]:
    """The survivors of the last run, as far as their lines are still there."""
    lines = [json.loads(line) for line in LAST.read_text(encoding="utf-8").splitlines()]
    keys = {tuple(line["key"]) for line in lines if line["verdict"] == "survived"}
    files = {key[0] for key in keys}
    every = (m for group in groups() for file in group.files if file in files for m in mutants_of(group, file))
    return list({m.key: m for m in every if m.key in keys}.values())


def main() -> int:
    """Parse the line, run, and say whether the score is reached."""
    parser = argparse.ArgumentParser(prog="python -m mutants")
    parser.add_argument("--sample", type=int, default=200, help="mutants; 0 for all, which takes days")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="name of a group; as often as wanted")
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--covering", action="store_true", help="only tests that run the changed function")
    asked = parser.parse_args()
    names = asked.only or list(dict.fromkeys(group.name for group in groups()))
    load_libraries()
    total = run(_again() if asked.survivors else list(sample(asked.sample or 10**9, asked.seed, names)), asked.covering)
    tried = total.total() - total["equivalent"]
    return int(tried - total["survived"] < LEAST_SCORE * tried or total["equivalent"] > MOST_EQUIVALENT * total.total())


if __name__ == "__main__":
    sys.exit(main())
