"""Imports run one way, and importing the package loads no heavy library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "scaledetect"

# Lowest first: a folder imports itself and those before it, imports inside functions included.
FOLDERS = (
    "_base",
    "_kernels",
    "task",
    "sampling",
    "perturbations",
    "results",
    "statistics",
    "nets",
    "images",
    "activations",
    "theory",
    "sensitivity",
    "probes",
    "training",
    "leaderboard",
    "checks",
    "plots",
    "experiments",
    "reproduce",
    "publish",
    "cli",
)
FACES = ("entry", "testing")
"""Thin modules at the top for people; nothing inside the package imports one."""
LEVEL = {name: level for level, name in enumerate(FOLDERS)} | dict.fromkeys(FACES, len(FOLDERS))

# The declared exceptions: conveniences on an object, (folder, function, imported folder).
CONVENIENCES = {("task", "digest", "sampling")} | {(folder, "plot", "plots") for folder in FOLDERS}

TORCH_FREE = (
    "_kernels",
    "task",
    "results",
    "statistics",
    "theory",
    "leaderboard/entries/base.py",
    "leaderboard/entries/sampler.py",
    "leaderboard/records",
    "leaderboard/runner",
    "leaderboard/tables",
    "leaderboard/verify.py",
)
HEAVY = ("torch", "numba", "pandas", "sklearn", "matplotlib")


def _files() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p not in (PACKAGE / "__init__.py", PACKAGE / "__main__.py")]


def _unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _imports(path: Path) -> list[tuple[str, str]]:
    """Pairs (innermost function or "", module) of every import that runs; those for type checkers only are left out."""
    found: list[tuple[str, str]] = []

    def visit(node: ast.AST, function: str) -> None:
        if _is_type_checking(node):
            return
        if isinstance(node, ast.Import):
            found.extend((function, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.extend((function, _full(node.module or "", alias.name)) for alias in node.names)
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return found


def _full(module: str, name: str) -> str:
    """``from package import x`` means package.x where x is a module; other names stay inside their module."""
    inside = PACKAGE.joinpath(*module.split(".")[1:], name)
    is_module = inside.with_suffix(".py").exists() or inside.is_dir()
    return f"{module}.{name}" if module == "scaledetect" or is_module else module


def _upward(path: Path) -> list[str]:
    unit = _unit(path)
    wrong = []
    for function, module in _imports(path):
        parts = module.split(".")
        if parts[0] != "scaledetect" or (unit, function, parts[1]) in CONVENIENCES:
            continue
        if parts[1] in FACES or LEVEL.get(parts[1], len(FOLDERS)) > LEVEL.get(unit, -1):
            wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    return wrong


def test_every_module_has_a_folder() -> None:
    assert {_unit(path) for path in _files()} <= set(LEVEL)


def test_few_names_stand_at_the_top() -> None:
    assert len([p for p in PACKAGE.iterdir() if p.name != "__pycache__" and p.stem not in ("__init__", "py")]) <= 30


def test_no_file_is_long() -> None:
    lines = {p.relative_to(PACKAGE): len(p.read_text(encoding="utf-8").splitlines()) for p in PACKAGE.rglob("*.py")}
    assert [str(name) for name, n in lines.items() if n > 400] == []


def test_few_files_are_very_short() -> None:
    """A file under 60 lines that only its neighbour imports belongs in its neighbour."""
    short = [p for p in PACKAGE.rglob("*.py") if p.stem != "__init__" and len(p.read_text("utf-8").splitlines()) < 60]
    assert len(short) < 25, sorted(str(p.relative_to(PACKAGE)) for p in short)


def test_imports_run_one_way() -> None:
    assert [edge for path in _files() for edge in _upward(path)] == []


def test_an_upward_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results.py").write_text("def f():\n    from scaledetect.cli.app import main\n")
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    assert _upward(tmp_path / "results.py") == ["results.py imports scaledetect.cli.app"]


def test_no_cycle() -> None:
    edges: dict[str, set[str]] = {}
    for path in _files():
        name = _module_name(path)
        # Imports inside functions run later: they cannot make a cycle, and the layers hold them too.
        edges[name] = {
            target for function, target in _imports(path) if not function and target.startswith("scaledetect.")
        }
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name in done:
            return
        for target in edges.get(name, ()):
            walk(target, (*above, name))
        done.add(name)

    for name in edges:
        walk(name, ())


def _module_name(path: Path) -> str:
    parts = ("scaledetect", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("unit", TORCH_FREE)
def test_no_torch(unit: str) -> None:
    files = [path for path in _files() if path.is_relative_to(PACKAGE / unit)]
    assert files
    names = {module.split(".")[0] for path in files for _, module in _imports(path)}
    assert names.isdisjoint({"torch"})


def test_theory_imports_no_numba() -> None:
    names = {module for path in _files() if _unit(path) == "theory" for _, module in _imports(path)}
    assert not any(name.split(".")[0] == "numba" or name.startswith("scaledetect._kernels") for name in names)


def _loaded(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*(m for m in {HEAVY} if m in sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_package_loads_nothing_heavy() -> None:
    assert _loaded("import scaledetect") == set()


def test_theory_loads_neither_torch_nor_numba() -> None:
    assert _loaded("import scaledetect.theory").isdisjoint({"torch", "numba"})


def test_the_list_of_cards_loads_nothing_heavy() -> None:
    assert _loaded("import scaledetect.cli, scaledetect as sd\nsd.load_card('distance-1d-L64-xi16')") == set()


def test_the_list_of_entries_loads_nothing_heavy() -> None:
    assert (
        _loaded("from scaledetect.entry import entry_names, find_entry\nentry_names()\nfind_entry('forest')") == set()
    )


@pytest.mark.parametrize("module", ["records", "tables", "runner", "verify"])
def test_the_driver_loads_nothing_heavy(module: str) -> None:
    assert _loaded(f"import scaledetect.leaderboard.{module}") == set()


def test_the_figures_load_nothing_heavy() -> None:
    assert _loaded("import scaledetect.reproduce").isdisjoint({"torch", "matplotlib", "pandas"})


def test_every_public_name_is_there() -> None:
    import scaledetect

    assert {name for name in scaledetect.__all__ if not hasattr(scaledetect, name)} == set()
    assert set(scaledetect.__all__) <= set(dir(scaledetect))
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(scaledetect, "no_such_name")  # noqa: B009 (a misspelt name, which type checkers find)
