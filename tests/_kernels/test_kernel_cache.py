"""The cache of compiled kernels: it is used, it notices every edit, and the package works without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from scaledetect import Task, sample_pairs

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

# `fill_normals` (normals.py) calls `philox_block` (philox.py).
CODE = """
import numpy as np
from scaledetect._kernels.normals import fill_normals
from scaledetect._kernels.jit import cache_state
out = np.empty((1, 4))
fill_normals(np.uint64(0), np.uint64(1), np.uint64(2), 1.0, out)
print(out.tobytes().hex())
print(sum(fill_normals.stats.cache_hits.values()), sum(fill_normals.stats.cache_misses.values()))
print(cache_state())
"""


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A copy of the package without anything compiled."""
    shutil.copytree(
        root / "scaledetect", tmp_path / "site" / "scaledetect", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path / "site"


def run(site: Path, code: str = CODE, **environment: str) -> list[str]:
    """Lines printed by `code` in a process that knows no folder but the copy and those in `environment`."""
    private = ("NUMBA_CACHE_DIR", "HOME", "XDG_CACHE_HOME", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
    clean = {name: value for name, value in os.environ.items() if name not in private}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=False,
        env=clean | {"PYTHONPATH": str(site)} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_an_edit_of_a_helper_in_another_file_is_noticed(copy: Path) -> None:
    beside = copy / "scaledetect" / "_kernels" / "__pycache__"
    first, counts, state = run(copy)
    assert (counts, state) == ("0 1", str(beside))
    assert list(beside.glob("*.nbi"))
    assert run(copy) == [first, "1 0", state]

    philox = copy / "scaledetect" / "_kernels" / "philox.py"
    edit(philox, "for _ in range(10):", "for _ in range(9):")
    edited, counts, _ = run(copy)
    assert edited != first
    assert counts == "0 1"

    edit(philox, "for _ in range(9):", "for _ in range(10):")
    assert run(copy)[0] == first


STAMPS = """
from pathlib import Path
from scaledetect._kernels import jit
print(jit.source_stamp())
for file in sorted(Path(jit.__file__).parent.glob("*.py")):
    with file.open("a", encoding="utf-8") as stream:
        stream.write("\\n# edited\\n")
    jit.source_stamp.cache_clear()
    print(jit.source_stamp())
"""


def test_the_stamp_covers_every_kernel_file(copy: Path) -> None:
    stamps = run(copy, STAMPS)
    files = len(list((copy / "scaledetect" / "_kernels").glob("*.py")))
    assert files >= 6
    assert len(set(stamps)) == len(stamps) == files + 1


def closed(folder: Path) -> Path:
    """A folder that cannot be made, whoever asks: below a regular file."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.touch()
    return folder / "below"


def test_a_read_only_install_without_home(copy: Path, tmp_path: Path) -> None:
    (copy / "scaledetect" / "_kernels" / "__pycache__").touch()
    expected = "none: no folder can be written, kernels are compiled in every process"
    without_home = run(copy)
    assert without_home[1:] == ["0 1", expected]
    nowhere = str(closed(tmp_path / "file"))
    with_bad_folders = run(copy, HOME=nowhere, XDG_CACHE_HOME=nowhere, NUMBA_CACHE_DIR=nowhere)
    assert with_bad_folders == without_home


def test_a_read_only_install_samples(copy: Path, tmp_path: Path) -> None:
    (copy / "scaledetect" / "_kernels" / "__pycache__").touch()
    code = "import scaledetect as sd; x, y = sd.sample_pairs(sd.Task(dim=1, size=64, xi=16), 9); print(x.sum(0), y)"
    pairs, labels = sample_pairs(Task(dim=1, size=64, xi=16), 9)
    assert "\n".join(run(copy, code)) == f"{pairs.sum(0)} {labels}"


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
def test_the_next_folder_is_taken(copy: Path, tmp_path: Path, variable: str) -> None:
    (copy / "scaledetect" / "_kernels" / "__pycache__").touch()
    folder = tmp_path / "elsewhere"
    below = folder / ".cache" / "scaledetect" if variable == "HOME" else folder / "scaledetect"
    environment = {variable: str(folder)}
    if variable != "NUMBA_CACHE_DIR":
        environment["NUMBA_CACHE_DIR"] = str(closed(tmp_path / "file"))
    code = "from scaledetect._kernels.jit import cache_state; print(cache_state())"
    assert run(copy, code, **environment) == [str(below)]
