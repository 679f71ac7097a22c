"""Worker: evaluates runs one after another on one thread each, and writes nothing."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from scaledetect.leaderboard.records import Environment
from scaledetect.leaderboard.scoring import Outcome, Run

__all__ = ["THREADS", "Done", "start_worker", "work"]

THREADS = 1
"""Threads of a run. With one, sums are always taken in the same order; runs beside one another fill the machine."""

THREAD_SETTINGS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "SCALEDETECT_NUM_THREADS"),
    str(THREADS),
)
"""Environment of a worker process, set before it loads a library."""

_HEARTBEAT = 0.5


@dataclass(frozen=True)
class Done:
    """A run that was computed: what came out, in how many seconds, and on what."""

    run: Run
    outcome: Outcome
    seconds: float
    environment: Environment


def work(runs: tuple[Run, ...], folder: str) -> list[Done]:
    """Evaluate `runs` in turn; `folder` is where the driver's user keeps code of their own."""
    from scaledetect.leaderboard.scoring import evaluate, one_thread

    if folder not in sys.path:
        sys.path.insert(0, folder)
    done = []
    for run in runs:
        start = time.perf_counter()
        outcome = evaluate(run)
        seconds = time.perf_counter() - start
        # Asked afterwards: by then torch is loaded, which knows of a GPU; and on the threads that the run had.
        with one_thread():
            here = Environment.here(THREADS)
        done.append(Done(run, _anonymous(outcome), seconds, here))
    return done


def _anonymous(outcome: Outcome) -> Outcome:
    """Without the user's folder, which errors about files name, and in characters that a record can hold."""
    home, reason = str(Path.home()), outcome.reason.encode("utf-8", "backslashreplace").decode("utf-8")
    return replace(outcome, reason=reason if len(home) < 2 else reason.replace(home, "~"))


def start_worker() -> None:
    """Prepare a worker process: an interrupt is the driver's to handle, and a worker ends with its driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # Loaded before the first run: a worker that grows later is taken for one that leaks, and replaced.
    for library in ("sklearn.ensemble", "scaledetect.sensitivity", "scaledetect.training"):
        importlib.import_module(library)


def _end_with(parent: int) -> None:
    # A killed driver closes nothing: its workers hold both ends of their queue and would wait for ever.
    while os.getppid() == parent:
        time.sleep(_HEARTBEAT)
    os._exit(1)
