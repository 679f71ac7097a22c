"""Which tests run which functions: those that run a changed one are tried first, the quickest before the others."""

from __future__ import annotations

import ast
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

__all__ = ["Covering", "Only", "Recorder", "function_at"]

WHOLE = 0
"""Line of what runs when a file is imported."""


def function_at(source: str, line: int) -> int:
    """First line, decorators included, of the innermost function whose body holds a line; `WHOLE` where none does."""
    spans = [
        (min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.body[0].lineno, node.end_lineno or 0)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return max((first for first, body, last in spans if body <= line <= last), default=WHOLE)


@dataclass(frozen=True)
class Covering:
    """Tests of a group by what they run, with the seconds each took."""

    tests: dict[str, list[str]]
    seconds: dict[str, float]

    @classmethod
    def load(cls, path: Path) -> Covering:
        """What a `Recorder` has written."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def of(self, file: str, source: str, line: int) -> list[str] | None:
        """Tests that run a line's function, the quickest first; None where that is not known: all may."""
        found = self.tests.get(f"{file}:{function_at(source, line)}")
        return None if found is None else sorted(found, key=lambda test: self.seconds.get(test, 0.0))


@dataclass
class Recorder:
    """Plugin of pytest that notes which functions under `root` each test runs, and writes it down at the end."""

    root: Path
    path: Path
    places: dict[CodeType, str | None] = field(default_factory=dict)
    tests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        """Watch a test, its fixtures included."""
        start = time.perf_counter()

        def called(frame: FrameType, event: str, argument: object) -> None:
            place = self._place(frame.f_code)
            if place is not None:
                self.tests[place].add(item.nodeid)

        sys.settrace(called)
        threading.settrace(called)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            self.seconds[item.nodeid] = time.perf_counter() - start

    def _place(self, code: CodeType) -> str | None:
        if code not in self.places:
            file = Path(code.co_filename)
            inside = file.is_relative_to(self.root)
            self.places[code] = f"{file.relative_to(self.root).as_posix()}:{code.co_firstlineno}" if inside else None
        return self.places[code]

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        tests = {place: sorted(found) for place, found in self.tests.items()}
        self.path.write_text(json.dumps({"tests": tests, "seconds": self.seconds}), encoding="utf-8")


@dataclass(frozen=True)
class Only:
    """Plugin of pytest that keeps some tests, in their order within each file."""

    tests: list[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        place = {test: i for i, test in enumerate(self.tests)}
        files = list(dict.fromkeys(item.path for item in items))
        kept = [item for item in items if item.nodeid in place]
        items[:] = sorted(kept, key=lambda item: (files.index(item.path), place[item.nodeid]))
