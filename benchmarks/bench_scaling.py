"""How set-up and sampling scale: time to build a task and draw its first thousand, and time a sample against n.

Limit: 2 s and 100 MB above the import baseline for the 2-D task with L = 65,536. Each row is a process of its own.
Run: python benchmarks/bench_scaling.py
"""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import json, resource, sys, time
import scaledetect as sd
from scaledetect._kernels import backend
sd.sample_pairs(sd.Task(dim={dim}, size=9, xi=3, periodic={periodic}), 10)
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start = time.perf_counter()
task = sd.Task(dim={dim}, size={size}, xi={xi}, periodic={periodic})
sd.sample_pairs(task, 1000)
first = time.perf_counter() - start
above = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - base
start = time.perf_counter()
sd.sample_pairs(task, {n})
print(json.dumps([first, above, time.perf_counter() - start]))
"""

ROWS = [
    (dim, size, periodic, 1_000_000)
    for dim, sizes in ((1, (2**10, 2**20, 2**32)), (2, (2**8, 2**12, 2**16)), (3, (2**4, 2**7, 2**10)))
    for size in sizes
    for periodic in (True, False)
]


def main() -> None:
    print("dim       L   border   first thousand    above import   1,000,000 pairs (with set-up kept)")
    for dim, size, periodic, n in ROWS:
        n = min(n, size**dim // 4)
        code = CODE.format(dim=dim, size=size, xi=size // 4, periodic=periodic, n=n)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        first, above, many = json.loads(done.stdout)
        border = "periodic" if periodic else "open"
        limit = ""
        if (dim, size) == (2, 2**16):
            limit = "  ok" if first < 2 and above < 100 else "  OVER: limits 2 s and 100 MB"
        rate = f"{many / n * 1e9:>12.1f} ns a pair"
        print(f"{dim:>3} {size:>12} {border:>8} {first:>10.3f} s {above:>12.1f} MB {rate}{limit}")


if __name__ == "__main__":
    main()
