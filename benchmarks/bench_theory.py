"""Exact theory by the fast path: 1-D, L = 2^20, F = 3, s = 1, all of 1000 layers; how it scales in L; wide windows.

Limits: 5 s and 500 MB for the whole process. The rival in the same run is one FFT of the lattice for each layer, the
least a direct evaluation of the spectrum at every layer would cost. Signed noise on windows that overlap widely (2-D,
F = 15, L = 28): 1 s. Run: python benchmarks/bench_theory.py
"""

from __future__ import annotations

import resource
import time

import numpy as np
from scipy.fft import rfft

import scaledetect as sd

LAYERS = 1000


def main() -> None:
    noise = sd.Noise(mode="rectified_noise")
    sd.theory.sensitivities(sd.Task(size=64, xi=16), depth=2, noise=noise)  # imports
    print("     L   layers   seconds   an FFT a layer   peak MB")
    for exponent in (12, 14, 16, 18, 20):
        task = sd.Task(size=2**exponent, xi=2 ** (exponent - 4))
        start = time.perf_counter()
        sd.theory.sensitivities(task, filter_size=3, stride=1, depth=LAYERS, noise=noise)
        seconds = time.perf_counter() - start
        signal = np.random.default_rng(0).random(task.size)
        start = time.perf_counter()
        for _ in range(10):
            rfft(signal)
        rival = (time.perf_counter() - start) / 10 * LAYERS
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  2^{exponent:<3} {LAYERS:>6} {seconds:>9.3f} {rival:>16.3f} {peak:>9.0f}   ratio {seconds / rival:.3f}x"
        )
    kept = "ok" if seconds < 5 and peak < 500 else "OVER"
    print(f"{kept}: L = 2^20 in {seconds:.2f} s (limit 5 s), process peak {peak:.0f} MB (limit 500 MB)")


def wide_windows() -> None:
    for labelling in ("distance", "block"):
        task = sd.Task(dim=2, size=28, xi=14, labelling=labelling, periodic=False)
        start, cpu = time.perf_counter(), time.process_time()
        sd.theory.sensitivities(task, filter_size=15, stride=1, depth=1)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        kept = "ok" if seconds < 1 else "OVER"
        print(
            f"{kept}: signed noise, 2-D {labelling}, F = 15, L = 28 in {seconds:.2f} s ({cpu:.2f} s of the processor)"
        )


if __name__ == "__main__":
    main()
    wide_windows()
