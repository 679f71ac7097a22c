"""The population: counts exact, and rank to pair a bijection, against a listing of all pairs and tests/naive."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pytest
from helpers.specs import HUGE, MEDIUM, SMALL, as_tuples, over, task_of, unrank

from scaledetect import Task
from scaledetect.task.population import _line_table, class_sizes, rank_tables

COUNTS = json.loads((Path(__file__).parents[1] / "data" / "population_counts.json").read_text())
CLASSES = ("near", "far")


@pytest.mark.parametrize("case", COUNTS, ids=[f"{c['labelling']}-{c['dim']}d-L{c['size']}" for c in COUNTS])
def test_reference_counts(case: dict[str, Any]) -> None:
    fields = dict(case)
    n_near, n_far = fields.pop("n_near"), fields.pop("n_far")
    task = Task(**fields)
    assert (task.n_near, task.n_far) == (n_near, n_far)
    assert type(task.n_near) is int


@over(SMALL)
def test_counts_are_those_of_a_listing(spec: naive.Spec) -> None:
    near, far = naive.list_pairs(spec)
    assert class_sizes(task_of(spec).population) == (len(near), len(far))


@over(MEDIUM + HUGE)
def test_counts_of_larger_lattices(spec: naive.Spec) -> None:
    assert class_sizes(task_of(spec).population) == naive.class_sizes(spec)


@over(SMALL)
@pytest.mark.parametrize("far", [False, True], ids=CLASSES)
def test_unranking_is_a_bijection(spec: naive.Spec, far: bool) -> None:
    listed = naive.list_pairs(spec)[far]
    pairs = as_tuples(unrank(task_of(spec), far, np.arange(len(listed), dtype=np.uint64)))
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == listed
    assert pairs == [naive.unrank(x, spec, CLASSES[far]) for x in range(len(pairs))]


@over(MEDIUM + HUGE)
@pytest.mark.parametrize("far", [False, True], ids=CLASSES)
def test_unranking_at_any_rank(spec: naive.Spec, far: bool) -> None:
    task = task_of(spec)
    n = class_sizes(task.population)[far]
    inside = np.random.default_rng(0).integers(0, n, size=100).tolist()
    # The last ranks: where products come closest to the largest integers.
    ranks = [0, 1, n // 2, *inside, *(n - 1 - x * (n // 10**6) for x in range(20))]
    pairs = as_tuples(unrank(task, far, np.array(ranks, dtype=np.uint64)))
    assert pairs == [naive.unrank(x, spec, CLASSES[far]) for x in ranks]


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("periodic", [True, False])
def test_without_a_gap_every_pair_is_near_or_far(dim: int, size: int, periodic: bool) -> None:
    n = size**dim
    for norm in ("l1", "l2", "linf"):
        task = Task(dim=dim, size=size, xi=3, norm=norm, periodic=periodic)
        assert task.n_near + task.n_far == n * (n - 1) // 2


def test_near_grows_with_xi() -> None:
    sizes = [Task(dim=2, size=20, xi=xi / 2, periodic=False).n_near for xi in range(3, 50)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_block_counts_in_closed_form() -> None:
    for dim, size, xi in ((1, 17, 5), (2, 17, 5), (3, 11, 4)):
        b, r = divmod(size, xi)
        q, n = b * xi**2 + r**2, size**dim
        task = Task(dim=dim, size=size, xi=xi, labelling="block")
        assert (task.n_near, task.n_far) == ((q**dim - n) // 2, (n**2 - q**dim) // 2)


@pytest.mark.parametrize("labelling", ["distance", "block"])
def test_tables_are_equal_to_themselves_only_and_stay_as_they_are(labelling: Any) -> None:
    for table in rank_tables(Task(size=8, xi=3, labelling=labelling).population):
        assert table != copy.copy(table)
        assert len({table, table}) == 1
        with pytest.raises(FrozenInstanceError):
            table.size = 5  # type: ignore[misc]


def test_tables_grow_with_lines_only() -> None:
    for table in rank_tables(Task(dim=2, size=1000, xi=100, periodic=False).population):
        arrays = [value for value in vars(table).values() if isinstance(value, np.ndarray)]
        assert sum(a.nbytes for a in arrays) < 100 * 1000


@pytest.mark.parametrize("lines", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [1, 7, 8, 9, 255, 256, 257, 2**40, 2**62 + 1, 2**63 - 1])
def test_the_guide_leads_to_the_line_of_any_rank(lines: int, size: int) -> None:
    """At most four buckets a line, and two for a power of two; the search behind it is only within the bucket."""
    if size < lines:
        return
    counts = np.full(lines, size // lines)
    counts[-1] += size - counts.sum()
    table = _line_table(np.arange(lines), counts)
    assert (table.size, table.starts[0], table.starts[-1]) == (size, 0, size)
    buckets = -(-size >> table.shift)
    assert len(table.guide) == buckets + 1
    assert buckets <= 4 * lines
    assert table.shift == 0 or buckets > lines
    if size & (size - 1) == 0 and table.shift > 0:
        assert buckets == 1 << (2 * lines).bit_length()
    for bucket in range(buckets):
        rank = bucket << table.shift
        assert table.starts[table.guide[bucket]] <= rank < table.starts[table.guide[bucket] + 1]
    assert table.guide[-1] == lines - 1


MEMORY = """
import re, pathlib
import scaledetect as sd

def status(name):
    return int(re.search(name + r":\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) / 1024

# The compiler belongs to the baseline.
sd.sample_pairs(sd.Task(dim=2, size=8, xi=3, periodic=PERIODIC), 10)
baseline = status("VmRSS")
task = sd.Task(dim=2, size=65536, xi=16384, gap=2, periodic=PERIODIC)
sd.sample_pairs(task, 1000)
print(status("VmHWM") - baseline)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak memory from /proc")
@pytest.mark.parametrize("periodic", [True, False])
def test_a_task_of_65536_squared_fits_in_100_mb(periodic: bool) -> None:
    code = MEMORY.replace("PERIODIC", str(periodic))
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 100
