"""Tasks of every kind for the tests: the same one for the package, and for `naive`, which knows nothing of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import naive
import numpy as np
import pytest
from numpy.typing import NDArray

from scaledetect import Task
from scaledetect._kernels import backend
from scaledetect.sampling.splits import Split
from scaledetect.task.population import BlockTable, rank_tables

SPLITS: tuple[Split | None, ...] = (None, "train", "validation", "test")

# (dim, size): odd and even sides, for displacements that are their own inverse.
SIZES = ((1, 7), (1, 8), (1, 12), (2, 5), (2, 6), (3, 3), (3, 4))


def task_of(spec: naive.Spec, **fields: Any) -> Task:
    choices: dict[str, Any] = {"labelling": spec.labelling, "norm": spec.norm, "balance": spec.balance} | fields
    return Task(dim=spec.dim, size=spec.size, xi=spec.xi2 / 2, gap=spec.gap2 / 2, periodic=spec.periodic, **choices)


def small_specs() -> Iterator[naive.Spec]:
    """Every labelling, norm, border and kind of gap on small lattices, as long as both classes have members."""
    for dim, size in SIZES:
        norms = ("l1", "l2", "linf") if dim > 1 else ("l2",)
        for norm, periodic, (xi2, gap2) in itertools.product(
            norms, (True, False), ((4, 0), (4, 1), (5, 0), (6, 2), (8, 3))
        ):
            spec = naive.Spec(dim, size, xi2, gap2, "distance", norm, periodic)
            if min(naive.class_sizes(spec)):
                yield spec
        for xi in (2, 3, 4, size - 1):
            if xi < size:
                yield naive.Spec(dim, size, 2 * xi, labelling="block")


SMALL = tuple(dict.fromkeys(small_specs()))

# One of each kind with many pairs, for what is not enumerated.
MEDIUM = (
    naive.Spec(1, 512, 128, 0),
    naive.Spec(1, 513, 61, 3, periodic=False),
    naive.Spec(1, 500, 48, labelling="block"),
    naive.Spec(2, 28, 28, 4, "distance", "l2", False),
    naive.Spec(2, 17, 9, 1, "distance", "l1", True),
    naive.Spec(2, 30, 14, labelling="block"),
    naive.Spec(3, 9, 7, 1, "distance", "linf", False),
    naive.Spec(3, 10, 9, 0, "distance", "l2", True),
    naive.Spec(3, 7, 6, labelling="block"),
)

# As large as a class may be, or nearly: products of sizes pass the sign bit.
HUGE = (
    naive.Spec(1, 2**32, 4, 0, periodic=True),
    naive.Spec(1, 2**32, 4, 0, periodic=False),
    naive.Spec(1, 2**32 - 1, 2**31, 1, periodic=False),
    naive.Spec(1, 2**32, 6, labelling="block"),
    naive.Spec(1, 2**32 - 5, 2**32 + 8, labelling="block"),
    naive.Spec(2, 2**16, 4, 0, "distance", "l2", False),
    naive.Spec(2, 2**16, 40001, 3, "distance", "linf", True),
    naive.Spec(2, 2**16, 4, labelling="block"),
    naive.Spec(3, 1625, 1600, labelling="block"),
)


def name_of(spec: naive.Spec) -> str:
    border = "periodic" if spec.canonical_periodic else "open"
    return f"{spec.labelling}-{spec.dim}d-L{spec.size}-xi{spec.xi2 / 2:g}-gap{spec.gap2 / 2:g}-{spec.norm}-{border}"


def over(specs: tuple[naive.Spec, ...]) -> pytest.MarkDecorator:
    """Run a test with `spec` each of these."""
    return pytest.mark.parametrize("spec", specs, ids=name_of)


def unrank(task: Task, far: bool, ranks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs of the given ranks of one class, by the kernels in use."""
    table, rows = rank_tables(task.population)[far], np.arange(len(ranks))
    pairs = np.empty((len(ranks), 2, task.dim), dtype=np.int64)
    if isinstance(table, BlockTable):
        backend().unrank_block(ranks, rows, task.shape, far, int(task.xi), table.starts, pairs)
        return pairs
    kernel = backend().unrank_periodic if task.periodic else backend().unrank_open
    kernel(ranks, rows, task.shape, far, table.starts, table.edges, table.guide, table.shift, pairs)
    return pairs


def as_tuples(pairs: NDArray[np.int64]) -> list[naive.Pair]:
    return [(tuple(p), tuple(q)) for p, q in pairs.tolist()]
