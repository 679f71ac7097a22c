"""The lists that ``make mutants`` reads are of files, tests and lines that are there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mutants.covering import Covering, Only, Recorder, function_at, with_calls_noted

HERE = Path(__file__).resolve().parent
NAMES = ("stream", "population", "task", "theory", "jackknife", "accumulate", "perturbations", "records")


def listed(file: str) -> dict[str, Any]:
    return tomllib.loads((HERE / file).read_text(encoding="utf-8"))


def test_the_core_is_mutated_and_its_tests_are_there(root: Path) -> None:
    found = listed("mutants.toml")["group"]
    assert tuple(dict.fromkeys(group["name"] for group in found)) == NAMES
    for group in found:
        assert group["tests"]
        assert all((root / test).exists() for test in group["tests"] if test[:2] != "--"), group["name"]


def test_accepted_equivalents_have_reasons_and_stand_in_the_code(root: Path) -> None:
    for one in listed("equivalents.toml").get("equivalent", []):
        assert set(one) == {"file", "before", "after", "reason"}
        assert len(one["reason"]) > 20
        code = " ".join((root / one["file"]).read_text(encoding="utf-8").split())
        assert one["before"] in code, one
        assert one["before"] != one["after"]


def test_mutants_differ_from_the_code_where_it_runs(root: Path) -> None:
    pytest.importorskip("cosmic_ray", reason="make mutants installs it")
    from mutants.selecting import groups, mutants_of

    group = next(group for group in groups() if group.name == "jackknife")
    found = list(mutants_of(group, "scaledetect/results/intervals.py"))
    assert len({mutant.code() for mutant in found}) == len(found) > 5
    source = (root / "scaledetect/results/intervals.py").read_text(encoding="utf-8")
    assert all(mutant.code() != source and mutant.before in " ".join(source.split()) for mutant in found)
    assert not any("->" in mutant.before and " | " in mutant.before for mutant in found)


def test_the_star_of_a_signature_is_no_product() -> None:
    pytest.importorskip("cosmic_ray", reason="make mutants installs it")
    from mutants.selecting import _shape

    assert _shape("def f(a, *, b=1): return a * b") == _shape("def f(a, /, b=1): return a * b")
    assert _shape("def f(a, *, b=1): return a * b") != _shape("def f(a, *, b=1): return a / b")


def test_the_copy_holds_all_of_the_package(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("cosmic_ray", reason="make mutants installs it")
    from mutants.judging import Copy

    copy = Copy(tmp_path).root
    for folder in ("scaledetect", "tests"):
        files = {path.relative_to(root) for path in (root / folder).rglob("*.py")}
        assert files == {path.relative_to(copy) for path in (copy / folder).rglob("*.py")}


def test_what_runs_a_line_is_known_and_comes_first(tmp_path: Path) -> None:
    source = '@wrapped\ndef one(x):\n    """Says so."""\n    def two():\n        return x\n    return two\nthree = 3\n'
    assert [function_at(source, line) for line in range(1, 8)] == [0, 0, 1, 1, 4, 1, 0]
    program = with_calls_noted("one.py", source)
    recorder = Recorder(tmp_path / "covering")

    def run(name: str, calls: bool) -> None:
        item: Any = SimpleNamespace(nodeid=name)
        during = recorder.pytest_runtest_protocol(item)
        next(during)
        names: dict[str, Any] = {"wrapped": lambda function: function}
        exec(program, names)
        assert names["one"].__doc__ == "Says so."
        assert names["one"](5)() == 5 if calls else callable(names["one"](5))
        with pytest.raises(StopIteration):
            during.send(None)

    run("calls both", True)
    run("calls one", False)
    recorder.pytest_sessionfinish()
    covering = Covering.load(tmp_path / "covering")
    assert covering.of("one.py", source, 5) == ["calls both"]
    assert set(covering.of("one.py", source, 6) or ()) == {"calls both", "calls one"}
    assert covering.of("one.py", source, 7) is None
    assert covering.time_of(["calls both"]) >= 0
    items: list[Any] = [SimpleNamespace(nodeid=name, path=tmp_path) for name in ("a", "calls one", "calls both", "new")]
    Only(["calls both", "calls one"], frozenset({"a", "calls one", "calls both"})).pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == ["new", "calls both", "calls one"]
