"""The compiled kernels and their NumPy twins give the same bits; so does the package with the JIT off."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import naive
import numba
import numpy as np
import pytest
from helpers.specs import HUGE, MEDIUM, SMALL, over, task_of

from scaledetect import Task
from scaledetect._kernels import KERNELS, backend, normals, render, twin
from scaledetect.sampling.permutation import permutation
from scaledetect.task.population import BlockTable, rank_tables

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="the twins are in use themselves")

KEY = np.uint64(0x0123456789ABCDEF), np.uint64(0xFEDCBA9876543210)
Kernels = SimpleNamespace | Any


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def same(work: Callable[[Kernels], Any]) -> bool:
    """Whether `work` returns the same bits from both sets of kernels."""
    compiled, plain = work(backend()), work(twin)
    assert compiled.dtype == plain.dtype
    return bool((compiled == plain).all())


def test_every_kernel_has_a_twin() -> None:
    assert set(KERNELS) == set(twin.__all__) == set(vars(backend()))
    assert all(hasattr(getattr(backend(), name), "py_func") for name in KERNELS)


@pytest.mark.parametrize("counter", [1, 2**63 - 1, 2**64 - 9])
def test_raw_blocks(counter: int) -> None:
    def work(kernels: Kernels) -> Any:
        out = np.empty((8, 4), dtype=np.uint64)
        kernels.raw_blocks(np.uint64(counter), *KEY, out)
        return out

    assert same(work)
    key = int(KEY[0]).to_bytes(8, "little") + int(KEY[1]).to_bytes(8, "little")
    assert work(backend()).tolist() == [list(naive.philox_block(key, counter + m)) for m in range(8)]


@pytest.mark.parametrize("bound", [1, 2, 3, 1000, 2**32 - 1, 2**32, 2**62 + 12345, 2**63 - 1])
@pytest.mark.parametrize("sample", [0, 2**32 - 5, 2**63])
def test_draw_indices(bound: int, sample: int, rng: np.random.Generator) -> None:
    rows = np.sort(rng.choice(500, size=100, replace=False))

    def work(kernels: Kernels) -> Any:
        out = np.empty(len(rows), dtype=np.uint64)
        kernels.draw_indices(np.uint64(sample), rows, *KEY, np.uint64(bound), out)
        return out

    assert same(work)
    assert work(backend()).max() < bound


@over(SMALL[::6] + MEDIUM + HUGE)
@pytest.mark.parametrize("class_name", ["near", "far"])
def test_permutations(spec: naive.Spec, class_name: Any, rng: np.random.Generator) -> None:
    pi = permutation(task_of(spec), 3, class_name)
    numbers = np.uint64(pi.n), np.uint64(pi.sides), np.uint64(pi.bits)
    offsets = rng.integers(pi.n, size=200, dtype=np.uint64)

    def indices(kernels: Kernels, first: int, step: int) -> Any:
        out = offsets.copy()
        kernels.permute_indices(np.int64(first), np.int64(step), *numbers, pi.keys, out)
        return out

    def run(kernels: Kernels, first: int, step: int) -> Any:
        out = np.empty(min(200, pi.n), dtype=np.uint64)
        kernels.permute_range(np.int64(first), np.int64(step), *numbers, pi.keys, out)
        return out

    for work in (indices, run):
        assert same(lambda kernels, work=work: work(kernels, 0, 1))  # type: ignore[misc]
        assert same(lambda kernels, work=work: work(kernels, pi.n - 1, -1))  # type: ignore[misc]


@pytest.mark.parametrize(("near", "total"), [(1, 2), (3, 10), (99, 100), (2**63 - 1, 2**64 - 2), (2**62, 2**63 + 1)])
def test_spread_labels(near: int, total: int) -> None:
    for residue in (0, 1, total - near, total - 1):

        def work(kernels: Kernels, residue: int = residue) -> Any:
            labels = np.empty(300, dtype=np.int8)
            kernels.spread_labels(np.uint64(residue), np.uint64(near), np.uint64(total), labels)
            return labels

        assert same(work)


@over(SMALL[::3] + MEDIUM + HUGE)
@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
def test_unranking(spec: naive.Spec, far: bool, rng: np.random.Generator) -> None:
    task = task_of(spec)
    table = rank_tables(task.population)[far]
    ranks = rng.integers(table.size, size=300, dtype=np.uint64)
    ranks[:2] = 0, table.size - 1
    rows = rng.permutation(300)

    def work(kernels: Kernels) -> Any:
        out = np.empty((300, 2, task.dim), dtype=np.int64)
        if isinstance(table, BlockTable):
            kernels.unrank_block(ranks, rows, task.shape, far, int(task.xi), table.starts, out)
        else:
            unrank = kernels.unrank_periodic if task.periodic else kernels.unrank_open
            unrank(ranks, rows, task.shape, far, table.starts, table.edges, table.guide, table.shift, out)
        return out

    assert same(work)


@pytest.mark.parametrize(("dim", "size"), [(1, 100), (2, 28), (3, 9)])
def test_add_pixels(dim: int, size: int, dtype: str, rng: np.random.Generator) -> None:
    pairs = rng.integers(size, size=(50, 2, dim))
    pairs[0, 1] = pairs[0, 0]

    def work(kernels: Kernels) -> Any:
        images = np.full((50, size**dim), np.nan, dtype=dtype)
        kernels.add_pixels(pairs, np.dtype(dtype).type(2.7), images)
        return images

    assert same(work)


@pytest.mark.parametrize(("size", "cutoff", "delta"), [(32, 3, 3.3), (9, 5, 0.5), (40, 12, 1.0), (2, 1, 5.0)])
def test_warped_images(size: int, cutoff: int, delta: float, dtype: str, rng: np.random.Generator) -> None:
    """Far beyond the border too, where coordinates are clamped."""
    images = rng.normal(size=(30, 2, size, size)).astype(dtype)
    coefficients = delta * rng.normal(size=(30, 2, cutoff, cutoff))
    waves = np.sin(np.pi * np.outer(np.arange(1, cutoff + 1), np.linspace(0, 1, size)))

    def work(kernels: Kernels) -> Any:
        out = np.full_like(images, np.nan)
        kernels.warp_images(images, coefficients, waves, out)
        return out

    assert same(work)


def test_images_are_filled_past_the_caches_where_there_are_many_of_a_kilobyte() -> None:
    assert render._past_caches(2**25, 2**10)
    assert not render._past_caches(2**25 - 1, 2**10)
    assert not render._past_caches(2**25, 2**10 - 1)
    assert [render._rows_in(100, one) for one in (1, 33, 50, 51, 100, 101)] == [100, 3, 2, 1, 1, 1]


def test_the_radius_of_a_deviate_is_a_number_at_either_end() -> None:
    """(u + 1) / 2^53 is never 0 and may be 1; an angle is below 2 pi."""
    least, most = np.uint64(2**11 - 1), np.uint64(2**64 - 1)
    assert normals._radius(least) == math.sqrt(106 * math.log(2))
    assert normals._radius(np.uint64(2**63 - 1)) == pytest.approx(math.sqrt(2 * math.log(2)), rel=1e-15)
    assert normals._radius(most) == 0
    assert (normals._angle(least), normals._angle(np.uint64(2**63))) == (0, math.pi)
    assert normals._angle(most) == pytest.approx(2 * math.pi, rel=1e-15)


@pytest.mark.parametrize("sites", [4, 5, 6, 7])
def test_normals_agree_to_1e_6(sites: int, dtype: str) -> None:
    def work(kernels: Kernels) -> Any:
        out = np.empty((50, sites), dtype=dtype)
        kernels.fill_normals(np.uint64(2**40), *KEY, 1.5, out)
        return out

    np.testing.assert_allclose(work(backend()), work(twin), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 511, 512, 1500])
def test_squared_distances(width: int, dtype: Any, rng: np.random.Generator) -> None:
    one, other = rng.normal(size=(2, 5, width)).astype(dtype)

    def work(kernels: Kernels) -> Any:
        out = np.full(5, np.nan)
        kernels.squared_distances(one, other, out)
        return out

    assert same(work)
    np.testing.assert_allclose(work(twin), np.square(one.astype(float) - other).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "start", "stop"), [(1, 0, 1), (32, 0, 30), (32, 64, 150), (100, 0, 20_001)])
def test_shifted_sums(m: int, start: int, stop: int, dtype: Any, rng: np.random.Generator) -> None:
    # Three further versions: two are taken at once, and one by itself.
    rows, reference = rng.normal(size=(24, stop + 3)).astype(dtype), rng.normal(size=stop + 3).astype(dtype)
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), stop + 3)

    def work(kernels: Kernels) -> Any:
        squares, totals, folds = np.ones(24), np.ones((2, stop + 3)), np.ones((3, m), dtype)
        kernels.shifted_sums(rows, 6, reference, signs, 5, 2, start, stop, squares, totals, folds)
        return np.concatenate([squares, totals.ravel(), folds.ravel()])

    assert same(work)
    clean, *others = rows.astype(float).reshape(4, 6, -1)
    v = (clean - reference)[:, start:stop]
    found = work(twin)
    np.testing.assert_allclose(found[:6], 1 + np.square(v).sum(axis=1), rtol=1e-5)
    gaps = (np.array(others) - clean)[..., start:stop]
    np.testing.assert_allclose(found[6:24], 1 + np.square(gaps).sum(axis=2).ravel(), rtol=1e-5)
    expected = np.ones((2, stop + 3))
    expected[:, start:stop] += [v[2:4].sum(axis=0), v[[0, 1, 4, 5]].sum(axis=0)]
    np.testing.assert_allclose(found[24 : -3 * m], expected.ravel(), atol=1e-5)
    folds = np.ones((3, m))
    np.add.at(folds.T, np.arange(stop - start) % m, (signs[start:stop] * (v[::2] + v[1::2])).T)
    np.testing.assert_allclose(found[-3 * m :], folds.ravel(), atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_settle_rows(dtype: Any, rng: np.random.Generator) -> None:
    """Six rows, two to a cell, of three versions in two pieces; the third row of version 1 is near enough."""
    parts, folds = rng.uniform(1, 2, size=(2, 18)), rng.normal(size=(2, 3, 5)).astype(dtype)
    parts[:, 8] = 0.01

    def work(kernels: Kernels) -> Any:
        # One version more than there is in this batch.
        squares, events = np.ones((4, 4)), np.array([0, 7, 7, 7])
        sketches, limits = np.ones((4, 5)), np.full(6, np.nan)
        kernels.settle_rows(parts, folds, 1, 2, 3.0, 0.1, squares, events, sketches, limits)
        return np.concatenate([squares.ravel(), events, sketches.ravel(), limits])

    assert same(work)
    squares, events, sketches, limits = np.split(work(twin), [16, 20, 40])
    expected = np.ones((4, 4))
    expected[:3, 1:] += parts.sum(axis=0).reshape(3, 3, 2).sum(axis=2)
    np.testing.assert_allclose(squares.reshape(4, 4), expected, rtol=1e-14)
    assert events.tolist() == [0, 7 + 5, 7 + 6, 7]
    assert sketches[:5].tolist() == [1] * 5
    np.testing.assert_allclose(sketches[5:], 1 + folds.astype(float).sum(axis=0).ravel(), atol=1e-14)
    np.testing.assert_allclose(limits, 0.1 * (np.sqrt(parts[:, :6].sum(axis=0)) + 3), rtol=1e-14)


# ---------------------------------------------------------------------- the package with the JIT off

DIGESTS = """
import hashlib, sys
sys.path.insert(0, TESTS)
import numba, numpy as np
import scaledetect as sd
from scaledetect._kernels import backend, twin
from helpers.specs import HUGE, MEDIUM, SMALL, task_of

