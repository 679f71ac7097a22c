"""Scores against experiments: what they are made of, and what is no prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import scaledetect as sd
from scaledetect.experiments import Experiment
from scaledetect.results import Sensitivities

NAME = "block-1d-L128-initial"


@pytest.fixture(scope="module")
def e() -> Experiment:
    return sd.load_experiment(NAME)


def typical(e: Experiment, factor: float = 1.0) -> Sensitivities:
    """Geometric means over the nets, D off by a factor."""
    D, G = (np.exp(np.mean([np.log(getattr(s, name)) for s in e.measured], axis=0)) for name in ("D", "G"))
    return Sensitivities.from_arrays(D=factor * D, G=G, layers=e.layers)


def test_a_prediction_off_by_a_factor_scores_its_logarithm_less_the_noise_of_the_mean(e: Experiment) -> None:
    s = e.score(typical(e, 2.0))
    inside = np.flatnonzero(e.task.xi > e.A)
    logs = np.log([m.D[inside] for m in e.measured])
    expected = math.log(2) ** 2 - np.mean(logs.var(axis=0, ddof=1) / len(logs))
    assert s.D.square == pytest.approx(expected, rel=1e-9)
    assert s.layers == tuple(e.layers[k] for k in inside) and s.seeds == e.seeds
    assert s.D.within_10_percent == 0 and s.G.within_10_percent == 1 and s.G.value == 0
    assert s.p_value is None


def test_nets_are_followed_one_by_one(e: Experiment) -> None:
    rows = [Sensitivities.from_arrays(D=1.3 * m.D, G=m.G, layers=e.layers) for m in e.measured]
    for given in (rows, dict(zip(e.seeds, rows, strict=True))):
        s = e.score(given)
        assert s.D.square == pytest.approx(math.log(1.3) ** 2) and s.G.square == pytest.approx(0, abs=1e-15)
        assert s.D.net_square < math.log(1.3) ** 2
    assert math.isnan(e.score(rows[0]).D.net_square)
    assert e.score({seed: rows[seed] for seed in (5, 0, 3)}).seeds == (0, 3, 5)


def test_fitted_layers_are_not_scored(e: Experiment) -> None:
    assert e.score(typical(e), fitted_layers=1).layers == e.score(typical(e)).layers[1:]
    with pytest.raises(ValueError, match=r"fitted_layers=4: leaves no layer"):
        e.score(typical(e), fitted_layers=4)


def test_a_layer_without_a_number_is_a_miss(e: Experiment) -> None:
    t = typical(e)
    D = t.D.copy()
    D[1] = np.nan
    missed = e.score(Sensitivities.from_arrays(D=D, G=t.G, layers=e.layers)).D
    assert missed.misses == len(e.seeds) and missed.layer_squares[1] == pytest.approx(math.log(10) ** 2)


def test_a_claim_to_be_exact_is_tested(e: Experiment) -> None:
    """The mean of the data themselves has T^2 = 0, so that p is 1; 20 % off is far outside of 40 nets' scatter."""
    assert e.score(typical(e), exact=True).p_value == pytest.approx(1)
    p_value = e.score(typical(e, 1.2), exact=True).p_value
    assert p_value is not None and p_value < 1e-6


@pytest.mark.parametrize("value", [math.inf, -0.1])
def test_infinite_and_negative_numbers_are_refused(e: Experiment, value: float) -> None:
    t = typical(e)
    D = np.array([value, *t.D[1:]])
    with pytest.raises(ValueError, match=r"D=.*must be finite and not negative; NaN says nothing"):
        Sensitivities.from_arrays(D=D, G=t.G)
    zeros: dict[str, Any] = {f"{name}_stderr": np.zeros(len(D)) for name in ("D", "G", "R", "Delta")}
    made = Sensitivities(e.layers, D, t.G, t.R, t.R, **zeros, sigma=1.0, kind="theory")
    with pytest.raises(ValueError, match=r"prediction\.D=.*must be finite and not negative"):
        e.score(made)


def test_predictions_of_something_else_are_refused(e: Experiment) -> None:
    t = typical(e)
    arrays: dict[str, Any] = {"D": t.D, "G": t.G, "layers": e.layers}
    other = {"experiment": "block-1d-L128-trained"}
    for config, key in (
        (other, "experiment"),
        ({"noise": {"mode": "signed"}}, "noise"),
        ({"channel_mean": True}, "channel_mean"),
        ({"net": {"filter_size": [3] * 7}}, "filter_size"),
        ({"task": {"size": 64}}, "task"),
    ):
        with pytest.raises(ValueError, match=rf"config\['{key}'\].*is a prediction of something else"):
            e.score(Sensitivities.from_arrays(**arrays, config=config))
    with pytest.raises(ValueError, match=r"prediction\.layers=.*must be those of"):
        e.score(Sensitivities.from_arrays(D=t.D[:-1], G=t.G[:-1]))
    with pytest.raises(ValueError, match="must be one for each of the 40 nets"):
        e.score([t, t, t])
    with pytest.raises(ValueError, match="at least 3 nets"):
        e.score({0: t, 1: t})
    with pytest.raises(ValueError, match="has seeds that"):
        e.score({0: t, 1: t, 99: t})
    with pytest.raises(TypeError, match="must be a Sensitivities"):
        e.score({0: t, 1: t, 2: 0.5})  # type: ignore[dict-item]


def test_arrays_make_a_prediction() -> None:
    t = Sensitivities.from_arrays(D=[0.5, 0.2, 0.0], G=[1, 0, 2], A=[2, 4, 8])
    assert t.layers == ("layer1", "layer2", "layer3") and t.kind == "theory" and t.D_stderr.tolist() == [0, 0, 0]
    assert np.array_equal(t.R, [0.5, np.nan, 0.0], equal_nan=True) and np.isnan(t.Delta).all()
    with pytest.raises(ValueError, match="D, G or R must be given"):
        Sensitivities.from_arrays(A=[1.0])
    with pytest.raises(ValueError, match=r"G=.*one entry for each of the 2 layers"):
        Sensitivities.from_arrays(D=[1, 2], G=[1])
    with pytest.raises(ValueError, match=r"layers=.*all different"):
        Sensitivities.from_arrays(D=[1, 2], layers=["a", "a"])
    with pytest.raises(TypeError, match=r"D=.*must be an array of real numbers"):
        Sensitivities.from_arrays(D=["a"])
