"""Learning curves of kernels by name on a small task: theory beside kernel ridge regression."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scaledetect._base.arguments import check_seed, flag, integer, integers, not_negative, one_of
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.progress import ProgressOption, reporting
from scaledetect.task.task import Task, check_task
from scaledetect.theory.kernels.finite_population import repeated_rows_error
from scaledetect.theory.kernels.generalisation import RANK_TOLERANCE, effective_ridge, mean_squared_error, spectrum_of
from scaledetect.theory.kernels.overlap_kernels import FullyConnectedKernel, GaussianKernel, Kernel, LinearKernel
from scaledetect.theory.kernels.pooling_kernels import PoolingKernel, PoolingMeanKernel
from scaledetect.theory.kernels.population import Population, population_of
from scaledetect.theory.kernels.result import KernelLearningCurve
from scaledetect.theory.kernels.ridge_regression import score_draws

__all__ = [
    "KERNELS",
    "build_kernel",
    "kernel_learning_curve",
    "kernel_options",
]


MAX_TRAIN = 10**6
"""Rows beyond which a draw is refused: it no longer is quick, and the population was seen many times over."""


def kernel_learning_curve(
    task: Task,
    kernel: str = "nngp",
    *,
    n_train: Sequence[int],
    ridge: float = 0.0,
    n_draws: int = 100,
    seed: int = 0,
    finite_population: bool = False,
    progress: ProgressOption = False,
    **net_options: Any,
) -> KernelLearningCurve:
    """Error of kernel ridge regression against the number of training rows: a formula, and its measurement.

    The kernel is a finite matrix over all images of the task. Under the class-balanced measure, each class of
    probability 1/2, K = sum_i lambda_i e_i e_i^T and the label is y = sum_i v_i e_i. For P independent rows of that
    measure (classes are drawn too, rows repeat)

        P = sum_i L_i + ridge / kappa,  L_i = lambda_i / (lambda_i + kappa),
        mean squared error = P / (P - sum_i L_i^2) sum_i (1 - L_i)^2 v_i^2   over the whole population, classes alike.

    Parameters
    ----------
    task : Task
        Without background noise, of at most 5000 pairs: the kernel is diagonalised.
    kernel : {"nngp", "nngp-pooling", "nngp-pooling-mean", "linear", "gaussian"}, default "nngp"
        ``"linear"``: x . y / N. ``"gaussian"``: exp(-|x - y|^2 / (2 N length^2)).
        ``"nngp"``: a fully connected net of infinite width, K_1 = 1 + x . y / N, K_{l+1} = 1 + 2 Q(K_l), Q the
        arc-cosine kernel; that of the output, K_{depth + 1}, is taken.
        ``"nngp-pooling"``: `scaledetect.nets.PoolingNet` of infinite width, read out with a weight for each site and
        channel, K = g^2 mean_r Q_K(x, y)[r].
        ``"nngp-pooling-mean"``: the same net with the readout it has, through the mean over space, K = g^2 mean_{r, r'}
        Q_K(x, y)[r, r'], without the bias of the output. It needs the kernel between sites: 4e9 pairs of sites of
        pairs of images at most, over all layers.
    n_train : sequence of int, length n >= 1
        Numbers of training rows P, from 1 to 10^6.
    ridge : float, default 0
        Added to the diagonal of the kernel matrix of the P rows. 0 is the limit of a vanishing ridge: of the functions
        that fit the rows best, that of least norm. Between 0 and 1e-12 of the largest eigenvalue that P rows can
        have it would be lost to rounding, and is refused.
    n_draws : int, default 100
        Draws of the P rows for the measurement, at least 2; 0 for the formula alone.
    seed : int, default 0
        Of the draws, from 0 to 2^64 - 1. Draw j at a smaller P is the beginning of draw j at a larger one, so that the
        errors along a curve are correlated.
    finite_population : bool, default False
        Compute `mse_finite` too, a theory that counts how often each image is drawn; for a `ridge` above 0. Each number
        of rows takes some ten to a hundred inversions of the kernel.
    progress : bool or callable, default False
        As in `scaledetect.sensitivities`, with numbers of training rows in the place of draws.
    **net_options
        ``depth`` (default 3, number of ReLU layers) for ``"nngp"``; ``filter_size``, ``stride``, ``depth`` and
        ``gain`` for the pooling kernels, with the meaning and the defaults of `scaledetect.nets.PoolingNet`;
        ``length`` (default 1, in units of the root mean square of a pixel) for ``"gaussian"``.

    Returns
    -------
    KernelLearningCurve
        `mse` by the formula; `mse_finite` where asked for; `mse_measured`, and `error`, the share of wrong signs, for
        which there is no formula, with standard errors over the draws. At ridge 0 and P at least the rank of the
        kernel, kappa is 0 and the formula is P / (P - rank) times what no function of the kernel reaches of the label:
        infinite at P = rank, unless that is nothing. Eigenvalues below 1e-12 of the largest count as zero.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, an unknown kernel, an option that it does not take, background noise, or too large a
        task.

    Notes
    -----
    Beyond Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506. The formula is that of Bordelon, Canatar, Pehlevan,
    2020, and Simon et al., 2021. It takes the features of a row for Gaussian. With ridge 1 it is right within about one
    per cent for kernels whose values are of order one and not too narrow; towards ridge 0 it fails where errors are
    small or P is near the rank, since rows repeat in a finite population: ``docs/data/kernel-learning-curves.csv`` says
    by how much. `mse_finite` counts repeated rows by the cavity method (Malzahn and Opper, 2003): it is exact for a
    kernel that tells images apart and nothing else, and falls short where P is near a small rank and where images are
    alike to the kernel, as many are to ``"nngp-pooling-mean"``. Neither is about this package's own splits: balanced
    rows, or rows without replacement, give other errors.

    Examples
    --------
    >>> from scaledetect import Task, theory
    >>> task = Task(size=16, xi=4, labelling="block")
    >>> curve = theory.kernel_learning_curve(task, "nngp-pooling", n_train=[64, 256], ridge=1.0, depth=4, n_draws=50)
    >>> curve.mse.round(3)
    array([0.859, 0.41 ])
    >>> bool((abs(curve.mse / curve.mse_measured - 1) < 0.03).all())
    True
    """
    check_task(task)
    built = build_kernel(kernel, net_options)
    P, ridge, seed = _checked_rows(n_train), _checked_ridge(ridge), check_seed(seed)
    n_draws = _checked_draws(n_draws)
    _check_finite(finite_population, ridge)
    population = population_of(task)
    gram = built.gram(population.images)
    _check_rounding(ridge, gram, max(P))
    spectrum = spectrum_of(gram, population)
    measured = []
    with reporting(progress, "sizes") as report:
        for number, rows in enumerate(P, start=1):
            measured.append(_measure(population, gram, rows, ridge, n_draws, seed))
            report(number, len(P))
    mse, mse_stderr, error, error_stderr = np.transpose(measured)
    arrays = (gram, population.weights, population.y)
    return KernelLearningCurve(
        n_train=np.array(P),
        mse=np.array([mean_squared_error(spectrum, n, ridge) for n in P]),
        mse_finite=np.array([repeated_rows_error(*arrays, n, ridge) if finite_population else math.nan for n in P]),
        mse_measured=mse,
        mse_stderr=mse_stderr,
        error=error,
        error_stderr=error_stderr,
        kappa=np.array([effective_ridge(spectrum.eigenvalues, n, ridge) for n in P]),
        rank=spectrum.rank,
        n_pairs=len(population.y),
        task=task,
        kernel=kernel,
        options=kernel_options(built),
        ridge=ridge,
        n_draws=n_draws,
        seed=seed,
    )


def _measure(
    population: Population, gram: FloatArray, n_train: int, ridge: float, n_draws: int, seed: int
) -> tuple[float, float, float, float]:
    """Mean squared error, its standard error, share of wrong signs, its standard error."""
    if n_draws == 0:
        return (math.nan,) * 4
    scores = score_draws(population, gram, n_train=n_train, ridge=ridge, n_draws=n_draws, seed=seed)
    return (*_mean_and_error(scores.mse), *_mean_and_error(scores.error))


def _mean_and_error(values: FloatArray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def _checked_rows(n_train: Sequence[int]) -> list[int]:
    if getattr(n_train, "ndim", 1) == 0 or not isinstance(n_train, Sequence | np.ndarray):
        raise bad_type("n_train", n_train, "must be a sequence of integers", "write [64] for one of them")
    if len(n_train) == 0:
        raise bad_value("n_train", n_train, "must hold at least one number of rows")
    found = integers("n_train", n_train, kind="a sequence of integers")
    for n in found:
        if not 1 <= n <= MAX_TRAIN:
            raise bad_value("n_train", n, f"must be from 1 to {MAX_TRAIN} rows")
    return list(found)


def _checked_ridge(ridge: object) -> float:
    return not_negative("ridge", ridge)


def _checked_draws(n_draws: object) -> int:
    number = integer("n_draws", n_draws)
    if number < 0 or number == 1:
        raise bad_value("n_draws", n_draws, "must be at least 2, for a standard error, or 0 for the formula alone")
    return number


def _check_finite(finite_population: object, ridge: float) -> None:
    if flag("finite_population", finite_population) and ridge == 0:
        raise bad_value("finite_population", True, "needs a ridge above 0", "take a small one, such as ridge=0.001")


def _check_rounding(ridge: float, gram: FloatArray, n_train: int) -> None:
    """A ridge is lost where rounding of the kernel matrix of P rows, of eigenvalues up to P max K, is larger."""
    least = RANK_TOLERANCE * n_train * float(gram.diagonal().max())
    if 0 < ridge < least:
        raise bad_value("ridge", ridge, "is lost to the rounding of the kernel", f"take 0, or at least {least:.1g}")


KERNELS: dict[str, type[Kernel]] = {
    "linear": LinearKernel,
    "gaussian": GaussianKernel,
    "nngp": FullyConnectedKernel,
    "nngp-pooling": PoolingKernel,
    "nngp-pooling-mean": PoolingMeanKernel,
}


def build_kernel(name: str, options: dict[str, Any]) -> Kernel:
    """The kernel of that name.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, which lists the known ones, an option it does not take, or one out of range.
    """
    one_of("kernel", name, KERNELS)
    known = [field.name for field in dataclasses.fields(KERNELS[name])]  # type: ignore[arg-type]
    for option, value in options.items():
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise bad_value(option, value, f"kernel={name!r} takes no such option", takes)
    return KERNELS[name](**options)


def kernel_options(kernel: Kernel) -> dict[str, Any]:
    """All options of a kernel, defaults included, as plain data."""
    return dataclasses.asdict(kernel)  # type: ignore[call-overload, no-any-return]
