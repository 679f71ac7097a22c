"""Exponents and limits: exact integers, the asymptotic table, and the finite lattice on its way there."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from scaledetect import Noise, Task, theory
from scaledetect.theory import _exponents

PLATEAU_3_2 = {1: (7 - math.sqrt(17)) / 4 - 0.5, 2: 0.27628, 3: 0.30381}


def ratio(filter_size: int, stride: int) -> float:
    """Neighbour correlation r of the kernel after many layers."""
    return 1 - float(theory.lattice_sensitivities(filter_size=filter_size, stride=stride, depth=80)[-1])


# ---------------------------------------------------------------------- exponents


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_no_stride_has_the_exponents_of_the_table(dim: int) -> None:
    for filter_size in (2, 3, 7):
        found = theory.exponents(filter_size=filter_size, stride=1, dim=dim)
        assert (found.D, found.G, found.R, found.converges, found.plateau) == (-2, dim, -(dim + 2), True, 0)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_stride_equal_to_the_filter_has_the_exponents_of_the_table(dim: int) -> None:
    for side in (2, 3, 7):
        found = theory.exponents(filter_size=side, stride=side, dim=dim)
        assert (found.D, found.G, found.R, found.converges, found.plateau) == (-1, dim, -(dim + 1), True, 0)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_no_pooling_has_plateau_one(dim: int) -> None:
    found = theory.exponents(filter_size=1, stride=1, dim=dim)
    assert (found.D, found.G, found.R, found.plateau) == (0, 0, 0, 1)
    assert theory.exponents(filter_size=1, stride=3, dim=dim).plateau == 1


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_aliasing_filter_has_a_plateau(dim: int) -> None:
    found = theory.exponents(filter_size=3, stride=2, dim=dim)
    assert not found.converges
    assert found.plateau == pytest.approx(PLATEAU_3_2[dim], abs=5e-6 if dim > 1 else 1e-14)
    assert found.D == 0
    assert pytest.approx(0.98040 * dim, abs=1e-5 * dim) == found.G
    assert -found.G == found.R


def test_plateau_in_two_and_three_dimensions_follows_from_the_neighbour_correlation() -> None:
    for filter_size, stride in ((3, 2), (5, 2), (4, 3), (2, 3), (9, 4)):
        r = ratio(filter_size, stride)
        plateaus = [theory.exponents(filter_size=filter_size, stride=stride, dim=dim).plateau for dim in (1, 2, 3)]
        expected = [1 - r, 1 - 2 * r / 3 - r**2 / 3, 1 - 0.526439 * r - 0.447122 * r**2 - 0.026439 * r**3]
        np.testing.assert_allclose(plateaus[:2], expected[:2], rtol=1e-12)
        assert plateaus[2] == pytest.approx(expected[2], abs=2e-6)


def test_exponent_of_deformation_can_be_a_fraction() -> None:
    assert pytest.approx(-1.5, abs=1e-14) == theory.exponents(filter_size=8, stride=4).D
    between = theory.exponents(filter_size=6, stride=4, dim=2)
    assert not between.converges
    twelve = -theory.exponents(filter_size=12, stride=4).D
    # beta = 1 - log_s lambda_0(F/s, s), and F/s = 3 with s = 4 has lambda_0 = 1/3
    assert twelve == pytest.approx(1 + math.log(3, 4), rel=1e-14)


@pytest.mark.parametrize("stride", [2, 3, 4, 6])
def test_exponent_is_two_only_where_the_squared_stride_divides(stride: int) -> None:
    for multiple in range(1, 2 * stride + 1):
        beta = -theory.exponents(filter_size=multiple * stride, stride=stride).D
        assert 1 <= beta <= 2
        assert (beta == 2) == (multiple % stride == 0)


@pytest.mark.parametrize(("filter_size", "stride"), [(2, 2), (4, 2), (6, 2), (3, 3), (8, 4), (12, 4), (6, 3), (18, 3)])
def test_exponent_equals_the_decay_of_the_exact_evolution(filter_size: int, stride: int) -> None:
    values = theory.lattice_sensitivities(filter_size=filter_size, stride=stride, depth=60)
    slope = math.log(values[-1] / values[-2]) / math.log(stride)
    assert slope == pytest.approx(theory.exponents(filter_size=filter_size, stride=stride).D, abs=1e-9)


@pytest.mark.parametrize(("filter_size", "stride"), [(3, 2), (5, 2), (7, 2), (2, 3), (5, 4), (30, 7), (400, 3)])
def test_exponents_of_noise_equal_the_spectrum_of_the_matrix(filter_size: int, stride: int) -> None:
    matrix = np.array(theory.refinement_matrix(filter_size=filter_size, stride=stride)) / filter_size**2
    values, vectors = np.linalg.eig(matrix)
    top = np.argmax(values.real)
    found = theory.exponents(filter_size=filter_size, stride=stride)
    assert pytest.approx(-math.log(values[top].real, stride), rel=1e-9) == found.G
    assert found.plateau == pytest.approx(1 - (vectors[1, top] / vectors[0, top]).real, abs=1e-9)


def test_sum_rule_fixes_the_largest_eigenvalue() -> None:
    for filter_size, stride in ((4, 2), (6, 3), (12, 4), (5, 5)):
        matrix = np.array(theory.refinement_matrix(filter_size=filter_size, stride=stride)) / filter_size**2
        assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(1 / stride, rel=1e-12)


def test_infinite_lattice_without_stride_tends_to_the_gradient_of_a_gaussian() -> None:
    for dim, moved in ((1, 1), (2, 4 / 3)):
        depth = 150
        last = theory.lattice_sensitivities(filter_size=3, stride=1, depth=depth, dim=dim)[-1]
        assert float(last) == pytest.approx(moved / (4 * depth * (9 - 1) / 12), rel=0.01)


def test_infinite_lattice_values_are_exact() -> None:
    assert theory.lattice_sensitivities(filter_size=3, stride=1, depth=2) == [Fraction(1, 3), Fraction(3, 19)]
    assert theory.lattice_sensitivities(filter_size=2, stride=2, depth=2, dim=2) == [Fraction(7, 12), Fraction(5, 16)]


@pytest.mark.parametrize("filter_size", [1, 2, 3, 4, 7])
def test_infinite_lattice_without_stride_counts_walks(filter_size: int) -> None:
    # C_k(z) counts the ways in which 2k steps of 0 .. F-1 add up to k (F-1) + z: inclusion and exclusion give it.
    def ways(steps: int, total: int) -> int:
        below = range(total // filter_size + 1)
        parts = (
            (-1) ** j * math.comb(steps, j) * math.comb(steps - 1 + total - j * filter_size, steps - 1) for j in below
        )
        return sum(parts)

    depth = 9
    centres = [k * (filter_size - 1) for k in range(1, depth + 1)]
    r = [Fraction(ways(2 * k, c + 1), ways(2 * k, c)) for k, c in enumerate(centres, start=1)]
    found = {
        dim: theory.lattice_sensitivities(filter_size=filter_size, stride=1, depth=depth, dim=dim) for dim in (1, 2)
    }
    assert found[1] == [1 - x for x in r]
    assert found[2] == [1 - 2 * x / 3 - x**2 / 3 for x in r]


def test_box_of_two_without_stride_has_a_closed_form() -> None:
    # Regression: an odd number of boxes of even side has no central site, and every depth was an IndexError.
    assert theory.lattice_sensitivities(stride=1, depth=40) == [Fraction(1, k + 1) for k in range(1, 41)]


@pytest.mark.parametrize(("filter_size", "stride"), [(2, 2), (3, 2), (4, 2), (3, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("dim", [1, 2])
def test_finite_lattice_tends_to_the_infinite_one(filter_size: int, stride: int, dim: int) -> None:
    size = (stride if stride > 1 else 2) ** 10 if dim == 1 else 3**6 if stride == 3 else 2**9
    depth = 3
    exact = theory.sensitivities(
        Task(dim=dim, size=size, xi=size // 3), filter_size=filter_size, stride=stride, depth=depth
    )
    limit = theory.lattice_sensitivities(filter_size=filter_size, stride=stride, depth=depth, dim=dim)
    np.testing.assert_allclose(exact.D, np.array(limit, dtype=float), rtol=50 * stride**depth / size)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({"filter_size": 0}, ValueError),
        ({"stride": 0}, ValueError),
        ({"stride": 2.0}, TypeError),
        ({"filter_size": True}, TypeError),
        ({"dim": 4}, ValueError),
        ({"dim": 0}, ValueError),
        ({"filter_size": 100_001, "stride": 2}, ValueError),
    ],
)
def test_exponents_refuse_numbers_out_of_range(call: dict[str, int], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(call))):
        theory.exponents(**call)


@pytest.mark.parametrize(
    ("filter_size", "stride"),
    [(1, 2), (2, 2), (3, 2), (7, 2), (1, 3), (2, 3), (8, 3), (5, 4), (3, 4), (3, 5), (3, 10**9)],
)
def test_exact_evolution_is_the_power_of_the_matrix(filter_size: int, stride: int) -> None:
    matrix = theory.refinement_matrix(filter_size=filter_size, stride=stride)
    assert {len(row) for row in matrix} == {len(matrix)} == {max(1, (filter_size - 1) // (stride - 1)) + 1}
    vector = [1] + [0] * (len(matrix) - 1)
    for D in theory.lattice_sensitivities(filter_size=filter_size, stride=stride, depth=9):
        vector = [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]
        assert 1 - Fraction(vector[1], vector[0]) == D


def test_exact_evolution_takes_as_much_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (_exponents.MOST_TERMS, _exponents.MOST_DIGITS, _exponents.MOST_GROWN) == (1e6, 2e8, 4e6)
    for name in ("_growing_ratios", "_confined_ratios"):
        monkeypatch.setattr(_exponents, name, lambda *_: [])
    for filter_size, stride, depth in ((1, 1, 2000), (4, 1, 1000), (20_000, 2, 50), (5000, 3, 200), (50, 2, 2000)):
        assert theory.lattice_sensitivities(filter_size=filter_size, stride=stride, depth=depth) == []
        for number, layers in ((filter_size + 1, depth), (filter_size, depth + 1)):
            with pytest.raises(ValueError, match=rf"^depth={layers}: times filter_size={number} must be"):
                theory.lattice_sensitivities(filter_size=number, stride=stride, depth=layers)
    assert theory.lattice_sensitivities(depth=10_000) == []
    with pytest.raises(ValueError, match=r"^depth=10001"):
        theory.lattice_sensitivities(depth=10_001)


def test_matrices_are_refused_by_their_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_exponents, "MATRIX_SIDE", 10)
    assert len(theory.refinement_matrix(filter_size=10, stride=2)) == 10
    assert theory.exponents(filter_size=9, stride=2).plateau > 0
    for call in (theory.refinement_matrix, theory.exponents):
        with pytest.raises(ValueError, match=r"^filter_size=11: needs a matrix of side 11, above 10"):
            call(filter_size=11, stride=2)


def test_exact_evolution_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="stride=1"):
        theory.refinement_matrix(filter_size=3, stride=1)
    with pytest.raises(ValueError, match="dim=3"):
        theory.lattice_sensitivities(dim=3)
    with pytest.raises(ValueError, match="depth=0"):
        theory.lattice_sensitivities(depth=0)


# ---------------------------------------------------------------------- the finite lattice


@pytest.mark.parametrize(("power", "size"), [(2, 16), (3, 32), (2, 28), (3, 40)])
@pytest.mark.parametrize("dim", [1, 2])
def test_deformations_of_blocks_are_pooled_away_once_a_block_is_a_pixel(dim: int, power: int, size: int) -> None:
    task = Task(dim=dim, size=size, xi=2**power, labelling="block")
    exact = theory.sensitivities(task, depth=power)
    assert (exact.D[: power - 1] > 0.01).all()
    assert exact.D[power - 1] == 0
    assert exact.R[power - 1] == 0
    assert exact.G[power - 1] > 0


def test_blocks_of_three_with_filters_of_three_are_not_aligned() -> None:
    exact = theory.sensitivities(Task(size=27, xi=3, labelling="block"), filter_size=3, stride=3, depth=2)
    assert (exact.D > 0.01).all()


@pytest.mark.parametrize(
    ("filter_size", "stride", "size", "depth", "beta"),
    [(3, 1, 2**18, 4000, 2), (2, 2, 2**20, 11, 1), (4, 2, 2**20, 8, 2), (8, 4, 4**10, 5, 1.5), (3, 3, 3**12, 6, 1)],
)
def test_deformation_falls_with_its_exponent(filter_size: int, stride: int, size: int, depth: int, beta: float) -> None:
    task, noise = Task(size=size, xi=size // 4), Noise(mode="rectified_noise")
    exact = theory.sensitivities(task, filter_size=filter_size, stride=stride, depth=depth, noise=noise)
    assert exact.A is not None
    one, two = depth // 2 - 1, depth - 1
    slope = math.log(exact.D[two] / exact.D[one]) / math.log(exact.A[two] / exact.A[one])
    assert slope == pytest.approx(-beta, abs=0.05)
    assert pytest.approx(beta, abs=1e-12) == -theory.exponents(filter_size=filter_size, stride=stride).D


@pytest.mark.parametrize(("dim", "size", "depth"), [(1, 2**20, 11), (2, 2**11, 7)])
@pytest.mark.parametrize(("filter_size", "stride"), [(2, 2), (3, 2)])
def test_noise_grows_with_its_exponent(filter_size: int, stride: int, dim: int, size: int, depth: int) -> None:
    noise = Noise(mode="rectified_noise")
    task = Task(dim=dim, size=size, xi=size // 4)
    exact = theory.sensitivities(task, filter_size=filter_size, stride=stride, depth=depth, noise=noise)
    assert exact.A is not None
    slope = math.log(exact.G[-1] / exact.G[-2]) / math.log(exact.A[-1] / exact.A[-2])
    expected = theory.exponents(filter_size=filter_size, stride=stride, dim=dim).G
    assert slope == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(("dim", "size", "depth"), [(1, 2**20, 10), (2, 2**11, 6), (3, 2**7, 3)])
def test_aliasing_filter_leaves_deformations_at_the_plateau(dim: int, size: int, depth: int) -> None:
    exact = theory.sensitivities(Task(dim=dim, size=size, xi=size // 4), filter_size=3, stride=2, depth=depth)
    plateau = theory.exponents(filter_size=3, stride=2, dim=dim).plateau
    assert exact.D[-1] == pytest.approx(plateau, rel=0.02)


@pytest.mark.parametrize("noise", ["signed", "rectified_noise", "rectified_input"])
def test_sensitivities_do_not_depend_on_the_amplitude(noise: str) -> None:
    one, other = (
        theory.sensitivities(Task(size=32, xi=8, amplitude=a), depth=3, noise=Noise(mode=noise))  # type: ignore[arg-type]
        for a in (1.0, 7.5)
    )
    np.testing.assert_allclose(one.D, other.D, rtol=1e-13)
    np.testing.assert_allclose(one.G, other.G, rtol=1e-13)
    np.testing.assert_allclose(other.Delta, 7.5**2 * one.Delta, rtol=1e-13)


def test_without_pooling_every_move_counts_in_full() -> None:
    task = Task(size=64, xi=16)
    exact = theory.sensitivities(task, filter_size=1, stride=1, depth=3)
    # |tau x - x|^2 = N sigma^2
    np.testing.assert_allclose(exact.D * exact.Delta, task.n_sites * exact.sigma**2, rtol=1e-13)
    np.testing.assert_allclose(exact.D, exact.D[0], rtol=1e-13)
