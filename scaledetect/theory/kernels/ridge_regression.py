"""Kernel ridge regression on random rows of a population, measured over the whole of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaledetect._base.array_types import FloatArray, IntArray
from scaledetect.sampling.keys import seed_key
from scaledetect.theory.kernels.generalisation import RANK_TOLERANCE
from scaledetect.theory.kernels.population import Population

__all__ = ["Scores", "draw_rows", "fit_and_predict", "score_draws"]


NO_SIGN = 1e-9
"""A prediction smaller than this is rounding of zero: it has no sign, and is wrong half of the time."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Of each draw of training rows, shape (n_draws,): mean squared error and share of wrong signs, classes alike."""

    mse: FloatArray
    error: FloatArray


def draw_rows(population: Population, n: int, *, seed: int, draw: int) -> IntArray:
    """Numbers of `n` independent images of the class-balanced measure, shape (n,): classes are drawn too.

    The first rows of a longer draw are the shorter one.
    """
    key = int.from_bytes(seed_key(seed, "kernel learning curve"), "little")
    words = np.random.Philox(key=key, counter=draw << 64).random_raw(n)
    uniform = (words >> np.uint64(11)) * 2.0**-53
    places = np.searchsorted(np.cumsum(population.weights), uniform, side="right")
    # The weights may add up to a little less than one.
    return np.minimum(places, len(population.weights) - 1)


def score_draws(
    population: Population, gram: FloatArray, *, n_train: int, ridge: float, n_draws: int, seed: int
) -> Scores:
    """Fit on `n_draws` sets of `n_train` rows, and measure each on all images."""
    mse, error = np.empty(n_draws), np.empty(n_draws)
    for draw in range(n_draws):
        rows = draw_rows(population, n_train, seed=seed, draw=draw)
        f = fit_and_predict(gram, population.y, rows, ridge)
        wrong = np.where(np.abs(f) < NO_SIGN, 0.5, f * population.y < 0)
        mse[draw] = population.weights @ (f - population.y) ** 2
        error[draw] = population.weights @ wrong
    return Scores(mse, error)


def fit_and_predict(gram: FloatArray, y: FloatArray, rows: IntArray, ridge: float) -> FloatArray:
    """Predictions on all M images, shape (M,), of kernel ridge regression on the images numbered `rows`.

    An image drawn m times is one row of weight m: the same solution, of a matrix that repeats no row.
    """
    distinct, counts = np.unique(rows, return_counts=True)
    among, weights = gram[np.ix_(distinct, distinct)], counts.astype(np.float64)
    if ridge == 0:
        return np.asarray(gram[:, distinct] @ _without_ridge(among, y[distinct], np.sqrt(weights)))
    from sklearn.kernel_ridge import KernelRidge

    model = KernelRidge(alpha=ridge, kernel="precomputed")
    model.fit(among, y[distinct], sample_weight=weights)
    return np.asarray(model.predict(gram[:, distinct]))


def _without_ridge(gram: FloatArray, target: FloatArray, root: FloatArray) -> FloatArray:
    """Dual coefficients in the limit of a vanishing ridge: the best fit to the rows, and of these that of least norm.

    scikit-learn solves a system of full rank; here images that are alike to the kernel may have other labels.
    """
    values, vectors = np.linalg.eigh(gram * root[:, None] * root)
    kept = values > RANK_TOLERANCE * values[-1]
    values, vectors = values[kept], vectors[:, kept]
    return np.asarray(root * (vectors @ ((root * target) @ vectors / values)))
