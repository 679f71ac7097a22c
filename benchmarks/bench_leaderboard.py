"""`scaledetect leaderboard` on 10,000 records, a file each and in lines, and on the published ones: the whole process.

Limits: 2 s for 10,000 and for the published board; 20 s and 1 GB for 100,000, which take minutes to make.
Run: python benchmarks/bench_leaderboard.py [100000]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import scaledetect as sd
from scaledetect.leaderboard.records import Environment, Record, merge_records, write_record
from scaledetect.sampling.keys import STREAM_VERSION

N = 10_000
LIMITS = {N: 2.0, 100_000: 20.0}
MEMORY_LIMIT = 1e9
CARDS = ("block-1d-L512-xi128", "block-2d-L16-xi8", "distance-1d-L512-xi128", "distance-2d-L16-xi8.5-open")
ENTRIES = 25
SIZES = (32, 64, 128, 256, 512)


def make_records(folder, n):
    here = Environment.here(1)
    cards = {name: sd.load_card(name) for name in CARDS}
    for number in range(n):
        number, card = divmod(number, len(CARDS))
        number, entry = divmod(number, ENTRIES)
        seed, size = divmod(number, len(SIZES))
        found = cards[CARDS[card]]
        n_wrong = (37 * seed + 11 * entry + card) % 200
        error = n_wrong / 1000
        scores = {
            "n_test": 1000, "n_wrong": n_wrong, "test_error": error,
            "test_error_stderr": float(np.sqrt(error * (1 - error) / 1000)), "train_error": 0.0,
            "validation_error": 0.1, "D": 0.1 + entry, "D_stderr": 0.01, "G": 1.0, "G_stderr": 0.1, "R": 0.1,
            "R_stderr": 0.01, "served": {"train": SIZES[size], "validation": 0, "test": 0},
        }  # fmt: skip
        record = Record.seal(
            card=found.name, card_version=found.version, stream_version=STREAM_VERSION, data_digest=found.digest,
            entry=f"entry-{entry}", entry_version=1, exact=False, n_train=SIZES[size], seed=seed,
            configuration={"width": 128, "lr": 0.01, "filter_size": 2, "stride": 2, "depth": 3}, status="ok",
            reason="", scores=scores, fit_seconds=1.0, predict_seconds=0.1, wall_seconds=1.5, environment=here,
        )  # fmt: skip
        write_record(folder, record)


def median_seconds(*arguments, repeats=5):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        command = [sys.executable, "-m", "scaledetect", "leaderboard", *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def tell(what, seconds, limit):
    print(f"{'ok  ' if seconds <= limit else 'OVER'} {what} {seconds:.2f} s, limit {limit:.0f} s")


def main(n: int) -> None:
    limit, forms = LIMITS[n], ("table", "csv", "md", "json") if n == N else ("table",)
    repeats = 5 if n == N else 1
    with tempfile.TemporaryDirectory() as folder:
        files, lines = Path(folder, "files"), Path(folder, "lines")
        make_records(files, n)
        for form in forms:
            tell(f"{n} records as {form}", median_seconds(files, "--alone", "--format", form, repeats=repeats), limit)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        print(
            f"{'ok  ' if peak <= MEMORY_LIMIT else 'OVER'} peak {peak / 1e6:.0f} MB, limit {MEMORY_LIMIT / 1e6:.0f} MB"
        )
        merge_records([files], lines, lines=True)
        tell(f"{n} records in lines", median_seconds(lines, "--alone", repeats=repeats), limit)
    tell("the published board", median_seconds(), LIMITS[N])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else N)
