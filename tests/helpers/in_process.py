"""A pool that evaluates in this process, on one thread: what a test needs no processes for."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scaledetect.leaderboard.runner import Pool
from scaledetect.leaderboard.runner.pools import Death
from scaledetect.leaderboard.runner.worker import work
from scaledetect.leaderboard.scoring import Run


class InProcessPool(Pool[Run]):
    """`make_pool` without the seconds that a process takes to load its libraries."""

    def __init__(self, jobs: int = 1, scheduler: str | None = None, limits: object = None) -> None:
        assert jobs >= 1
        assert scheduler is None
        super().__init__(partial(work, folder=str(Path.cwd())))

    @property
    def workers(self) -> int:
        return 1

    def _start(self) -> Executor:
        return ThreadPoolExecutor(1)

    def died(self, result: object) -> Death:
        return ""

    def close(self) -> None:
        self._executor.shutdown()
