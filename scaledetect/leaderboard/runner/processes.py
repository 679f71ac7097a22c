"""Worker processes of this machine, each watched by itself: time and memory limits, deaths, captured output."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any

from scaledetect._base.arguments import positive

__all__ = ["OUTPUT_TAIL", "ProcessExecutor", "RunLimits", "TimeLimitError", "WorkerDiedError"]

OUTPUT_TAIL = 1000
"""Characters that are kept of what a worker printed."""


@dataclass(frozen=True)
class RunLimits:
    """What a run may take; what takes more is recorded as failed, and its worker replaced.

    Parameters
    ----------
    seconds : float, optional
        Wall time of a run. Default: any.
    memory_gb : float, optional
        Memory of a worker, in GB of 10^9 bytes, at least 1; kept by systems with ``RLIMIT_DATA``, such as Linux.
        Default: any.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range.
    """

    seconds: float | None = None
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "memory_gb"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, positive(name, getattr(self, name)))

    @property
    def memory_bytes(self) -> int | None:
        """`memory_gb` in bytes."""
        return None if self.memory_gb is None else int(self.memory_gb * 10**9)


class WorkerDiedError(BrokenExecutor):
    """A worker process ended in the middle of its work; the others go on."""


class TimeLimitError(Exception):
    """The work took longer than its limit, and its process was killed."""


class ProcessExecutor(Executor):
    """Processes that start afresh, on first use, and take one call at a time; one that ends is replaced.

    A call and its result travel as pickles over the standard input and output of the process; what the work itself
    prints goes to a file, whose end stands in the message where the process dies.

    Parameters
    ----------
    workers : int
        Number of processes.
    environment : dict of str to str
        Added to the environment of each.
    limits : RunLimits
        Of one item of a call: a call of n items, its first argument, may take n times as long.
    """

    def __init__(self, workers: int, environment: dict[str, str], limits: RunLimits) -> None:
        self._environment, self._limits = environment, limits
        self._calls: SimpleQueue[tuple[Future[Any], bytes, int] | None] = SimpleQueue()
        self._slots = [_Slot(self) for _ in range(workers)]
        self._threads = [threading.Thread(target=self._serve, args=(slot,), daemon=True) for slot in self._slots]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Have ``fn(*args)`` computed."""
        # Code of a script, which has no module to import it from, is sent by value.
        from joblib.externals.loky.backend.reduction import dumps

        future: Future[Any] = Future()
        self._calls.put((future, bytes(dumps((fn, args))), max(1, len(args[0]))))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """Kill the processes; calls that are not done are cancelled."""
        while not self._calls.empty():
            if (call := self._calls.get()) is not None:
                call[0].cancel()
        for _ in self._threads:
            self._calls.put(None)
        for slot in self._slots:
            slot.close()
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self, slot: _Slot) -> None:
        while (call := self._calls.get()) is not None:
            future, message, items = call
            try:
                result = slot.ask(message, items)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        slot.close()


class _Slot:
    """The place of one process."""

    def __init__(self, executor: ProcessExecutor) -> None:
        self._executor, self._limits = executor, executor._limits
        self._process: subprocess.Popen[bytes] | None = None
        self._printed: IO[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, message: bytes, items: int) -> Any:
        """What the process answers; raises what its work raised, or how it ended."""
        process = self._start()
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        seconds = self._limits.seconds
        timer = None if seconds is None else threading.Timer(seconds * items, end)
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            _send(process.stdin, message)
            ok, answer = pickle.loads(_receive(process.stdout))
        except (OSError, EOFError) as error:
            raise self._how_it_ended(process, late.is_set()) from error
        finally:
            if timer is not None:
                timer.cancel()
        if not ok:
            raise answer
        return answer

    def close(self) -> None:
        """Kill the process."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
                _discard(self._process)
            if self._printed is not None:
                self._printed.close()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise WorkerDiedError("the pool is closed")
            if self._process is None or self._process.poll() is not None:
                self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - the process writes to it
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _BOOT, str(os.getpid())],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._printed,
                    env={**os.environ, **self._executor._environment},
                )  # fmt: skip
                assert self._process.stdin is not None
                _send(self._process.stdin, pickle.dumps((sys.path, self._limits.memory_bytes)))
            return self._process

    def _how_it_ended(self, process: subprocess.Popen[bytes], late: bool) -> Exception:
        code = process.wait()
        _discard(process)
        tail = self._tail()
        if late:
            return TimeLimitError(f"took longer than the limit of {self._limits.seconds:g} s{tail}")
        return WorkerDiedError(f"a worker ended with exit code {code}{tail}")

    def _tail(self) -> str:
        """The end of what the process printed, to be put behind a message."""
        with self._lock:
            if self._printed is None or self._printed.closed:
                return ""
            size = self._printed.seek(0, os.SEEK_END)
            self._printed.seek(max(0, size - 4 * OUTPUT_TAIL))
            text = self._printed.read().decode("utf-8", "replace").strip()[-OUTPUT_TAIL:]
            self._printed.close()
        return f"; it printed: {' '.join(text.split())}" if text else ""


_BOOT = "import sys; from scaledetect.leaderboard.runner.worker import serve; serve(int(sys.argv[1]))"


def _discard(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        try:
            if stream is not None:
                stream.close()
        except OSError:  # what it had not read
            pass


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(len(message).to_bytes(8, "little") + message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    size = int.from_bytes(head, "little")
    message = stream.read(size)
    if len(message) < size:
        raise EOFError
    return message
