"""`scaledetect theories`, all stored predictions read and scored: the whole process.

Limit: 5 s. Run: python benchmarks/bench_theory_board.py
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

LIMIT = 5.0


def main() -> None:
    command = [sys.executable, "-m", "scaledetect", "theories", "--format", "csv"]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        lines = len(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()) - 1
        seconds.append(time.perf_counter() - start)
    kept = "ok  " if np.median(seconds) <= LIMIT else "OVER"
    median = np.median(seconds)
    print(f"{kept} theories, {lines} scores: {median:.2f} s [{min(seconds):.2f}, {max(seconds):.2f}] limit {LIMIT:g} s")


if __name__ == "__main__":
    main()
