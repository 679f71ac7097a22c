"""The estimators' twin: images from the public samplers, all activations stored, all pairwise distances taken."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

import scaledetect as sd

Array = NDArray[np.float64]
BLOCKS = 50


def naive_images(task: sd.Task, n: int, noise: sd.Noise, seed: int) -> tuple[Array, Array, Array]:
    """The three versions, from the samplers of the public face."""
    task = dataclasses.replace(task, balance="equal")
    clear = dataclasses.replace(task, background_noise=0.0)
    pairs, y = sd.sample_pairs(task, n, seed=seed, replace=True)
    plain = sd.render_pairs(pairs, task, dtype="float64")
    shift = sd.render_pairs(sd.shift_pairs(pairs, y, task, seed=seed), task, dtype="float64") - plain
    x = sd.sample_images(task, n, seed=seed, replace=True, dtype="float64")[0]
    eta = sd.noise_images(task, n, seed=seed, dtype="float64")
    for j in range(n):
        if noise.match == "sample":
            eta[j] *= np.linalg.norm(shift[j]) / np.linalg.norm(eta[j])
        else:
            eta[j] *= noise.sigma or sd.theory.ensemble_sigma(clear)
    noisy = {
        "signed": x + eta,
        "rectified_noise": x + np.where(eta > 0, eta, 0),
        "rectified_input": np.where(x + eta > 0, x + eta, 0),
    }
    return x, x + shift, noisy[noise.mode]


class Twin:
    """D, G, R, Delta of one layer from stored activations, rows of each class in turn, by all pairwise distances."""

    def __init__(self, f: Array, deformed: Array, noisy: Array, classes: int = 2) -> None:
        f, deformed, noisy = (a.reshape(len(a), -1) for a in (f, deformed, noisy))
        self.n, self.classes = len(f), classes
        self.deformed, self.noisy = ((deformed - f) ** 2).sum(1), ((noisy - f) ** 2).sum(1)
        self.distances = cdist(f, f, "sqeuclidean")

    def estimate(self, rows: NDArray[np.int64]) -> dict[str, float]:
        classes = [rows[rows % self.classes == c] for c in range(self.classes)]
        delta = 0.0
        for one in classes:
            for other in classes:
                pairs = len(one) * (len(one) - 1) if one is other else len(one) * len(other)
                delta += self.distances[np.ix_(one, other)].sum() / pairs / self.classes**2
        d, g = (np.mean([squares[members].mean() for members in classes]) for squares in (self.deformed, self.noisy))
        return {"D": d / delta, "G": g / delta, "R": d / g, "Delta": delta}

    def values(self) -> dict[str, float]:
        return self.estimate(np.arange(self.n))

    def errors(self) -> dict[str, float]:
        """Standard errors from leaving out each of the blocks, to which pairs of draws are dealt out in turn."""
        rows = np.arange(self.n)
        left = [self.estimate(rows[rows // self.classes % BLOCKS != block]) for block in range(BLOCKS)]
        errors = {}
        for name in left[0]:
            values = np.array([estimate[name] for estimate in left])
            errors[name] = float(np.sqrt((BLOCKS - 1) / BLOCKS * ((values - values.mean()) ** 2).sum()))
        return errors
