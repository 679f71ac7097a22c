"""Delete-a-block jackknife: D, G, R and Delta of a layer from block sums, with standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.array_types import FloatArray
from scaledetect.results.block_sums import BlockSums

__all__ = ["Estimate", "columns_of", "deviations", "estimate_layer", "flaw_of"]

NAMES = ("D", "G", "R", "Delta")


MARGIN = 1000
"""A normalisation this many spacings of float64 small, relative to E|f|^2, is none: the same as in theory."""

COARSE_MARGIN = 100
"""The same in squared spacings of a layer's own type: rounding is about 1 % of a normalisation that large, or less."""

EPS, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)


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
        delta, left_out, energy = _normalisation(sums, counts)
        moved, shaken = deformed[0], noisy[0]
        values = {name: float(value) for name, value in _curves(moved, shaken, delta).items()}
        curves = _curves(deformed, noisy, left_out)
        flaw = flaw_of(moved, shaken, values["Delta"], energy, sums.eps)
        for name in ("D", "G") if flaw is not None else ():
            values[name], curves[name] = np.nan, np.full_like(left_out, np.nan)
        if shaken == 0:
            values["R"], curves["R"] = np.nan, np.full_like(left_out, np.nan)
        sizes = sums.counts.sum(axis=1)
        return Estimate(
            values=values,
            deviations={name: deviations(curve, sizes) for name, curve in curves.items()},
            deformed_events=sums.deformed_events,
            noisy_events=sums.noisy_events,
            flaw=flaw,
        )


def _curves(deformed: Any, noisy: Any, delta: Any) -> dict[str, Any]:
    return {"D": deformed / delta, "G": noisy / delta, "R": deformed / noisy, "Delta": delta}


def columns_of(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """The fields of a result that come from the estimates."""
    columns: dict[str, Any] = {"layers": tuple(estimates), "deviations": {}}
    for name in NAMES:
        columns[name] = [estimate.values[name] for estimate in estimates.values()]
        columns[f"{name}_stderr"] = [estimate.stderrs[name] for estimate in estimates.values()]
        columns["deviations"][name] = np.stack([e.deviations[name] for e in estimates.values()], axis=1)
    columns["D_events"] = [estimate.deformed_events for estimate in estimates.values()]
    columns["G_events"] = [estimate.noisy_events for estimate in estimates.values()]
    return columns


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
    way_out = "; measure with dtype=torch.float32" if eps > SINGLE else ""
    if not np.isfinite([deformed, noisy, delta]).all():
        return f"activations are not finite{way_out}"
    # The sums are of f less a reference, so the rounding of a layer in its type enters squared.
    margin, rule = max((MARGIN * EPS, f"{MARGIN} eps"), (COARSE_MARGIN * eps**2, f"{COARSE_MARGIN} eps^2"))
    if delta <= margin * energy:
        return f"constant over the images (Delta <= {rule} E|f|^2, eps of {_type_of(eps)}{way_out})"
    return None


def _type_of(eps: float) -> str:
    """Name of the floating type of this spacing."""
    names = {2.0**-7: "bfloat16", 2.0**-10: "float16", SINGLE: "float32", EPS: "float64"}
    return names.get(eps, f"{eps:.2g}")


def _leave_out(sums: FloatArray | NDArray[np.int64]) -> FloatArray:
    """Totals over all blocks, then without each block in turn: shape (B + 1, C) from (B, C)."""
    result = np.empty((len(sums) + 1, *sums.shape[1:]))
    sums.sum(axis=0, out=result[0])
    np.subtract(result[0], sums, out=result[1:])
    return result


def _normalisation(sums: BlockSums, counts: FloatArray) -> tuple[Any, FloatArray, float]:
    """Delta exactly, a number; with all blocks and without each from sketches, shape (B + 1,); and E|f|^2.

    The sums are taken about the mean of all draws: so of what the sketches stand in for there is left the difference
    between the mean of a few draws and that of all.
    """
    mean = sums.mean
    sums = sums.shifted(mean)
    squares = _leave_out(sums.squares) / counts
    means = _leave_out(sums.sketches)
    means /= counts[..., None]
    energy = squares[0].mean() + np.einsum("a,a->", mean, mean)
    (exact,) = _delta(squares[:1], (sums.totals / counts[0, :, None])[None], counts[:1])
    return exact, _delta(squares, means, counts), float(energy)


def _delta(squares: FloatArray, means: FloatArray, counts: FloatArray) -> FloatArray:
    """Delta, shape (rows,), from class means of |v|^2 and v, shapes (rows, C) and (rows, C, ...), over `counts` draws.

    With n_c draws of class c, m_c the mean of |v|^2 and u_c that of v, s_c^2 = n_c / (n_c - 1) (m_c - |u_c|^2):
    Delta = 2 [mean m_c - |mean u_c|^2 + sum_c s_c^2 / n_c / C^2], unbiased for draws with replacement, C classes of
    equal weight. It does not depend on the reference that was subtracted.
    """
    mean = means.mean(axis=1)
    spread = (squares - np.einsum("rca,rca->rc", means, means)) / (counts - 1)
    result: FloatArray = 2 * (
        squares.mean(axis=1) - np.einsum("ra,ra->r", mean, mean) + spread.sum(axis=1) / squares.shape[1] ** 2
    )
    return result
