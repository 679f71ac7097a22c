"""One case, judged; and many, counted, in a process of their own that is watched."""

from __future__ import annotations

import atexit
import os
import re
import resource
import signal
import tempfile
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from shutil import rmtree
from typing import Any, NamedTuple

from fuzz import commands, functions, readers
from scaledetect._base.errors import RefusalError, UnknownNameError

__all__ = ["LIMIT_BYTES", "LIMIT_SECONDS", "TARGETS", "Outcome", "run_case", "work"]

LIMIT_SECONDS = 10
"""Processor seconds of a case."""

LIMIT_BYTES = 10**9
"""Memory that a case may take beyond what the process has."""

WEIGHTS = {"readers": 8, "functions": 2, "commands": 1}
"""How often a target of each kind comes in turn."""


class Outcome(NamedTuple):
    """What became of a case: "works", "refused", or a violation and why."""

    kind: str
    why: str = ""


class HangError(BaseException):
    """The case took longer than `LIMIT_SECONDS`."""


def _targets() -> tuple[str, ...]:
    kinds: dict[str, Iterable[str]] = {
        "readers": readers.READERS,
        "functions": functions.FUNCTIONS,
        "commands": commands.COMMANDS,
    }
    # The folder of a run is trained in, which takes as long as fifty readings.
    return tuple(
        f"{kind}/{name}"
        for kind, names in kinds.items()
        for name in names
        for _ in range(1 if name in SLOW else WEIGHTS[kind])
    )


SLOW = {
    "sensitivities of all", "image_sensitivities", "net_report", "run folder", "seed-0.pt", "train", "compare",
    "theory.kernel_learning_curve", "load_experiment", "images.load", "leaderboard", "merge", "verify", "theories",
    "doctor", "experiment", "tasks",
}  # fmt: skip
"""Targets of a hundredth of a second and more, which come once in turn."""

TARGETS = _targets()
"""Targets as kind/name, the fast ones several times: case i goes to number i, modulo their count."""


def run_case(target: str, number: int) -> Outcome:
    """Judge case `number` of a target."""
    kind, _, name = target.partition("/")
    rng = Random(f"{target} {number}")
    with _limited(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _JUDGES[kind](name, rng)
        except HangError:
            return Outcome("violation", f"took more than {LIMIT_SECONDS} s of processor time")


def _judge_function(name: str, rng: Random) -> Outcome:
    function, arguments, _ = functions.call_of(name, rng)
    try:
        function(**arguments)
    except RefusalError as error:
        known = set(functions.names_of(function, arguments))
        return _refused(error, known)
    except BaseException as error:
        return _violation(error)
    return Outcome("works")


def _judge_reader(name: str, rng: Random) -> Outcome:
    path = readers.damage(name, _place(), rng)
    try:
        readers.READERS[name](path)
    except RefusalError as error:
        return _refused(error, {path.name, path.parent.name, str(path.parent)})
    except BaseException as error:
        return _violation(error)
    return Outcome("works")


def _judge_command(name: str, rng: Random) -> Outcome:
    words = commands.line_of(name, _place(), rng)
    code, output, error = commands.run_line(words)
    if error is not None:
        return _violation(error)
    if "Traceback" in output:
        return Outcome("violation", f"{words}: a traceback: {output[-300:]}")
    return (
        Outcome("works" if code == 0 else "refused") if code in (0, 1, 2, 3) else Outcome("violation", f"exit {code}")
    )


_JUDGES = {"functions": _judge_function, "readers": _judge_reader, "commands": _judge_command}


def _refused(error: RefusalError, names: set[str]) -> Outcome:
    if isinstance(error, UnknownNameError):  # it says what kind of name it is, and the names there are
        return Outcome("refused")
    message = str(error)
    if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in names):
        return Outcome("refused")
    return Outcome("violation", f"names no argument: {message[:300]}")


def _violation(error: BaseException) -> Outcome:
    if isinstance(error, HangError | KeyboardInterrupt):
        raise error
    frames = traceback.extract_tb(error.__traceback__)
    where = "; ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-3:])
    try:
        text = str(error)[:300]
    except Exception:
        text = "no text"
    return Outcome("violation", f"{type(error).__name__}: {text} [{where}]")


@cache
def _place() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    os.chdir(folder)
    return folder


@contextmanager
def _limited() -> Iterator[None]:
    def stop(number: int, frame: Any) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _with_limits() -> None:
    """Have this process refuse memory beyond what it has now by `LIMIT_BYTES`."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_BYTES, resource.RLIM_INFINITY))


def work(pipe: Connection, first: int, last: int) -> None:
    """Judge cases first .. last - 1 in this process; say that it is ready, then send each outcome."""
    for target in dict.fromkeys(TARGETS):  # kernels, imports and sound files, outside the limits
        run_case(target, 0)
    _with_limits()
    pipe.send(Outcome("ready"))
    for i in range(first, last):
        pipe.send(run_case(TARGETS[i % len(TARGETS)], i))
    pipe.close()
