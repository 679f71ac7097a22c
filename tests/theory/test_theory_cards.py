"""Measurement against exact theory, on every theory card and in every noise mode: what `make run` shows, asserted."""

from __future__ import annotations

import numpy as np
import pytest

from scaledetect import Noise, list_tasks
from scaledetect.perturbations.noise import NOISE_MODES
from scaledetect.sensitivity.beside_theory import compare_with_theory


@pytest.mark.slow
@pytest.mark.parametrize("card", list_tasks("theory"))
def test_every_layer_is_within_five_standard_errors(card: str) -> None:
    noises = [Noise(mode=mode) for mode in NOISE_MODES]
    comparisons = compare_with_theory(card, n=20_000, noise=noises)
    assert {comparison.noise for comparison in comparisons} == set(noises)
    for comparison in comparisons:
        for name in ("D", "G", "R"):
            z = comparison.z[name][~comparison.measured.rare]
            assert z.size and np.all(np.abs(z) < 5), (comparison.net.label, comparison.noise.mode, name, z)
