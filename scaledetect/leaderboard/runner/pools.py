"""Executors: processes of this machine, or the workers of a Dask scheduler."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, Literal, TypeVar

from scaledetect._base.errors import bad_value
from scaledetect.leaderboard.runner.processes import ProcessExecutor, RunLimits, TimeLimitError, WorkerDiedError
from scaledetect.leaderboard.runner.worker import THREAD_SETTINGS

__all__ = ["DaskPool", "Death", "Finished", "Pool", "ProcessPool"]

T = TypeVar("T")

Death = Literal["", "again", "final"]
"""Whether the work ended its worker: no, or yes and it may be tried again, or yes and it may not."""


@dataclass(frozen=True)
class Finished(Generic[T]):
    """A batch whose work has ended.

    Attributes
    ----------
    batch : tuple
    result : object
        What the work returned, or the exception that ended it.
    """

    batch: tuple[T, ...]
    result: Any


class Pool(ABC, Generic[T]):
    """Batches in, finished batches out, over any `concurrent.futures.Executor`.

    Parameters
    ----------
    work : callable
        Called in a worker with a tuple of items.
    """

    def __init__(self, work: Callable[[tuple[T, ...]], Any]) -> None:
        self._work = work
        self._inbox: SimpleQueue[Finished[T] | None] = SimpleQueue()
        self._executor = self._start()

    @property
    @abstractmethod
    def workers(self) -> int:
        """Batches that are computed at the same time."""

    @abstractmethod
    def _start(self) -> Executor:
        """A new executor."""

    @abstractmethod
    def close(self) -> None:
        """End the work; what has been begun is lost."""

    def submit(self, batch: tuple[T, ...]) -> None:
        """Have `batch` computed; `next` returns it when it is."""

        def arrived(future: Future[Any]) -> None:
            error = CancelledError("was cancelled") if future.cancelled() else future.exception()
            self._inbox.put(Finished(batch, future.result() if error is None else error))

        try:
            future = self._executor.submit(self._work, batch)
        except Exception as error:  # it broke, or lost its scheduler, since the last batch
            self._inbox.put(Finished(batch, error))
        else:
            future.add_done_callback(arrived)

    def next(self) -> Finished[T] | None:
        """The next batch that is finished, waiting for it; None after `interrupt`."""
        return self._inbox.get()

    def arrived(self) -> Iterator[Finished[T]]:
        """What is finished by now, without waiting."""
        while not self._inbox.empty():
            if (finished := self._inbox.get()) is not None:
                yield finished

    def interrupt(self) -> None:
        """Have `next` return None; may be called from a signal handler."""
        self._inbox.put(None)

    @abstractmethod
    def died(self, result: object) -> Death:
        """Whether `result` says that the work ended a worker, and whether it may be handed out again."""


class ProcessPool(Pool[T]):
    """Processes of this machine, one thread each; they start afresh, hold no fork of the driver, and end with it."""

    def __init__(self, work: Callable[[tuple[T, ...]], Any], jobs: int, limits: RunLimits = RunLimits()) -> None:
        self._jobs, self._limits = jobs, limits
        super().__init__(work)

    @property
    def workers(self) -> int:
        """The number of processes."""
        return self._jobs

    def _start(self) -> Executor:
        return ProcessExecutor(self._jobs, THREAD_SETTINGS, self._limits)

    def died(self, result: object) -> Death:
        """A death may be the machine's doing, a run that is too slow is so every time."""
        if isinstance(result, TimeLimitError):
            return "final"
        return "again" if isinstance(result, WorkerDiedError) else ""

    def close(self) -> None:
        """Kill the processes."""
        self._executor.shutdown(wait=True)


PATIENCE = 10.0
"""Seconds to wait for a scheduler."""

_COUNT_SECONDS = 5.0


class DaskPool(Pool[T]):
    """The workers of a running Dask scheduler; they may come and go.

    Parameters
    ----------
    work : callable
    scheduler : str
        Its address, as in ``tcp://10.0.0.1:8786``.

    Raises
    ------
    ValueError
        When `distributed` is not installed, or nothing answers at the address.
    """

    def __init__(self, work: Callable[[tuple[T, ...]], Any], scheduler: str) -> None:
        self._scheduler = scheduler
        self._counted, self._count = -math.inf, 1
        super().__init__(work)

    @property
    def workers(self) -> int:
        """Threads of all workers that the scheduler has, as of a few seconds ago; 1 while it waits for the first."""
        if time.monotonic() - self._counted > _COUNT_SECONDS:
            self._count = max(1, sum(self._client.nthreads().values()))
            self._counted = time.monotonic()
        return self._count

    def _start(self) -> Executor:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            way_out = "install scaledetect[dask]"
            raise bad_value("scheduler", self._scheduler, "needs the package distributed", way_out) from error
        try:
            self._client = Client(self._scheduler, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise bad_value("scheduler", self._scheduler, f"no Dask scheduler answers there ({error})") from error
        executor: Executor = self._client.get_executor(pure=False)
        return executor

    def died(self, result: object) -> Death:
        """The scheduler gives a batch up when several workers died over it."""
        from distributed import KilledWorker

        return "final" if isinstance(result, KilledWorker) else ""

    def close(self) -> None:
        """Take back what was handed out and leave the scheduler; its workers stay."""
        self._executor.shutdown(wait=False)
        self._client.close()
