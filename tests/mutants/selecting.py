"""Mutants of a file, without those that change no code that runs, and a sample of all with the same seed."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

__all__ = ["Group", "Mutant", "equivalents", "groups", "mutants_of", "operators", "sample"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONFIG = tomllib.loads((HERE / "mutants.toml").read_text(encoding="utf-8"))

CACHES = ("cache", "lru_cache(")
"""Decorators without which the same is computed, more often."""


@dataclass(frozen=True)
class Group:
    """Files of the package that the same tests are to guard."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """One change: the lines it takes away and puts in their place, and how to make it again."""

    group: Group
    file: str
    operator: str
    occurrence: int
    line: int
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is whatever number its line has."""
        return self.file, self.before, self.after

    def code(self) -> str:
        """The whole file with the change."""
        source = (ROOT / self.file).read_text(encoding="utf-8")
        return str(mutate_code(source, get_operator(f"core/{self.operator}")(), self.occurrence))


def operators() -> tuple[str, ...]:
    """Names of the operators in use."""
    return tuple(CONFIG["operators"])


def groups() -> list[Group]:
    """The groups of mutants.toml, each with its files; several may share a name."""
    return [Group(g["name"], tuple(_files(g["files"])), tuple(g["tests"])) for g in CONFIG["group"]]


def equivalents() -> dict[tuple[str, str, str], str]:
    """Reasons of the mutants that are accepted, by their key."""
    listed = tomllib.loads((HERE / "equivalents.toml").read_text(encoding="utf-8")).get("equivalent", [])
    return {(e["file"], e["before"], e["after"]): e["reason"] for e in listed}


def sample(size: int, seed: int, names: list[str]) -> Iterator[Mutant]:
    """So many mutants, the same number from each name of a group, drawn from all of it."""
    for i, name in enumerate(names):
        share = size // len(names) + (i < size % len(names))
        pool = [
            place for group in groups() if group.name == name for file in group.files for place in _places(group, file)
        ]
        Random(f"{seed} {name}").shuffle(pool)
        yield from islice(_distinct(pool), share)


def mutants_of(group: Group, file: str) -> Iterator[Mutant]:
    """All mutants of a file that differ from one another and from it in what runs."""
    return _distinct(_places(group, file))


class _Place(NamedTuple):
    """Where which operator can change a file: the change itself takes a hundred times as long."""

    group: Group
    file: str
    operator: str
    occurrence: int
    line: int


def _places(group: Group, file: str) -> Iterator[_Place]:
    source = (ROOT / file).read_text(encoding="utf-8")
    nodes, idle = list(ast_nodes(get_ast(source))), _idle(ast.parse(source))
    for name in operators():
        operator: Any = get_operator(f"core/{name}")()
        starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, start in enumerate(starts):
            if not any(a <= start < b for a, b in idle):
                yield _Place(group, file, name, occurrence, start[0])


def _distinct(places: Iterable[_Place]) -> Iterator[Mutant]:
    seen: set[tuple[str, str]] = set()
    for place in places:
        source = (ROOT / place.file).read_text(encoding="utf-8")
        mutated = mutate_code(source, get_operator(f"core/{place.operator}")(), place.occurrence)
        shape = _shape(str(mutated))
        if mutated is None or shape in ("", _shape(source)) or (place.file, shape) in seen:
            continue
        seen.add((place.file, shape))
        yield Mutant(*place, *_difference(source, mutated))


def _files(patterns: list[str]) -> Iterator[str]:
    every = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "scaledetect").rglob("*.py"))
    for pattern in patterns:
        folder, _, inside = pattern.partition("{")
        names, _, end = inside.partition("}")
        wanted = (
            [f"scaledetect/{folder}{name}{end}" for name in names.split(",")] if inside else [f"scaledetect/{pattern}"]
        )
        for one in wanted:
            found = [file for file in every if fnmatch(file, one) and file.count("/") == one.count("/")]
            if not found:
                raise FileNotFoundError(one)
            yield from found


def _shape(source: str) -> str:
    """What two texts of the same program have in common; "" for no program."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            # The star of a signature multiplies nothing: how arguments may be given is no part of the shape.
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults = [default for default in (*node.defaults, *node.kw_defaults) if default is not None]
            node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
    return ast.dump(tree)


def _difference(source: str, mutated: str) -> tuple[str, str]:
    """The lines that go and those that come, stripped, each joined to one."""
    old, new = source.split("\n"), mutated.split("\n")
    first = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    last = next(i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b)
    return tuple(" ".join(" ".join(lines[first : len(lines) - last]).split()) for lines in (old, new))  # type: ignore[return-value]


def _idle(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Spans that are not run, or only for type checkers: annotations, assertions, ``__all__``; and caches."""
    # The sign of a decorator belongs to it.
    return [
        ((part.lineno, max(0, part.col_offset - 1)), (part.end_lineno, part.end_col_offset))
        for node in ast.walk(tree)
        for part in _idle_parts(node)
    ]


def _idle_parts(node: ast.AST) -> Iterator[Any]:
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    if isinstance(node, ast.FunctionDef):
        decorators = [ast.unparse(one) for one in node.decorator_list]
        yield from ([node] if "overload" in decorators else [])
        yield from ([node.returns] if node.returns is not None else [])
        yield from (one for one in node.decorator_list if ast.unparse(one).startswith(CACHES))
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        yield node
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        yield node
    if isinstance(node, ast.Assert):
        yield node
