"""Worker processes: one that hangs, eats memory, dies or prints harms nothing but its own call."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from scaledetect.leaderboard.runner.processes import (
    ProcessExecutor,
    RunLimits,
    TimeLimitError,
    WorkerDiedError,
)


def behave(items: tuple[str, ...]) -> Any:
    (what,) = items
    if what == "hang":
        time.sleep(600)
    if what == "die":
        sys.stdout.write("x" * 5000 + " last words\n")
        sys.stdout.flush()
        os._exit(7)
    if what == "raise":
        raise LookupError("no such thing")
    if what == "eat":
        return len(bytearray(4 * 10**9))
    print("noise on standard output, which is the channel of the answers")  # noqa: T201
    return what, os.getpid()


def behave_slowly(items: tuple[str, ...]) -> int:
    """A call of many items, which may take as many times the limit of one."""
    time.sleep(1.2)
    return len(items)


@pytest.fixture(scope="module")
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor(2, {}, RunLimits(memory_gb=2))
    yield executor
    executor.shutdown()


def ask(executor: ProcessExecutor, what: str) -> Future[Any]:
    return executor.submit(behave, (what,))


def test_a_call_that_goes_wrong_harms_no_other(executor: ProcessExecutor) -> None:
    hanging = ask(executor, "hang")  # takes one of the two workers
    (name, first), (_, second) = ask(executor, "fine").result(60), ask(executor, "fine").result(60)
    assert name == "fine" and first == second != os.getpid()
    with pytest.raises(WorkerDiedError, match=r"exit code 7; it printed: x+ last words") as dead:
        ask(executor, "die").result(60)
    assert len(str(dead.value)) < 1100
    assert ask(executor, "fine").result(60)[1] != first
    with pytest.raises(LookupError, match="no such thing"):
        ask(executor, "raise").result(60)
    assert not hanging.done()


def test_a_call_that_takes_too_long_is_ended_and_its_worker_replaced() -> None:
    # The time counts from the start of the worker, so that this one is late whatever it does.
    executor = ProcessExecutor(1, {}, RunLimits(seconds=1.0))
    try:
        with pytest.raises(TimeLimitError, match=r"longer than the limit of 1 s"):
            ask(executor, "hang").result(60)
        assert executor.submit(behave_slowly, tuple("x" * 60)).result(60) == 60
    finally:
        executor.shutdown()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems keep no limit of this kind")
def test_memory_has_a_limit(executor: ProcessExecutor) -> None:
    with pytest.raises(MemoryError):
        ask(executor, "eat").result(60)


def test_a_worker_whose_driver_was_killed_before_it_started_ends() -> None:
    code = "from scaledetect.leaderboard.runner.worker import serve; serve(1 << 22)"
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert worker.wait(60) == 1
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.parametrize("options", [{"seconds": 0}, {"memory_gb": -1}, {"seconds": "long"}])
def test_refusals(options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(options))):
        RunLimits(**options)
