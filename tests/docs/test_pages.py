"""Pages of the documentation: code prints what they say, commands are taken, none is left out of the contents."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from typer.core import TyperGroup
from typer.main import get_command

from scaledetect.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for path in (ROOT / "docs").rglob("*.md") if not {"_build", "generated", "gallery"} & set(path.parts)
)
PYTHON = re.compile(r"^( *)```python\n(.*?)^ *```\n(?:\n *```text\n(.*?)^ *```)?", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^ *```(?:sh)?\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
ELSEWHERE = {"submit.md": "tests/test_submit.py", "submit-theory.md": "tests/experiments/test_theory_board.py"}
"""Pages whose code is a module that another test takes from them."""


class SmallNet(torch.nn.Sequential):
    """In the place of nets of libraries that are not installed here."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(torch.nn.Conv2d(3, 2, 5, stride=4), torch.nn.ReLU())

    @classmethod
    def from_pretrained(cls, name: str) -> SmallNet:
        return cls()


class Cluster:
    """In the place of the cluster of a batch system."""

    scheduler_address = "tcp://host:8786"

    def __init__(self, **options: Any) -> None:
        assert options["processes"] == 1

    def scale(self, *, jobs: int) -> None:
        assert jobs > 0


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that pages show and the package does not need."""
    modules: dict[str, dict[str, Any]] = {
        "torchvision": {},
        "torchvision.models": {"resnet18": SmallNet},
        "timm": {"create_model": SmallNet},
        "transformers": {"AutoModelForImageClassification": SmallNet},
        "dask_jobqueue": {"SLURMCluster": Cluster},
    }
    for name, contents in modules.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("builtins.input", lambda text: "")


def _with_code() -> list[Path]:
    return [p for p in PAGES if PYTHON.search(p.read_text(encoding="utf-8")) and p.name not in ELSEWHERE]


def _name(path: Path) -> str:
    return path.relative_to(ROOT / "docs").as_posix()


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("page", _with_code(), ids=_name)
def test_code_prints_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    for indent, code, printed in PYTHON.findall(page.read_text(encoding="utf-8")):
        code = re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        output = StringIO()
        with redirect_stdout(output):
            exec(compile(code, _name(page), "exec"), namespace)
        if printed:
            assert output.getvalue() == re.sub(f"^{indent}", "", printed, flags=re.MULTILINE)


@pytest.mark.parametrize("page", ELSEWHERE)
def test_code_of_other_pages_is_run_elsewhere(page: str) -> None:
    assert f'"{page}"' in (ROOT / ELSEWHERE[page]).read_text(encoding="utf-8")


def _commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in SHELL.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if line.strip().startswith("scaledetect "):
                    yield _name(page), line.strip()


@pytest.mark.parametrize(("page", "line"), sorted(set(_commands())))
def test_commands_are_taken(page: str, line: str) -> None:
    """The command line knows the command and its options; what each does is tested elsewhere."""
    _, name, *arguments = shlex.split(line, comments=True)
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    context = group.commands[name].make_context(name, arguments)
    assert context.info_name == name


def test_every_page_is_in_a_tree_of_contents() -> None:
    listed = set()
    for page in PAGES:
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            entries = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / f"{entry}.md").resolve() for entry in entries}
    assert set(PAGES) - listed == {ROOT / "docs" / "index.md"}


def test_the_stand_in_is_no_more_than_a_net() -> None:
    assert SimpleNamespace(net=SmallNet()).net(torch.zeros(2, 3, 64, 64)).shape == (2, 2, 15, 15)
