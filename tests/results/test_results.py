"""Results in memory and in files."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import scaledetect as sd
from scaledetect.results import BlockSums
from scaledetect.results.intervals import Interval
from scaledetect.results.jackknife import Estimate
from scaledetect.sensitivity import sensitivities

TASK = sd.Task(size=16, xi=4)


def same(one: Any, other: Any) -> bool:
    """Equal bit for bit, NaN included, types too."""
    if isinstance(one, np.ndarray):
        return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
    if isinstance(one, BlockSums):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return isinstance(other, float) and np.float64(one).tobytes() == np.float64(other).tobytes()
    return type(one) is type(other) and bool(one == other)


def small_net() -> nn.Module:
    """A net that lives: weights drawn by chance can leave every unit off."""
    conv = nn.Conv1d(1, 2, 3)
    with torch.no_grad():
        conv.weight.copy_(torch.linspace(-0.5, 1, 6).reshape(2, 1, 3))
        conv.bias.fill_(0.1)  # type: ignore[union-attr]
    return nn.Sequential(conv, nn.ReLU())


def results() -> dict[str, sd.Sensitivities]:
    measured = sensitivities(small_net(), TASK, 200, keep_sums=True)
    with pytest.warns(RuntimeWarning, match="constant"):
        flawed = sensitivities(nn.Threshold(1e9, 0.5), TASK, 100, noise=sd.Noise(match="sample"))
    return {
        "measured": measured,
        "flawed": flawed,
        "theory": sd.theory.sensitivities(TASK, depth=3),
        "infinite": dataclasses.replace(flawed, D=np.array([np.inf]), config={"x": float("nan"), "y": ()}),
    }


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("name", ["measured", "flawed", "theory", "infinite"])
def test_files_return_every_bit(name: str, suffix: str, tmp_path: Path) -> None:
    result = results()[name]
    if suffix == ".json":
        result = dataclasses.replace(result, sums=None)
    assert result.save(tmp_path / f"s{suffix}") == tmp_path / f"s{suffix}"
    loaded = sd.Sensitivities.load(tmp_path / f"s{suffix}")
    for f in dataclasses.fields(result):
        assert same(getattr(result, f.name), getattr(loaded, f.name)), f.name
    assert [path.name for path in tmp_path.iterdir()] == [f"s{suffix}"]


def test_bad_files(tmp_path: Path) -> None:
    result = results()["measured"]
    with pytest.raises(ValueError, match=r"\.npz or \.json"):
        result.save(tmp_path / "s.pickle")
    with pytest.raises(ValueError, match="JSON takes no sums"):
        result.save(tmp_path / "s.json")
    with pytest.raises(TypeError, match="plain data"):
        dataclasses.replace(result, sums=None, config={"net": object()}).save(tmp_path / "s.json")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        sd.Sensitivities.load(tmp_path / "s.npz")
    (tmp_path / "s.json").write_text('{"format": "another"}')
    (tmp_path / "t.json").write_text("no JSON")
    (tmp_path / "s.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "t.npz", x=np.zeros(3))
    np.save(tmp_path / "u.npy", np.array([object()], dtype=object))
    (tmp_path / "u.npy").rename(tmp_path / "u.npz")
    for name in ("s.json", "t.json", "s.npz", "t.npz", "u.npz"):
        with pytest.raises(ValueError, match="path="):
            sd.Sensitivities.load(tmp_path / name)


def test_config_is_plain_data() -> None:
    result = dataclasses.replace(results()["theory"], config={"a": (1, (2.0, np.float64(3))), "b": np.arange(2)})
    assert result.config == {"a": [1, [2.0, 3.0]], "b": [0, 1]}


def test_to_dict_is_ready_for_json() -> None:
    plain = json.loads(json.dumps(results()["flawed"].to_dict(), allow_nan=False))
    assert plain["D"] == [None]
    assert "sums" not in plain
    assert "deviations" not in plain


def test_deviations_give_the_standard_errors() -> None:
    result = results()["measured"]
    assert result.deviations is not None
    for name, values in result.deviations.items():
        assert values.shape == (50, 3)
        np.testing.assert_allclose(np.sqrt(np.square(values).sum(axis=0)), getattr(result, f"{name}_stderr"))


def test_arrays_are_frozen_and_checked() -> None:
    result = results()["theory"]
    with pytest.raises(ValueError, match="read-only"):
        result.D[0] = 1
    with pytest.raises(ValueError, match="one entry for each"):
        dataclasses.replace(result, D=np.zeros(2))
    with pytest.raises(ValueError, match="other layers"):
        result.z(dataclasses.replace(result, layers=("a", "b", "c")))


def test_what_is_not_known_is_not_shown() -> None:
    s = sd.Sensitivities.from_arrays(D=[1.0])
    assert repr(s) == "<Sensitivities theory, 1 layers>"
    assert "nan" not in s._repr_html_()


def test_z_scores() -> None:
    exact = results()["theory"]
    assert (exact.z(exact)["D"] == 0).all()
    noisy = dataclasses.replace(exact, D=exact.D + 0.3, D_stderr=np.full(3, 0.1))
    np.testing.assert_allclose(noisy.z(exact)["D"], 3)
    assert np.isinf(dataclasses.replace(exact, D=exact.D + 0.3).z(exact)["D"]).all()


def test_z_of_several_theories_by_name() -> None:
    s = results()["measured"]
    own = sd.Sensitivities.from_arrays(D=s.D + 3 * s.D_stderr, layers=s.layers)
    found = s.z({"own": own, "same": dataclasses.replace(s, D_stderr=0 * s.D_stderr)})
    np.testing.assert_allclose(found["own"]["D"], -3)
    assert np.isnan(found["own"]["G"]).all()
    np.testing.assert_array_equal(found["same"]["D"], 0)
    assert s.z({}) == {}
    with pytest.raises(ValueError, match=r"other layers than this result.*give from_arrays\(layers=...\)"):
        s.z({"own": sd.Sensitivities.from_arrays(D=[1.0])})
    with pytest.raises(TypeError, match=r"make one with Sensitivities.from_arrays"):
        s.z([1.0])  # type: ignore[call-overload]


def test_a_theory_of_a_few_layers_stands_beside_those() -> None:
    """It was refused by `z`, and drawn in the places of the first layers."""
    s = results()["measured"]
    first, *_, last = s.layers
    few = sd.Sensitivities.from_arrays(D=[1.0, 2.0], D_stderr=[0.0, 0.5], layers=[last, first])
    z = s.z(few)["D"]
    assert np.isnan(z[1:-1]).all()
    np.testing.assert_allclose(z[-1], (s.D[-1] - 1) / s.D_stderr[-1])
    np.testing.assert_allclose(z[0], (s.D[0] - 2) / np.hypot(s.D_stderr[0], 0.5))
    for theory in (few, {"few": few}):
        lines = [np.asarray(line.get_xdata()).tolist() for line in s.plot(theory, against="depth").axes[0].get_lines()]
        assert [len(s), 1] in lines


def test_files_with_the_vector_of_each_block_are_read(tmp_path: Path) -> None:
    """As version 0.1 wrote them: vectors of shape (blocks, classes, A) in the place of totals and sketches."""
    result = results()["measured"]
    assert result.sums is not None
    result.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as file:
        arrays = dict(file)
    rng = np.random.default_rng(0)
    for number in range(len(result)):
        del arrays[f"sums/{number}/totals"], arrays[f"sums/{number}/sketches"]
        arrays[f"sums/{number}/vectors"] = rng.normal(size=(50, 2, arrays[f"sums/{number}/reference"].size))
    np.savez(tmp_path / "old.npz", **arrays)
    loaded = sd.Sensitivities.load(tmp_path / "old.npz").sums
    assert loaded is not None
    for number, (name, layer) in enumerate(loaded.items()):
        vectors = arrays[f"sums/{number}/vectors"]
        assert layer.sketches.shape == result.sums[name].sketches.shape
        np.testing.assert_allclose(layer.totals, vectors.sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(
            np.einsum("bcm,bcm->bc", layer.sketches, layer.sketches), np.square(vectors).sum(axis=2), rtol=1e-12
        )


def test_sums_do_not_depend_on_the_reference() -> None:
    sums = results()["measured"].sums
    assert sums is not None
    layer = sums["0"]
    moved = layer.shifted(layer.reference + 3).shifted(layer.reference)
    np.testing.assert_allclose(moved.squares, layer.squares, rtol=1e-9)
    np.testing.assert_allclose(moved.totals, layer.totals, atol=1e-9)
    np.testing.assert_allclose(moved.sketches, layer.sketches, atol=1e-9)
    np.testing.assert_allclose(layer.shifted(layer.reference + 3).mean, layer.mean, atol=1e-12)


def test_an_interval_excludes_what_lies_beyond_either_end() -> None:
    interval = Interval(0.5, 0.25, 0.75, 0.95, 10)
    assert [interval.excludes(number) for number in (0.2, 0.25, 0.5, 0.75, 0.8)] == [True, False, False, False, True]
    assert not Interval(0.5, math.nan, math.nan, 0.95, 1).excludes(2.0)


def test_an_estimate_is_equal_to_itself_only_and_stays_as_it_is() -> None:
    estimate = Estimate({"D": 1.0}, {"D": np.array([3.0, 4.0])}, 1, 2, None)
    assert estimate.stderrs == {"D": 5.0}
    assert estimate != copy.copy(estimate)
    assert len({estimate, estimate}) == 1
    with pytest.raises(FrozenInstanceError):
        estimate.flaw = "none"  # type: ignore[misc]
