"""Paired comparisons, and measurements put together from parts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import scaledetect as sd
from scaledetect.sensitivity import compare, compare_results, merge, sensitivities

TASK = sd.Task(size=16, xi=4)


def net(seed: int, depth: int = 1) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(*(nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.ReLU()) for _ in range(depth)))


def test_differences_are_those_of_the_results() -> None:
    found = compare({"a": net(0), "b": net(1), "c": net(2)}, TASK, 400)
    assert found.nets == ("a", "b", "c")
    assert found.layers == ("0.0", "0.1", "output")
    for name in ("D", "G", "R"):
        a, b, c = (getattr(result, name) for result in found.results)
        np.testing.assert_allclose(getattr(found, name), [b - a, c - a])
    frame = found.to_frame()
    assert frame["net"].tolist() == ["b"] * 3 + ["c"] * 3
    assert frame["D_stderr"].tolist() == found.D_stderr.ravel().tolist()


def test_a_net_does_not_differ_from_itself() -> None:
    found = compare([net(0), net(0)], TASK, 200)
    assert found.nets == ("net1", "net2")
    assert (found.D == 0).all()
    assert (found.D_stderr == 0).all()


def test_shared_draws_shrink_the_error() -> None:
    """Two nets that hardly differ: the paired error is far below that of independent draws."""
    one, other = net(0), net(0)
    with torch.no_grad():
        other[0][0].weight += 0.01  # type: ignore[index]
    found = compare([one, other], TASK, 1000)
    alone = np.hypot(*(result.D_stderr for result in found.results))
    assert (found.D_stderr[0] < alone / 5).all()


def test_errors_of_differences_scatter_as_they_say() -> None:
    """Over seeds the differences scatter by their standard errors; chi-squared of 60 seeds, within 5 of its sigmas."""
    runs = [compare([net(0), net(1)], TASK, 400, seed=seed, layers=["0.1"]) for seed in range(60)]
    for name in ("D", "G"):
        values = np.array([getattr(run, name)[0, 0] for run in runs])
        errors = np.array([getattr(run, f"{name}_stderr")[0, 0] for run in runs])
        chi2 = np.square((values - values.mean()) / errors).sum()
        assert abs(chi2 - 59) < 5 * np.sqrt(2 * 59)


def test_layers_by_position_or_not_at_all() -> None:
    found = compare([net(0), nn.Sequential(net(1))], TASK, 100)
    assert found.results[1].layers == ("0.0.0", "0.0.1", "output")
    assert found.layers == ("0.0", "0.1", "output")
    with pytest.raises(ValueError, match="has 5 layers, and the first net has 3"):
        compare([net(0), net(0, 2)], TASK, 100)


def test_comparisons_that_make_no_sense() -> None:
    one = sensitivities(net(0), TASK, 200)
    for other, text in (
        (sensitivities(net(1), TASK, 200, seed=1), "another seed"),
        (sensitivities(net(1), TASK, 100), "n=100"),
        (sensitivities(net(1), sd.Task(size=16, xi=5), 200), "another task"),
        (sensitivities(net(1), TASK, 200, noise=sd.Noise(sigma=1.0)), "another noise"),
        (sd.theory.sensitivities(TASK, depth=3), "no measurement"),
    ):
        with pytest.raises(ValueError, match=text):
            compare_results({"one": one, "other": other})
    with pytest.raises(ValueError, match="at least two"):
        compare([net(0)], TASK, 100)
    with pytest.raises(TypeError, match="nets="):
        compare("ab", TASK, 100)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="target_stderr"):
        compare([net(0), net(1)], TASK, 100, target_stderr=0.1)


def test_shards_give_the_numbers_of_one_run(torch_dtype: torch.dtype, tmp_path: Path) -> None:
    whole = sensitivities(net(0), TASK, 1000, dtype=torch_dtype)
    parts = [
        sensitivities(net(0), TASK, n, start=start, keep_sums=True, dtype=torch_dtype)
        for start, n in ((600, 400), (0, 100), (100, 500))
    ]
    for number, part in enumerate(parts):
        part.save(tmp_path / f"{number}.npz")
    merged = merge(sd.Sensitivities.load(tmp_path / f"{number}.npz") for number in range(3))
    assert merged.n == whole.n == 1000
    assert merged.config == whole.config
    tolerance = 1e-5 if torch_dtype == torch.float32 else 1e-10
    for name in ("D", "G", "R", "Delta", "D_stderr", "G_stderr", "R_stderr", "Delta_stderr"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=tolerance)
    np.testing.assert_array_equal(merged.D_events, whole.D_events)
    np.testing.assert_allclose(sd.Sensitivities.merge([merged]).D, merged.D)


def test_parts_that_do_not_belong_together() -> None:
    def part(start: int, **options: int) -> sd.Sensitivities:
        return sensitivities(net(0), TASK, 200, start=start, keep_sums=True, **options)  # type: ignore[arg-type]

    with pytest.raises(ValueError, match=r"share draws"):
        merge([part(0), part(100)])
    with pytest.raises(ValueError, match="seed"):
        merge([part(0), part(200, seed=1)])
    with pytest.raises(ValueError, match="blocks"):
        merge([part(0), part(200, blocks=100)])
    with pytest.raises(ValueError, match="keep_sums=True"):
        merge([part(0), dataclasses.replace(part(200), sums=None)])
    with pytest.raises(ValueError, match="none"):
        merge([])
    with pytest.raises(ValueError, match=r"start=150: must be a multiple of 2 \* blocks = 100"):
        part(150)


def test_a_target_is_reached() -> None:
    found = sensitivities(net(0), TASK, 100, target_stderr=0.02)
    assert 100 < found.n < 100_000
    assert (found.D_stderr / found.D).max() <= 0.02
    assert (found.G_stderr / found.G).max() <= 0.02
    assert found.D.tolist() == sensitivities(net(0), TASK, found.n).D.tolist() or np.allclose(
        found.D, sensitivities(net(0), TASK, found.n).D, rtol=1e-5
    )


def test_a_target_out_of_reach() -> None:
    with pytest.warns(RuntimeWarning, match="not reached after 100000 draws"):
        sensitivities(net(0), TASK, 100, target_stderr=1e-9)
    for value, error in ((0.0, ValueError), (1.5, ValueError), ("low", TypeError), (True, TypeError)):
        with pytest.raises(error, match="target_stderr"):
            sensitivities(net(0), TASK, 100, target_stderr=value)  # type: ignore[arg-type]
