"""A copy of the repository in which one mutant after the other is put on disk and met with its tests.

Each is judged in a process forked from one that has loaded the large libraries, and nothing of the package: that saves
their loading, which takes longer than most tests. Compiled kernels are made anew when any of their files differs.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path

from mutants.covering import Recorder, with_calls_noted
from mutants.selecting import ROOT

__all__ = ["LIMIT_SECONDS", "Copy", "load_libraries"]

LIMIT_SECONDS = 120
"""Processor seconds of a mutant."""

PATIENCE = 4
"""Wall seconds for each of those: a machine that does other work is no reason to call a mutant dead."""

LIMIT_BYTES = 4 * 10**9
"""Memory that a mutant may take beyond what the process has."""

LEFT_OUT = (".*", "*.egg-info", "__pycache__", "_build", "gallery", "generated")

KERNELS = "scaledetect/_kernels/"

MADE = ("build", "dist", "results")
"""What commands write at the top of the repository; folders of these names below it are of the package."""

LIBRARIES = (
    "matplotlib.pyplot", "numba", "pandas", "pydantic", "pytest", "scipy.optimize", "scipy.stats", "sklearn.base",
    "torch", "typer.testing",
)  # fmt: skip

Verdict = str
"""killed, survived, or out of time."""


def load_libraries() -> None:
    """Load what most tests import, so that forked processes have it."""
    for name in LIBRARIES:
        import_module(name)
    ours = [name for name in sys.modules if name.partition(".")[0] == "scaledetect"]
    if ours:
        raise RuntimeError(f"loaded before it is mutated: {ours}")


class Copy:
    """The copy, and the log of what its tests print last."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "copy"
        shutil.copytree(ROOT, self.root, ignore=_left_out)
        self.log = folder / "log"
        self._edits = 0

    @contextmanager
    def holding(self, file: str, code: str) -> Iterator[None]:
        """Have `code` stand in `file`."""
        self._write(file, code)
        try:
            yield
        finally:
            self._write(file, (ROOT / file).read_text(encoding="utf-8"))

    def _write(self, file: str, code: str) -> None:
        path = self.root / file
        path.write_text(code, encoding="utf-8")
        # Compiled modules are told by whole seconds and the length: each edit has a second of its own.
        self._edits += 1
        os.utime(path, (self._edits, self._edits))

    def covering(self, files: tuple[str, ...], tests: tuple[str, ...], path: Path) -> Verdict:
        """The verdict of some tests on the code as it is; which of them call what in `files` is written to `path`."""
        with ExitStack() as stack:
            for file in files:
                # Kernels are compiled, and cannot say so.
                if not file.startswith(KERNELS):
                    source = (ROOT / file).read_text(encoding="utf-8")
                    stack.enter_context(self.holding(file, with_calls_noted(file, source)))
            return self.judge(tests, (Recorder(path),), 10 * LIMIT_SECONDS)[0]

    def judge(
        self, tests: tuple[str, ...], plugins: tuple[object, ...] = (), limit: int = LIMIT_SECONDS
    ) -> tuple[Verdict, float]:
        """The verdict of some tests, which stop at the first that fails, and the seconds it took."""
        start = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            self._run_tests(tests, plugins, limit)
        code = _wait(pid, start + PATIENCE * limit)
        seconds = time.perf_counter() - start
        if code == 0:
            return "survived", seconds
        if code in (4, 5):
            raise RuntimeError(f"no tests were run: {self.log.read_text(encoding='utf-8')[-2000:]}")
        return "killed" if code is not None else "out of time", seconds

    def _run_tests(self, tests: tuple[str, ...], plugins: tuple[object, ...], limit: int) -> None:
        """Become the process that runs the tests; its exit code is theirs."""
        import pytest

        code = 3
        try:
            os.setsid()
            with self.log.open("w", encoding="utf-8") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_BYTES, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            os.chdir(self.root)
            sys.path.insert(0, str(self.root))
            os.environ["PYTHONPATH"] = str(self.root)
            os.environ["NUMBA_CACHE_DIR"] = str(self.root.parent / "kernels")
            options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
            code = int(pytest.main([*tests, *options], plugins=list(plugins)))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What is not copied of a folder."""
    found = shutil.ignore_patterns(*LEFT_OUT)(folder, names)
    return found | set(MADE) if Path(folder) == ROOT else found


def _wait(pid: int, until: float) -> int | None:
    """The exit code of a process, whose whole group ends with it; None where it ran out of time."""
    status = None
    while status is None and time.perf_counter() < until:
        done, found = os.waitpid(pid, os.WNOHANG)
        status = found if done else None
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.waitpid(pid, 0)
        return None
    if os.WIFSIGNALED(status):
        return None if os.WTERMSIG(status) == signal.SIGXCPU else 1
    return os.waitstatus_to_exitcode(status)
