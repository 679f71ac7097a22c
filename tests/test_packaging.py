"""The package is the same from the wheel and from a wheel built out of the sdist, and knows its parts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import scaledetect as sd
from scaledetect.reproduce import load_hypotheses

CODE = """
import scaledetect as sd, scaledetect.baselines, scaledetect.tasks
from importlib.resources import files
assert files("scaledetect").joinpath("py.typed").is_file()
print(sd.__file__)
print(*sd.list_tasks())
print(sd.load_task("distance-1d-L64-xi16").digest())
from scaledetect.reproduce import load_hypotheses
print(*(one.id for one in load_hypotheses().hypotheses))
"""


def _python(*arguments: str | Path, cwd: Path) -> str:
    # -P and an empty folder: nothing of the repository may be found by accident.
    command = [sys.executable, "-P", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built out of it."""
    folder = tmp_path_factory.mktemp("dist")
    # Out of a copy: builds write into the source, and test processes must not meet there.
    source = tmp_path_factory.mktemp("source") / "scaledetect"
    left_out = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")
    shutil.copytree(root, source, ignore=left_out)
    _python("-m", "build", "--no-isolation", "--outdir", folder, source, cwd=folder)
    return folder


def test_wheel_out_of_sdist(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile"]
    _python("-m", "pip", "install", *options, "--target", site, wheel, cwd=empty)
    # Without numba's JIT, as compiling takes seconds; tests/_kernels compile in a copy of the package.
    code = f"import os, sys; os.environ['NUMBA_DISABLE_JIT'] = '1'; sys.path.insert(0, {str(site)!r})\n" + CODE
    home, names, digest, hypotheses = _python("-c", code, cwd=empty).splitlines()
    assert Path(home).is_relative_to(site)
    assert names.split() == sd.list_tasks()
    assert digest == sd.load_card("distance-1d-L64-xi16").digest
    assert hypotheses.split() == [one.id for one in load_hypotheses().hypotheses]
    assert list(empty.iterdir()) == []


def test_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"scaledetect", f"scaledetect-{sd.__version__}.dist-info"}
    suffixes = {Path(name).suffix for name in names if name.startswith("scaledetect/")}
    # Experiments ship their data and the hashes of them, not the weights of nets.
    assert suffixes == {".py", ".pyi", ".toml", ".typed", ".jsonl", ".txt"}


def test_sdist_holds_what_the_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "constraints.txt", "tests/test_packaging.py", "tasks/distance-1d-L64-xi16.toml"} <= names


def test_editable_install_from_elsewhere(tmp_path: Path) -> None:
    home, names, *_ = _python("-c", CODE, cwd=tmp_path).splitlines()
    assert Path(home) == Path(str(sd.__file__))
    assert names.split() == sd.list_tasks()


def test_wheel_holds_every_file(root: Path, built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("scaledetect/")}
    inside = {path.relative_to(root).as_posix() for path in root.glob("scaledetect/**/*.py")}
    beside = {f"scaledetect/{path.relative_to(root).as_posix()}" for path in root.glob("tasks/*.*")}
    beside |= {f"scaledetect/{path.relative_to(root).as_posix()}" for path in root.glob("tasks/experiments/*.*")}
    for folder in ("data", "predictions"):
        found = root.glob(f"tasks/experiments/{folder}/*.*")
        beside |= {f"scaledetect/{path.relative_to(root).as_posix()}" for path in found}
    for pattern in ("tasks/families/*.*", "baselines/**/*.py", "baselines/records/**/*.jsonl"):
        beside |= {f"scaledetect/{path.relative_to(root).as_posix()}" for path in root.glob(pattern)}
    assert shipped == inside | beside | {
        "scaledetect/__init__.pyi",
        "scaledetect/publish/__init__.pyi",
        "scaledetect/py.typed",
        "scaledetect/reproduce/hypotheses.toml",
        "scaledetect/reproduce/hypotheses-images.toml",
    }


def test_one_version(root: Path) -> None:
    from importlib.metadata import version

    assert version("scaledetect") == sd.__version__
    assert f"\nversion: {sd.__version__}\n" in (root / "CITATION.cff").read_text()


def test_constraints_pin_everything(root: Path) -> None:
    lines = [line for line in (root / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines)
    assert "torch==2.13.0" in lines