assert (backend().unrank_open is twin.unrank_open) == bool(numba.config.DISABLE_JIT)
for spec in SMALL[::4] + MEDIUM + HUGE[::3]:
    found = hashlib.sha256()
    for balance in ("equal", "natural"):
        task = task_of(spec, balance=balance)
        for split in (None, "train", "validation", "test"):
            for replace in (False, True):
                if split == "test" and min(task.n_near, task.n_far) < 2:
                    continue
                pairs, y = sd.sample_pairs(task, 2, seed=5, split=split, replace=replace)
                found.update(pairs.tobytes() + y.tobytes())
        pairs, y = sd.sample_pairs(task, 100, replace=True)
        found.update(sd.shift_pairs(pairs, y, task).tobytes())
        found.update((sd.render_pairs(pairs, task) if task.n_sites < 10**4 else pairs).tobytes())
    print(found.hexdigest(), task.digest(200))
"""


def digests(tests: str, jit: bool) -> str:
    environment = os.environ | {"NUMBA_DISABLE_JIT": "0" if jit else "1"}
    code = DIGESTS.replace("TESTS", repr(tests))
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def test_the_package_with_the_jit_off(root: Any) -> None:
    tests = str(root / "tests")
    compiled = digests(tests, jit=True)
    assert compiled == digests(tests, jit=False)
    assert len(set(compiled.split())) == len(compiled.split())


def test_doctor_says_that_the_twins_are_in_use() -> None:
    code = "from scaledetect._kernels.jit import cache_state; print(cache_state())"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "not used: the JIT is off"


def test_one_task_stays_one_task() -> None:
    task = Task(size=64, xi=16)
    assert rank_tables(task.population)[0] is rank_tables(Task(size=64, xi=16, amplitude=2).population)[0]
