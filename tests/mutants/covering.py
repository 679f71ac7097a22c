"""Which tests run which functions: those that run a changed one are tried first, the quickest before the others."""

from __future__ import annotations

import ast
import builtins
import json
import time
from collections import defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Covering", "Only", "Recorder", "function_at", "with_calls_noted"]

WHOLE = 0
"""Line of what runs when a file is imported."""

NOTE = "note_call_for_mutants"
"""The built-in that functions of a copy call, where there is one: a process that a test starts has none."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def with_calls_noted(file: str, source: str) -> str:
    """The same program, in which each function says that it is called."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            note = f"getattr(__import__('builtins'), {NOTE!r}, str)({file + ':' + str(_first_line(node))!r})"
            documented = ast.get_docstring(node, clean=False) is not None
            node.body[documented:documented] = ast.parse(note).body
    return ast.unparse(ast.fix_missing_locations(tree))


def function_at(source: str, line: int) -> int:
    """First line, decorators included, of the innermost function whose body holds a line; `WHOLE` where none does."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))
    around = (node for node in functions if node.body[0].lineno <= line <= (node.end_lineno or 0))
    return max(map(_first_line, around), default=WHOLE)


def _first_line(node: Function) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


@dataclass(frozen=True)
class Covering:
    """Tests of a group by what they run, with the processor seconds each took."""

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

    def time_of(self, tests: list[str]) -> float:
        """Processor seconds of some tests together."""
        return sum(self.seconds.get(test, 0.0) for test in tests)


@dataclass
class Recorder:
    """Plugin of pytest that notes which functions each test calls, fixtures included, and writes it down at the end."""

    path: Path
    tests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Watch a test."""
        start = time.process_time()
        setattr(builtins, NOTE, lambda place: self.tests[place].add(item.nodeid))
        try:
            return (yield)
        finally:
            delattr(builtins, NOTE)
            self.seconds[item.nodeid] = time.process_time() - start

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        tests = {place: sorted(found) for place, found in self.tests.items()}
        self.path.write_text(json.dumps({"tests": tests, "seconds": self.seconds}), encoding="utf-8")


@dataclass(frozen=True)
class Only:
    """Plugin of pytest that keeps some tests, in their order within each file, and those that were not known."""

    tests: list[str]
    known: frozenset[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        place = {test: i for i, test in enumerate(self.tests)}
        files = list(dict.fromkeys(item.path for item in items))
        kept = [item for item in items if item.nodeid in place or item.nodeid not in self.known]
        items[:] = sorted(kept, key=lambda item: (files.index(item.path), place.get(item.nodeid, -1)))
