"""Delete-a-block jackknife: D, G, R and Delta of a layer from block sums, with standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.results import BlockSums

__all__ = ["Estimate", "deviations", "estimate_layer", "flaw_of"]


MARGIN = 1000
"""A normalisation this many roundings of E|f|^2 small is none."""

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Estimate:
    """The sensitivities of one layer by name, their deviations block by block, and the draws that moved it at all.

    `flaw` says why D and G are NaN, if they are.
    """

    values: dict[str, float]
    deviations: dict[str, FloatArray]
    deformed_events: int
    noisy_events: int
    flaw: str | None

    @property
    def stderrs(self) -> dict[str, float]:
        """Standard errors by name."""
        return {name: float(np.sqrt(np.square(e).sum())) for name, e in self.deviations.items()}


def estimate_layer(sums: BlockSums) -> Estimate:
    """D, G, R and Delta of a layer; see `scaledetect.sensitivity.sensitivities` for the definitions."""
    # Row 0 takes all blocks, row b + 1 leaves out block b.
    counts = _leave_out(sums.counts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        deformed = (_leave_out(sums.deformed) / counts).mean(axis=1)
        noisy = (_leave_out(sums.noisy) / counts).mean(axis=1)
        delta, energy = _normalisation(sums, counts)
        curves = {"D": deformed / delta, "G": noisy / delta, "R": deformed / noisy, "Delta": delta}
        flaw = flaw_of(deformed[0], noisy[0], delta[0], energy, sums.eps)
        if flaw is not None:
            curves["D"] = curves["G"] = np.full_like(delta, np.nan)
        if noisy[0] == 0:
            curves["R"] = np.full_like(delta, np.nan)
        sizes = sums.counts.sum(axis=1)
        return Estimate(
            values={name: float(curve[0]) for name, curve in curves.items()},
            deviations={name: deviations(curve, sizes) for name, curve in curves.items()},
            deformed_events=sums.deformed_events,
            noisy_events=sums.noisy_events,
            flaw=flaw,
        )


def deviations(curve: FloatArray, sizes: NDArray[np.int64]) -> FloatArray:
    """What each block adds to the error of an estimate: the sum of squares is the jackknife's variance.

    `curve`, shape (B + 1,), has the estimate from all blocks and then without each; `sizes`, shape (B,), their draws.
    Blocks may differ in size: Busing, Meijer, van der Leeden, Statistics and Computing 9 (1999) 3. For equal ones the
    variance is the plain (B - 1)/B sum_b (estimate without b - mean)^2.
    """
    n, blocks = sizes.sum(), len(sizes)
    ratio = n / sizes
    centre = blocks * curve[0] - ((1 - sizes / n) * curve[1:]).sum()
    pseudo = ratio * curve[0] - (ratio - 1) * curve[1:]
    result: FloatArray = (pseudo - centre) / np.sqrt(blocks * (ratio - 1))
    return result


def flaw_of(deformed: float, noisy: float, delta: float, energy: float, eps: float) -> str | None:
    """Why a layer has no sensitivity, if it has none; `energy` is E|f|^2, `eps` the spacing of its type."""
    if not np.isfinite([deformed, noisy, delta]).all():
        return "activations are not finite"
    # The sums are of f less a reference, so the rounding of a float32 layer enters squared; what is left is that of the
    # float64 sums, the same as in theory.
    if delta <= MARGIN * max(EPS, eps**2) * energy:
        return "constant over the task (Delta <= 1000 eps E|f|^2)"
    return None


def _leave_out(sums: FloatArray | NDArray[np.int64]) -> FloatArray:
    """Totals over all blocks, then without each block in turn: shape (B + 1, C) from (B, C)."""
    total = sums.sum(axis=0)
    return np.concatenate([total[None], total - sums]).astype(np.float64)


def _normalisation(sums: BlockSums, counts: FloatArray) -> tuple[FloatArray, float]:
    """Delta with all blocks and without each, shape (B + 1,), and E|f|^2.

    With n_c draws of class c, m_c the mean of |v|^2 and u_c that of v, s_c^2 = n_c / (n_c - 1) (m_c - |u_c|^2):
    Delta = 2 [mean m_c - |mean u_c|^2 + sum_c s_c^2 / n_c / C^2], unbiased for draws with replacement, C classes of
    equal weight. It does not depend on the reference that was subtracted.
    """
    squares = _leave_out(sums.squares) / counts
    total = sums.vectors.sum(axis=0)
    # The norms |u_c|^2 of each row, and that of the mean over classes in the last column.
    norms = np.empty((len(counts), squares.shape[1] + 1))
    for row, n in enumerate(counts):
        means = (total if row == 0 else total - sums.vectors[row - 1]) / n[:, None]
        norms[row, :-1] = np.einsum("ca,ca->c", means, means)
        mean = means.mean(axis=0)
        norms[row, -1] = mean @ mean
        if row == 0:
            energy = squares[0].mean() + (2 * mean + sums.reference) @ sums.reference
    spread = (squares - norms[:, :-1]) / (counts - 1)
    n_classes = squares.shape[1]
    return 2 * (squares.mean(axis=1) - norms[:, -1] + spread.sum(axis=1) / n_classes**2), float(energy)
