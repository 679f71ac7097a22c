"""Threads for the serial kernels, which hold no GIL.

Threads are made for each call and end with it. So nothing survives a fork, any number of threads may call at once, and
the result cannot depend on the number of threads: each writes its own rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import parent_process

from scaledetect._base.errors import InvalidValueError

__all__ = ["CHUNK", "LEAST", "for_chunks", "for_rows", "thread_count"]

CHUNK = 1 << 16
"""Samples, or numbers of all its rows, that a kernel call handles at most: they stay in the second-level cache."""

LEAST = 1 << 15
"""Samples below which threads cost more than they save."""


def thread_count() -> int:
    """Threads in use: SCALEDETECT_NUM_THREADS, else the processors this process may run on; 1 in a worker process."""
    setting = os.environ.get("SCALEDETECT_NUM_THREADS", "")
    if setting:
        if not setting.isdigit() or int(setting) < 1:
            raise InvalidValueError(f"SCALEDETECT_NUM_THREADS={setting!r}: must be an integer of at least 1")
        return int(setting)
    if parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_chunks(work: Callable[[int, int], None], n: int, *, chunk: int = CHUNK, least: int = LEAST) -> None:
    """Call ``work(start, stop)`` on consecutive ranges that cover 0..n-1; on several threads from `least` rows on."""
    threads = thread_count() if n >= least else 1
    chunk = max(1, min(chunk, -(-n // threads)))
    ranges = [(start, min(start + chunk, n)) for start in range(0, n, chunk)]

    def share(number: int) -> None:
        for start, stop in ranges[number::threads]:
            work(start, stop)

    if threads == 1:
        share(0)
        return
    # The calling thread, which has a processor and a warm cache, takes the first share itself.
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(share, number) for number in range(1, threads)]
        share(0)
        for other in others:
            other.result()


def for_rows(work: Callable[[int, int], None], n: int, width: int) -> None:
    """`for_chunks` over n rows of `width` numbers each; on several threads from two chunks on."""
    rows = max(1, CHUNK // max(1, width))
    for_chunks(work, n, chunk=rows, least=2 * rows)
