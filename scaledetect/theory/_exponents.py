"""Exponents of the sensitivities in the effective receptive field, for any filter and stride.

On the infinite lattice the autocorrelation C_k of the net's kernel obeys C_{k+1}(z) = sum_m B(z - s m) C_k(m), with
B(z) = (F - |z|) / F^2 for |z| < F. On even sequences over 0 .. W that is a finite matrix of integers over F^2.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

import numpy as np

from scaledetect._base.arguments import integer
from scaledetect._base.errors import bad_value
from scaledetect.perturbations.move_law import move_probabilities, moves
from scaledetect.results import Exponents

__all__ = ["exponents", "lattice_sensitivities", "refinement_matrix"]


MATRIX_SIDE = 2000
"""Side beyond which the spectrum of the refinement matrix is refused: it is dense."""

MAX_ITERATIONS = 1000

MOST_LAYERS = 10_000
"""Depth beyond which exact fractions take too many digits."""

MOST_TERMS = 1_000_000
"""Largest product of filter side and depth: so many numbers, times a few, are computed at larger strides."""

MOST_DIGITS = 200_000_000
"""Largest product of filter side and squared depth, in proportion to which are the digits of all of them."""

MOST_GROWN = 4_000_000
"""The same at stride 1, where the autocorrelation itself grows with every layer."""


def exponents(*, filter_size: int = 2, stride: int = 2, dim: int = 1) -> Exponents:
    """Exponents of D, G and R in the effective receptive field A, for 1 << A << xi, L.

    Parameters
    ----------
    filter_size, stride : int, default 2
        Filter side F and stride s of every layer, at least 1.
    dim : {1, 2, 3}, default 1
        Spatial dimensions d.

    Returns
    -------
    Exponents
        ``D``, ``G``, ``R``: powers of A. ``converges``: the sum rule "s divides F"; where it fails D has no limit 0 but
        tends to ``plateau``, and its exponent is 0. F = s = 1 keeps the sum rule and does not pool: all exponents are
        0, and D stays at 1.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, and for a filter so wide (W > 2000) that its matrix is no longer small.

    Notes
    -----
    SPEC of the task, sections 6.2 and 6.3. The cases s = 1 (D ~ A^-2) and s = F (D ~ A^-1) are those of Tomasini,
    Petrini, Cagnetta, Wyart, arXiv 2210.01506; the others go beyond the paper. With lambda_0 the largest eigenvalue of
    the refinement matrix, G ~ A^(-d log_s lambda_0); with s dividing F, D ~ A^-beta, beta = 1 - log_s lambda_0(F/s, s).

    Examples
    --------
    >>> from scaledetect import theory
    >>> theory.exponents(filter_size=8, stride=4)
    Exponents(D=-1.5, G=1.0, R=-2.5, converges=True, plateau=0.0)
    >>> round(theory.exponents(filter_size=3, stride=2, dim=2).plateau, 5)
    0.27628
    """
    filter_size, stride, dim = _checked(filter_size, stride, dim)
    converges = filter_size % stride == 0
    if filter_size == stride == 1:
        return Exponents(D=0.0, G=0.0, R=0.0, converges=converges, plateau=1.0)
    if stride == 1:
        return Exponents(D=-2.0, G=float(dim), R=-float(dim + 2), converges=converges, plateau=0.0)
    if converges:
        beta = 1 + _decay(filter_size // stride, stride)
        return Exponents(D=-beta, G=float(dim), R=-(beta + dim), converges=converges, plateau=0.0)
    _, neighbour = _perron(filter_size, stride)
    gamma = dim * _decay(filter_size, stride)
    return Exponents(D=0.0, G=gamma, R=0.0 - gamma, converges=converges, plateau=_sensitivity(neighbour, dim))


def refinement_matrix(*, filter_size: int, stride: int) -> list[list[int]]:
    """F^2 T, exact integers: what one more layer does to the autocorrelation of the kernel on the infinite lattice.

    Parameters
    ----------
    filter_size, stride : int
        Filter side F >= 1 and stride s >= 2.

    Returns
    -------
    list of list of int, (W + 1) x (W + 1)
        Rows z and columns m from 0 to W = max(1, (F-1) // (s-1)), acting on even sequences: column m holds what
        m and -m contribute.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range: at stride 1 the sequences grow without bound, and there is no such matrix.

    Examples
    --------
    >>> from scaledetect import theory
    >>> theory.refinement_matrix(filter_size=3, stride=2)
    [[3, 2, 0], [2, 2, 0], [1, 3, 1]]
    """
    filter_size, stride, _ = _checked(filter_size, stride, 1)
    if stride == 1:
        raise bad_value("stride", stride, "must be at least 2: without stride the autocorrelation is not confined")

    last = max(1, (filter_size - 1) // (stride - 1))
    if last + 1 > MATRIX_SIDE:
        raise bad_value(
            "filter_size", filter_size, f"needs a matrix of side {last + 1}, above {MATRIX_SIDE}", "raise stride"
        )

    def tent(z: int) -> int:
        return max(filter_size - abs(z), 0)

    side = range(last + 1)
    return [[tent(z - stride * m) + (tent(z + stride * m) if m else 0) for m in side] for z in side]


def lattice_sensitivities(*, filter_size: int = 2, stride: int = 2, depth: int = 6, dim: int = 1) -> list[Fraction]:
    """D_1 .. D_K on the infinite lattice with the pixels far apart, exact: no rounding at any depth.

    Parameters
    ----------
    filter_size, stride, depth : int
        Filter side F, stride s and number of layers K; F K at most 1e6 and F K^2 at most 2e8, 4e6 at stride 1.
    dim : {1, 2}
        Spatial dimensions; in three the probabilities of the moves are irrational.

    Returns
    -------
    list of Fraction
        D_k = 1 - E r_k^|m|, with r_k = C_k(1) / C_k(0) the neighbour correlation of the kernel and |m| the number of
        axes along which the pixel moves.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range.

    Examples
    --------
    >>> from scaledetect import theory
    >>> [str(value) for value in theory.lattice_sensitivities(depth=4)]
    ['1/2', '1/4', '1/8', '1/16']
    """
    filter_size, stride, dim = _checked(filter_size, stride, dim)
    if dim == 3:
        raise bad_value("dim", dim, "must be 1 or 2: in three dimensions the moves have irrational probabilities")
    depth = integer("depth", depth, 1, MOST_LAYERS)
    most = MOST_GROWN if stride == 1 else MOST_DIGITS
    if depth * filter_size > MOST_TERMS or depth**2 * filter_size > most:
        limit = f"times filter_size={filter_size} must be at most {MOST_TERMS}, and its square at most {most}"
        raise bad_value("depth", depth, limit, "lower one")
    law = {1: [(1, Fraction(1))], 2: [(1, Fraction(2, 3)), (2, Fraction(1, 3))]}[dim]
    ratios = _growing_ratios(filter_size, depth) if stride == 1 else _confined_ratios(filter_size, stride, depth)
    return [1 - sum((weight * ratio**axes for axes, weight in law), Fraction(0)) for ratio in ratios]


def _confined_ratios(filter_size: int, stride: int, depth: int) -> list[Fraction]:
    """C_k on the sites that `refinement_matrix` acts on, by two sums over boxes: the matrix has many more entries."""
    # From F + 1 on windows never meet: a larger stride changes nothing.
    stride = min(stride, filter_size + 1)
    last = max(1, (filter_size - 1) // (stride - 1))
    beyond = [0] * last
    correlation, ratios = [*beyond, 1, *beyond], []
    for _ in range(depth):
        apart = [0] * (2 * stride * last + 1)
        apart[::stride] = correlation
        wider = [*beyond, *_widened(_widened(apart, filter_size), filter_size), *beyond]
        middle = len(wider) // 2
        correlation = wider[middle - last : middle + last + 1]
        ratios.append(Fraction(correlation[last + 1], correlation[last]))
    return ratios


def _growing_ratios(filter_size: int, depth: int) -> list[Fraction]:
    """C_k at stride 1 is a 2k-fold convolution of the box; only its centre is asked for."""
    correlation, ratios = [1], []
    for _ in range(depth):
        # An even number of boxes has a site at its centre, whatever their side.
        correlation = _widened(_widened(correlation, filter_size), filter_size)
        middle = len(correlation) // 2
        neighbour = correlation[middle + 1] if len(correlation) > 1 else 0
        ratios.append(Fraction(neighbour, correlation[middle]))
    return ratios


def _widened(values: list[int], side: int) -> list[int]:
    """Convolution with a box of ones."""
    padding = [0] * (side - 1)
    sums = list(accumulate([*padding, *values, *padding], initial=0))
    return [after - before for before, after in zip(sums, sums[side:], strict=False)]


def _decay(filter_size: int, stride: int) -> float:
    """-log_s lambda_0: exactly 1 where the sum rule holds."""
    if filter_size % stride == 0:
        return 1.0
    radius, _ = _perron(filter_size, stride)
    return 0.0 - math.log(radius) / math.log(stride)


def _perron(filter_size: int, stride: int) -> tuple[float, float]:
    """Largest eigenvalue of T, and the ratio v_1 / v_0 of its eigenvector."""
    matrix = np.array(refinement_matrix(filter_size=filter_size, stride=stride), dtype=np.float64) / filter_size**2
    # The other eigenvalues are about s times smaller, or more, and all terms positive: iteration ends at full accuracy.
    vector, radius, previous = np.eye(len(matrix))[0], 1.0, 0.0
    for _ in range(MAX_ITERATIONS):
        vector = matrix @ (vector / vector[0])
        previous, radius = radius, float(vector[0])
        if abs(radius - previous) <= 1e-17:
            break
    return radius, float(vector[1] / vector[0])


def _sensitivity(ratio: float, dim: int) -> float:
    axes = np.abs(moves(dim)).sum(axis=1)
    return float(1 - move_probabilities(dim) @ ratio**axes)


def _checked(filter_size: int, stride: int, dim: int) -> tuple[int, int, int]:
    dim = integer("dim", dim, 1, 3, kind="1, 2 or 3")
    return integer("filter_size", filter_size, 1), integer("stride", stride, 1), dim
