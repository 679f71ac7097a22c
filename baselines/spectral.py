"""A spectral method on the signed graph of training pairs, which knows nothing of locality."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect.entry import Entry, Limits, Sampler
from scaledetect.task.task import Task

__all__ = ["Spectral"]

MOST_VECTORS = 32
"""Leading eigenvectors to choose from on validation rows."""

DENSE_SITES = 1024
"""Sites up to which all eigenvectors are computed; of larger graphs only the leading ones, by Lanczos' method."""

NO_SIGN = 1e-9
"""A score that is smaller is rounding of zero: a site without a training pair has no component."""


class Spectral(Entry):
    """Sites are nodes, training pairs edges of weight y; two pixels are near where their eigenvector components agree.

    The matrix is sum_i y_i x_i x_i^T without its diagonal, x_i the image scaled so that an active pixel is 1. The score
    of an image is the sum over pairs of sites of x_p x_q sum_k v_k(p) v_k(q), over the r leading eigenvectors; r, up to
    32, is the one of fewest wrong validation rows, the smallest of several.
    """

    name = "spectral"
    title = "Spectral, signed graph of pairs"
    version = 1
    exact = False
    budget = "quick"
    kind = "spectral"
    limits = Limits(sites=4096)

    def configuration(self, task: Task, n_train: int) -> dict[str, Any]:
        """How many vectors there are to choose from, and by what."""
        dense: bool = task.size**task.dim <= DENSE_SITES
        return {"vectors": MOST_VECTORS, "chosen_by": "validation error", "solver": "eigh" if dense else "lanczos"}

    def fit(self, sampler: Sampler, *, seed: int) -> None:
        """Leading eigenvectors of the training graph, as many as the validation rows ask for."""
        X, y = sampler.train()
        self._scale = float(np.abs(X).max())
        vectors = _leading_vectors(self._flat(X), y, seed)
        X, y = sampler.validation()
        wrong = (_cumulative_scores(self._flat(X), vectors) > NO_SIGN) != (y > 0)[:, None]
        self._vectors = vectors[:, : 1 + int(wrong.sum(axis=0).argmin())]

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.int8]:
        """+1 where the components of the two pixels agree."""
        score = _cumulative_scores(self._flat(X), self._vectors)[:, -1]
        return np.where(score > NO_SIGN, 1, -1).astype(np.int8)

    def _flat(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        return X.reshape(len(X), -1).astype(np.float64) / self._scale


def _leading_vectors(X: NDArray[np.float64], y: NDArray[np.int8], seed: int) -> NDArray[np.float64]:
    """Eigenvectors of the largest eigenvalues, shape (sites, at most 32)."""
    from scipy.linalg import eigh
    from scipy.sparse import csr_array, diags_array
    from scipy.sparse.linalg import eigsh

    sites, most = X.shape[1], min(MOST_VECTORS, X.shape[1])
    rows = csr_array(X)
    graph = rows.T @ (diags_array(y.astype(np.float64)) @ rows)
    graph = graph - diags_array(graph.diagonal())
    if sites <= DENSE_SITES:
        vectors = eigh(graph.toarray(), subset_by_index=[sites - most, sites - 1])[1][:, ::-1]
    else:
        start = np.random.default_rng(seed).standard_normal(sites)
        lanczos: Any = eigsh  # its types refuse a sparse array
        values, vectors = lanczos(graph, k=most, which="LA", v0=start, tol=1e-6)
        vectors = vectors[:, np.argsort(-values)]
    return np.ascontiguousarray(vectors)


def _cumulative_scores(X: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score of each image with 1, 2, ... eigenvectors: sums over pairs of different sites."""
    pairs = (X @ vectors) ** 2 - X**2 @ vectors**2
    return np.cumsum(pairs, axis=1)
