"""The committed table of kernel learning curves is what the package computes, and says what the documentation says."""

from __future__ import annotations

from types import ModuleType

import pandas as pd
import pytest
from helpers.docs_scripts import docs_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return docs_script("kernel_learning_curves")


@pytest.fixture(scope="module")
def table(script: ModuleType) -> pd.DataFrame:
    return pd.read_csv(script.TABLE)


def test_the_table_has_a_row_for_each_task_kernel_ridge_and_number(script: ModuleType, table: pd.DataFrame) -> None:
    keys = [(t, k, r, n) for t in script.TASKS for k in script.KERNELS for r in script.RIDGES for n in script.N_TRAIN]
    assert list(table[["task", "kernel", "ridge", "n_train"]].itertuples(index=False, name=None)) == keys


@pytest.mark.parametrize("ridge", [1.0, 0.0])
@pytest.mark.parametrize(("task", "kernel"), [("distance-1d-L32-xi8", "nngp"), ("block-1d-L32-xi8", "nngp-pooling")])
def test_the_table_is_what_the_package_computes(
    script: ModuleType, table: pd.DataFrame, task: str, kernel: str, ridge: float
) -> None:
    """The shortest rows, with all their draws; the table keeps six digits."""
    n = script.N_TRAIN[:1]
    here = (table.task == task) & (table.kernel == kernel) & (table.ridge == ridge) & table.n_train.isin(n)
    stored, found = table[here].reset_index(drop=True), script.curve(task, kernel, ridge, n)
    pd.testing.assert_frame_equal(stored, found, rtol=2e-5, check_dtype=False)


def test_the_table_says_that_the_formula_holds_at_ridge_1_and_fails_towards_0(table: pd.DataFrame) -> None:
    strong = table[table.ridge == 1]
    off = (strong.ratio - 1).abs()
    assert (off < 0.02).all()
    # Known far better than that, or it would be luck.
    assert (strong.mse_stderr / strong.mse_measured < 0.007).all()
    weak = table[(table.ridge <= 0.01) & (table.task == "block-1d-L32-xi8") & (table.n_train == 256)]
    assert (weak[weak.kernel.str.contains("pooling")].ratio < 0.5).all()


def test_the_table_says_that_counting_repeated_rows_mends_the_formula(table: pd.DataFrame) -> None:
    """Of kernels that tell all images apart, where rows repeat most: within 1 %, at every ridge."""
    rows = table[table.kernel.isin(["gaussian", "nngp"]) & (table.n_train >= 128) & (table.ridge > 0)]
    assert len(rows) == 32
    assert ((rows.ratio_finite - 1).abs() < 0.01).all()
    assert ((rows.ratio - 1).abs() > 0.05).sum() > 16
