"""The exact coherent share of constant filters: printed values, limits, and sampling by definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import scaledetect as sd
from scaledetect import Noise, Task, theory

FloatArray = NDArray[np.float64]

RECTIFIED = Noise(mode="rectified_noise")


@pytest.mark.parametrize(
    ("task", "values"),
    [
        (Task(size=64, xi=16), (0.483, 0.651, 0.789, 0.882, 0.937)),
        (Task(dim=2, size=32, xi=8), (0.651, 0.882, 0.968, 0.992, 0.998)),
    ],
)
def test_rectified_noise_has_the_printed_values(task: Task, values: tuple[float, ...]) -> None:
    share = theory.coherent_share(task, filter_size=2, stride=2, depth=5, noise=RECTIFIED).share
    assert np.abs(share - values).max() < 5e-4


@pytest.mark.parametrize("mode", ["signed", "rectified_noise", "rectified_input"])
@pytest.mark.parametrize(
    "task", [Task(size=20, xi=5), Task(size=20, xi=5, labelling="block")], ids=lambda t: t.labelling
)
def test_it_is_what_its_definition_says(task: Task, mode: str) -> None:
    """On the ring and by dense matrices; the stride does not divide the size of the third layer."""
    noise = Noise(mode=mode)  # type: ignore[arg-type]
    exact = theory.coherent_share(task, filter_size=3, stride=2, depth=3, noise=noise)
    assert np.abs(exact.share - sampled(task, 3, noise)).max() < 0.02


def sampled(task: Task, depth: int, noise: Noise) -> FloatArray:
    """The definition in NumPy, the mean over the noise taken over 400 draws: 0.02 is five of its errors."""
    rng = np.random.default_rng(5)
    images = sd.sample_images(task, 200, replace=True, dtype="float64")[0][:, 0]
    sigma = theory.ensemble_sigma(task)
    eta = sigma * rng.standard_normal((400, *images.shape))
    noisy = {
        "signed": images + eta,
        "rectified_noise": images + np.maximum(eta, 0),
        "rectified_input": np.maximum(images + eta, 0),
    }[noise.mode]
    shares = []
    for _ in range(depth):
        images, noisy = pooled(images), pooled(noisy)
        e = noisy - images
        mean_square = np.square(e).sum(-1).mean()
        # The square of a mean over 400 draws is too large by a 400th of the variance.
        square_mean = (400 * np.square(e.mean(0)).sum(-1).mean() - mean_square) / 399
        shares.append(square_mean / mean_square)
    return np.array(shares)


def pooled(x: FloatArray) -> FloatArray:
    """Filter of three, stride two, ReLU."""
    return np.maximum((np.roll(x, 1, -1) + x + np.roll(x, -1, -1))[..., ::2] / 3, 0)


def test_without_pooling_the_share_is_that_of_a_rectified_normal() -> None:
    """Squared mean 1 / (2 pi) over mean square 1 / 2."""
    share = theory.coherent_share(Task(size=16, xi=4), filter_size=1, stride=1, depth=3, noise=RECTIFIED).share
    np.testing.assert_allclose(share, 1 / np.pi, rtol=1e-12)


def test_everything_pooled_all_but_the_mean_is_coherent() -> None:
    share = theory.coherent_share(Task(size=2**12, xi=16), depth=12, noise=RECTIFIED).share
    assert 1 - share[-1] == pytest.approx((1 / 2 - 1 / (2 * np.pi)) * 2**-12 * 2 * np.pi, rel=1e-3)


def test_strong_signed_noise_is_that_on_an_empty_image_at_every_site() -> None:
    share = theory.coherent_share(Task(size=16, xi=4), filter_size=2, stride=2, depth=1, noise=Noise(sigma=1e6)).share
    assert share[0] == pytest.approx(1 / np.pi, rel=1e-4)


def test_weak_signed_noise_leaves_active_windows_linear() -> None:
    """A window that holds a pixel adds nothing coherent, and its variance is 1 in place of 1 / 2."""
    task = Task(size=16, xi=4, labelling="block")
    share = theory.coherent_share(task, filter_size=2, stride=2, depth=1, noise=Noise(sigma=1e-6)).share[0]
    # Near pairs are in one window of eight in 8 cases, and active windows number two else.
    active = 2 - 0.5 * 8 / task.n_near
    assert share == pytest.approx((8 - active) / (2 * np.pi) / ((8 - active) / 2 + active), rel=1e-5)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (Task(size=16, xi=4, background_noise=0.5), {}, "background_noise=0.5"),
        (Task(size=16, xi=4), {"noise": Noise(match="sample")}, "match='sample'"),
        (Task(size=16, xi=4), {"filter_size": 17}, "filter_size=17"),
    ],
)
def test_what_has_no_exact_value_is_refused(task: Task, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        theory.coherent_share(task, **options)  # type: ignore[arg-type]
