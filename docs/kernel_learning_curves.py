"""Write docs/data/kernel-learning-curves.csv: how far the formula of kernel learning curves holds towards ridge 0.

Both labellings at L = 32 (496 pairs), every kernel, ridge 1 to 0, 16 to 256 rows: `mse` by the formula, `mse_finite`
by the theory that counts rows that repeat (not at ridge 0), what kernel ridge regression measures over 200 draws of the
rows, with standard errors, and the ratios of theory to measurement. ``python docs/kernel_learning_curves.py`` takes
about ten minutes on one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

import scaledetect as sd
from scaledetect.reproduce.folder import write_table

TABLE = Path(__file__).resolve().parent / "data" / "kernel-learning-curves.csv"

TASKS = {
    "distance-1d-L32-xi8": sd.Task(size=32, xi=8),
    "block-1d-L32-xi8": sd.Task(size=32, xi=8, labelling="block"),
}
POOLING = {"filter_size": 2, "stride": 2, "depth": 4}
KERNELS: dict[str, dict[str, Any]] = {
    "linear": {},
    "gaussian": {"length": 1.0},
    "nngp": {"depth": 3},
    "nngp-pooling": POOLING,
    "nngp-pooling-mean": POOLING,
}
RIDGES = (1.0, 0.1, 0.01, 0.001, 0.0)
N_TRAIN = (16, 32, 64, 128, 256)
N_DRAWS, SEED = 200, 0


def curve(task: str, kernel: str, ridge: float, n_train: tuple[int, ...] = N_TRAIN) -> pd.DataFrame:
    """The rows of the table of one task, kernel and ridge."""
    options = KERNELS[kernel]
    found = sd.theory.kernel_learning_curve(
        TASKS[task],
        kernel,
        n_train=n_train,
        ridge=ridge,
        n_draws=N_DRAWS,
        seed=SEED,
        finite_population=ridge > 0,
        **options,
    )
    ratios = {name: getattr(found, name) / found.mse_measured for name in ("mse", "mse_finite")}
    frame = found.to_frame().assign(ratio=ratios["mse"], ratio_finite=ratios["mse_finite"])
    frame = frame.assign(rank=found.rank, n_draws=N_DRAWS, seed=SEED)
    keys = {"task": task, "kernel": kernel, "options": json.dumps(options), "ridge": ridge}
    return frame.assign(**keys)[[*keys, *frame.columns]]


def curves() -> Iterator[pd.DataFrame]:
    """All of them."""
    for task in TASKS:
        for kernel in KERNELS:
            for ridge in RIDGES:
                yield curve(task, kernel, ridge)


if __name__ == "__main__":
    write_table(TABLE, pd.concat(curves(), ignore_index=True))
