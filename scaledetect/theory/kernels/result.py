"""The frozen result: learning curve of a kernel, its theory beside its measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value
from scaledetect.task import Task

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["KernelLearningCurve"]


@dataclass(frozen=True, eq=False)
class KernelLearningCurve:
    """Errors of kernel ridge regression over the whole population, classes alike, against the number of rows.

    Attributes
    ----------
    n_train : ndarray of int64, shape (n,)
        P, the number of independent rows, as given.
    mse : ndarray of float64, shape (n,)
        Mean squared error, by the formula. Infinite at ridge 0 where P is the rank and the target out of reach.
    mse_finite : ndarray of float64, shape (n,)
        Mean squared error by the theory that counts how often each image is drawn; NaN where it was not asked for.
    mse_measured, mse_stderr : ndarray of float64, shape (n,)
        Mean over the draws of the rows, with its standard error; NaN without draws. (measured - formula) / stderr
        follows Student's t with n_draws - 1 degrees of freedom where the formula holds and no draw stands out, as
        they do at ridge 0 with P near the rank.
    error, error_stderr : ndarray of float64, shape (n,)
        Share of wrong signs, measured on the same draws; there is no formula for it. A prediction of 0 is wrong half of
        the time.
    kappa : ndarray of float64, shape (n,)
        Effective ridge; 0 where the rows determine every function of the kernel.
    rank, n_pairs : int
        Numerical rank of the kernel on the population, and the number of images of the population.
    task : Task
    kernel : str
    options : mapping of str to plain data
        All numbers of the kernel, defaults included.
    ridge : float
    n_draws, seed : int
        Of the measurement.
    """

    n_train: NDArray[np.int64]
    mse: FloatArray
    mse_finite: FloatArray
    mse_measured: FloatArray
    mse_stderr: FloatArray
    error: FloatArray
    error_stderr: FloatArray
    kappa: FloatArray
    rank: int
    n_pairs: int
    task: Task
    kernel: str
    ridge: float
    n_draws: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("n_train", *_COLUMNS, "kappa"):
            array = np.array(getattr(self, name), dtype=np.int64 if name == "n_train" else np.float64)
            if array.shape != (len(self.n_train),):
                raise bad_value(name, array.shape, f"must have one entry for each of n_train, {len(self.n_train)}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __len__(self) -> int:
        return len(self.n_train)

    def __repr__(self) -> str:
        draws = f"n_draws={self.n_draws}" if self.n_draws else "not measured"
        return f"<KernelLearningCurve {self.kernel}, ridge={self.ridge:g}, {len(self)} points, {draws}>"

    def to_frame(self) -> pd.DataFrame:
        """One row for each of `n_train`: that, `mse`, `mse_finite`, `mse_measured` and `error` with their errors."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in ("n_train", *_COLUMNS)})

    def plot(self, **options: Any) -> Figure:
        """Mean squared error and share of wrong signs. See `scaledetect.plots.plot_kernel_learning_curves`."""
        from scaledetect.plots import plot_kernel_learning_curves

        return plot_kernel_learning_curves(self, **options)


_COLUMNS = ("mse", "mse_finite", "mse_measured", "mse_stderr", "error", "error_stderr")
