"""White noise on images: how it enters in each mode, and with which norm."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import scaledetect as sd
from scaledetect.perturbations.noise import NoiseMode, add_noise, norms, rescale

CLEAN = torch.tensor([[2.0, -1.0, 0.0, 1.0]])
ETA = torch.tensor([[-3.0, 0.5, -0.25, 4.0]])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("signed", [[-1.0, -0.5, -0.25, 5.0]]),
        ("rectified_noise", [[2.0, -0.5, 0.0, 5.0]]),
        ("rectified_input", [[0.0, 0.0, 0.0, 5.0]]),
    ],
)
def test_noise_enters_in_the_way_of_its_mode(mode: NoiseMode, expected: list[list[float]]) -> None:
    noise, clean = ETA.clone(), CLEAN.clone()
    found = add_noise(clean, noise, mode)
    assert found.tolist() == expected
    assert found.data_ptr() == noise.data_ptr()
    assert clean.tolist() == CLEAN.tolist()


def test_norms_are_over_all_pixels_and_channels_of_an_image(torch_dtype: torch.dtype) -> None:
    images = torch.arange(24, dtype=torch_dtype).reshape(2, 3, 2, 2)
    found = norms(images)
    assert (found.shape, found.dtype) == ((2, 1, 1, 1), torch.float64)
    expected = [math.sqrt(sum(k**2 for k in range(12))), math.sqrt(sum(k**2 for k in range(12, 24)))]
    np.testing.assert_allclose(found.flatten(), expected, rtol=1e-6)
    rescale(images, torch.tensor([3.0, 0.5], dtype=torch.float64).reshape(2, 1, 1, 1))
    np.testing.assert_allclose(norms(images).flatten(), [3.0, 0.5], rtol=1e-6)
    assert images.dtype == torch_dtype


def test_a_noise_says_what_it_is_and_refuses_what_means_nothing() -> None:
    assert sd.Noise() == sd.Noise(mode="signed", match="ensemble", sigma=None)
    assert sd.Noise(sigma=2).sigma == 2.0
    assert isinstance(sd.Noise(sigma=2).sigma, float)
    assert sd.Noise(match="sample").sigma is None
    for arguments in ({"mode": "x"}, {"match": "x"}, {"sigma": 0.0}, {"sigma": -1.0}, {"sigma": "1"}):
        (name,) = arguments
        with pytest.raises((TypeError, ValueError), match=rf"^{name}="):
            sd.Noise(**arguments)
    with pytest.raises(ValueError, match=r"^match='sample': rescales every image, and sigma=1.0"):
        sd.Noise(match="sample", sigma=1.0)


def test_noise_and_moves_are_those_of_seed_0_and_sample_0_where_none_is_given() -> None:
    task = sd.Task(size=16, xi=4)
    pairs, y = sd.sample_pairs(task, 6)
    np.testing.assert_array_equal(sd.noise_images(task, 3), sd.noise_images(task, 3, seed=0, start=0))
    assert (sd.noise_images(task, 3) != sd.noise_images(task, 3, seed=1)).all()
    np.testing.assert_array_equal(sd.shift_pairs(pairs, y, task), sd.shift_pairs(pairs, y, task, seed=0, start=0))
    assert (sd.shift_pairs(pairs, y, task) != sd.shift_pairs(pairs, y, task, seed=1)).any()
