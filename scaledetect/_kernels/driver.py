"""Threads for the serial kernels, which hold no GIL.

Threads are made for each call and end with it. So nothing survives a fork, any number of threads may call at once, and
the result cannot depend on the number of threads: each writes its own rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import parent_process

__all__ = ["CHUNK", "for_chunks", "thread_count"]

CHUNK = 1 << 14
"""Samples a kernel call handles at a time: the scratch arrays of a chunk stay in the cache."""


def thread_count() -> int:
    """Threads in use: SCALEDETECT_NUM_THREADS, else the processors this process may run on; 1 in a worker process."""
    setting = os.environ.get("SCALEDETECT_NUM_THREADS", "")
    if setting:
        if not setting.isdigit() or int(setting) < 1:
            raise ValueError(f"SCALEDETECT_NUM_THREADS={setting!r}: must be an integer of at least 1")
        return int(setting)
    if parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_chunks(work: Callable[[int, int], None], n: int, *, chunk: int = CHUNK, least: int = 2 * CHUNK) -> None:
    """Call ``work(start, stop)`` on consecutive ranges that cover 0..n-1; on several threads from `least` rows on."""
    starts = range(0, n, chunk)
    threads = min(thread_count(), len(starts))
    if threads < 2 or n < least:
        for start in starts:
            work(start, min(start + chunk, n))
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda start: work(start, min(start + chunk, n)), starts):
            pass
