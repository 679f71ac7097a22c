"""``python -m fuzz [CASES [FIRST [WORKERS]]]`` tries cases, 10^5 by default; ``... TARGET NUMBER`` one again."""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from fuzz.run import TARGETS, Outcome, run_case, work

PATIENCE = 300
"""Wall seconds without a word after which a worker is taken for hung: a loaded machine gives it a tenth of a core."""

ROUND = 4000
"""Cases of one worker: what a case leaves behind is gone with its process."""


def run(cases: int, first: int = 0, workers: int = 1) -> int:
    """Run so many cases from number `first` on and print the counts; the number of violations."""
    # A worker that is killed leaves its folder behind.
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        os.environ["TMPDIR"] = folder
        # Modules are loaded once, in the process that workers are forked from.
        mp.set_forkserver_preload(["fuzz.run"])
        start, end = time.perf_counter(), first + cases
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        rounds = [(begin, min(begin + ROUND, end)) for begin in range(first, end, ROUND)]
        with ThreadPoolExecutor(workers) as lanes:
            for (begin, last), found in zip(rounds, lanes.map(_round, rounds), strict=True):
                for target, outcome in found:
                    counts[target][outcome.kind] += 1
                print(f"cases {begin} to {last - 1}: done after {time.perf_counter() - start:.0f} s", flush=True)
        return report(counts, time.perf_counter() - start)


def _round(bounds: tuple[int, int]) -> list[tuple[str, Outcome]]:
    """The outcomes of some cases; where one takes its worker along, another worker goes on behind it."""
    done, last = bounds
    found: list[tuple[str, Outcome]] = []
    while done < last:
        for target, outcome in _outcomes(done, last):
            found.append((target, outcome))
            if outcome.kind == "violation":
                print(f"{target} {done}: {outcome.why}", flush=True)
            done += 1
    return found


def _outcomes(first: int, last: int) -> Iterator[tuple[str, Outcome]]:
    """The outcomes that one worker gives, up to a case that it does not outlive."""
    ours, theirs = mp.Pipe(duplex=False)
    process = mp.get_context("forkserver").Process(target=work, args=(theirs, first, last), daemon=True)
    process.start()
    theirs.close()
    try:
        try:
            _received(ours)
        except EOFError:
            sys.exit("a worker ended, or hung, before its first case")
        for i in range(first, last):
            try:
                outcome = _received(ours)
            except EOFError:
                outcome = Outcome("violation", "hung, or took its process along")
            yield TARGETS[i % len(TARGETS)], outcome
            if outcome.why.startswith("hung"):
                return
    finally:
        process.kill()
        process.join()


def _received(pipe: Connection) -> Outcome:
    if not pipe.poll(PATIENCE):
        raise EOFError
    found: Outcome = pipe.recv()
    return found


def report(counts: dict[str, Counter[str]], seconds: float) -> int:
    """Print counts per target and altogether; the number of violations, or of what else falls short."""
    for target, found in sorted(counts.items()):
        print(f"{target:45} {found['works']:7} work {found['refused']:7} refused {found['violation']:5} violations")
    total = sum(counts.values(), Counter())
    n = sum(total.values())
    print(f"{n} cases in {seconds:.0f} s: {total['works'] / n:.1%} valid, {total['violation']} violations")
    return total["violation"] + (total["works"] < n / 10)


if __name__ == "__main__":
    asked = sys.argv[1:] or ["100000"]
    if not asked[0].isdigit():
        print(*run_case(asked[0], int(asked[1])))
    else:
        sys.exit(min(1, run(*map(int, asked))))
