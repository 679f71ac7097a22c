"""``python -m fuzz [CASES [FIRST]]`` tries cases, 10^5 by default; ``python -m fuzz TARGET NUMBER`` one again."""

from __future__ import annotations

import multiprocessing as mp
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from multiprocessing.connection import Connection

from fuzz.run import TARGETS, Outcome, run_case, work

PATIENCE = 90
"""Wall seconds without a word after which a worker is taken for hung."""

ROUND = 4000
"""Cases of one worker: what a case leaves behind is gone with its process."""


def run(cases: int, first: int = 0) -> int:
    """Run so many cases from number `first` on and print the counts; the number of violations."""
    # A worker that is killed leaves its folder behind.
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        os.environ["TMPDIR"] = folder
        return _run(first, first + cases)


def _run(first: int, end: int) -> int:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    violations: dict[str, list[str]] = defaultdict(list)
    start, done = time.perf_counter(), first
    while done < end:
        ours, theirs = mp.Pipe(duplex=False)
        begun, last = done, min(done + ROUND, end)
        process = mp.get_context("spawn").Process(target=work, args=(theirs, done, last), daemon=True)
        process.start()
        theirs.close()
        while done < last:
            try:
                i, target, outcome = _received(ours)
            except EOFError:
                # The first case of a worker counts what loads before it: there the worker itself is at fault.
                if done == begun and not process.is_alive():
                    sys.exit("a worker ended before its first case")
                i, target = done, TARGETS[done % len(TARGETS)]
                outcome = Outcome("violation", "hung, or took its process along")
            done = i + 1
            counts[target][outcome.kind] += 1
            if outcome.kind == "violation":
                violations[target].append(f"{i}: {outcome.why}")
                print(f"{target} {i}: {outcome.why}", flush=True)
                if outcome.why.startswith("hung"):
                    break
        process.kill()
        process.join()
    return report(counts, violations, time.perf_counter() - start)


def _received(pipe: Connection) -> tuple[int, str, Outcome]:
    if not pipe.poll(PATIENCE):
        raise EOFError
    found: tuple[int, str, Outcome] = pipe.recv()
    return found


def report(counts: dict[str, Counter[str]], violations: dict[str, list[str]], seconds: float) -> int:
    """Print counts per target and altogether; the number of violations, or of what else falls short."""
    for target, found in sorted(counts.items()):
        print(f"{target:45} {found['works']:7} work {found['refused']:7} refused {found['violation']:5} violations")
    total = sum(counts.values(), Counter())
    n = sum(total.values())
    print(f"{n} cases in {seconds:.0f} s: {total['works'] / n:.1%} valid, {total['violation']} violations")
    return sum(map(len, violations.values())) + (total["works"] < n / 10)


if __name__ == "__main__":
    asked = sys.argv[1:] or ["100000"]
    if not asked[0].isdigit():
        print(*run_case(asked[0], int(asked[1])))
    else:
        sys.exit(min(1, run(*map(int, asked))))
