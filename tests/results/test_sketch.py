"""Sketches keep inner products: exactly where they are long enough, on average otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from scaledetect.results.sketch import MOST_WIDTH, fold, random_signs, sketch_width


def test_sketches_as_long_as_the_vectors_are_exact() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 300))
    for width in (300, 301, 1000):
        assert fold(x, width) @ fold(y, width) == pytest.approx(x @ y, rel=1e-13)


def test_sketches_are_linear_and_keep_leading_axes() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 101))
    assert fold(x, 10).shape == (2, 3, 10)
    np.testing.assert_allclose(fold(x, 10).sum(axis=0), fold(x.sum(axis=0), 10), atol=1e-13)
    np.testing.assert_allclose(fold(x, 10)[1, 2], fold(x[1, 2], 10), atol=1e-13)


@pytest.mark.parametrize("smooth", [False, True])
def test_inner_products_scatter_as_their_variance_says(smooth: bool) -> None:
    """Over 400 pairs the error has mean 0 and a mean square of at most 2 |x|^2 |y|^2 / m, both within 5 sigma.

    For vectors of one sign too, as channels that are bright together: sums without signs would be far off.
    """
    rng, m, pairs = np.random.default_rng(1), 50, 400
    x, y = rng.normal(loc=3.0 if smooth else 0.0, size=(2, pairs, 5000))
    errors = (fold(x, m) * fold(y, m)).sum(axis=1) - (x * y).sum(axis=1)
    scale = np.sqrt(2 / m) * np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    z = errors / scale
    if smooth:
        # All pairs are nearly the same one.
        assert np.abs(z).max() < 5
    else:
        assert abs(z.mean()) < 5 / np.sqrt(pairs)
        assert np.square(z).mean() < 1 + 5 * np.sqrt(2 / pairs)


def test_signs_are_fair_and_for_ever() -> None:
    """Sums in files are merged with new ones: the signs are those of NumPy's raw Philox stream, whatever the length."""
    signs = random_signs(100_000)
    assert set(signs.tolist()) == {-1, 1}
    assert abs(signs.mean(dtype=float)) < 5 / np.sqrt(len(signs))
    np.testing.assert_array_equal(random_signs(70), signs[:70])
    assert "".join("+-"[int(sign < 0)] for sign in signs[:32]) == FIRST_SIGNS


def test_signs_of_lengths_up_to_a_power_of_two_are_one_array() -> None:
    for length, whole in ((1, 64), (63, 64), (64, 64), (65, 128), (128, 128), (129, 256)):
        signs = random_signs(length)
        assert isinstance(signs.base, np.ndarray)
        assert (len(signs), signs.base.shape) == (length, (whole,))
        assert np.shares_memory(signs, random_signs(whole))
        assert not signs.flags.writeable


FIRST_SIGNS = "-+--++-+-+-+-+-++--+++++++++-++-"


def test_widths_bound_what_a_layer_takes() -> None:
    assert sketch_width(108, 100) == 108
    assert sketch_width(10**6, 100) == 655
    assert sketch_width(10**6, 400) == 163
    assert sketch_width(10**6, 2) == MOST_WIDTH
    assert sketch_width(10**6, 10**6) == 32
    assert sketch_width(0, 100) == 1
