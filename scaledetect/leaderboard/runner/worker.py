"""Worker: evaluates runs one after another on one thread each, and writes nothing."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from scaledetect.leaderboard.records import Environment
from scaledetect.leaderboard.scoring import Outcome, Run

__all__ = ["THREADS", "THREAD_SETTINGS", "Done", "serve", "without_home", "work"]

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
        # Asked afterwards, when all is loaded that the run needs; and on the threads that it had.
        with one_thread():
            here = Environment.here(THREADS)
        done.append(Done(run, _anonymous(outcome), seconds, here))
    return done


def _anonymous(outcome: Outcome) -> Outcome:
    return replace(outcome, reason=without_home(outcome.reason))


def without_home(reason: str) -> str:
    """`reason` without the user's folder, which errors about files name, in characters that a record can hold."""
    home, reason = str(Path.home()), reason.encode("utf-8", "backslashreplace").decode("utf-8")
    return reason if len(home) < 2 else reason.replace(home, "~")


def serve(driver: int) -> None:
    """Life of a worker process: answer calls from standard input on standard output until the driver is gone.

    Parameters
    ----------
    driver : int
        Process that started it: one that was killed before the worker had started is noticed too.
    """
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _redirect_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the driver's to handle
    threading.Thread(target=_end_with, args=(driver,), daemon=True).start()
    sys.path[:], memory = pickle.loads(_next(calls))
    _limit_memory(memory)
    while message := _next(calls):
        answer = _answer(message)
        answers.write(len(answer).to_bytes(8, "little") + answer)
        answers.flush()


def _answer(message: bytes) -> bytes:
    """Pickle of whether the call of `message` went well, and of what it returned or raised."""
    try:
        function, arguments = pickle.loads(message)
        result = True, function(*arguments)
    except Exception as error:
        result = False, error
    try:
        return pickle.dumps(result)
    except Exception:
        return pickle.dumps((False, RuntimeError(f"cannot be sent back: {result[1]!r}"[:500])))


def _redirect_output() -> None:
    """Standard output joins standard error, which the driver keeps in a file; standard input is empty."""
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a name of the system, no path
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)


def _limit_memory(limit: int | None) -> None:
    if limit is None:
        return
    try:
        import resource
    except ModuleNotFoundError:  # no such system call: the limit cannot be kept here
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _next(calls: IO[bytes]) -> bytes:
    """The next message; empty where the driver is gone."""
    size = int.from_bytes(calls.read(8), "little")
    return calls.read(size)


def _end_with(driver: int) -> None:
    # A killed driver closes nothing: a worker in the middle of a run would work on for nobody.
    while os.getppid() == driver:
        time.sleep(_HEARTBEAT)
    os._exit(1)
