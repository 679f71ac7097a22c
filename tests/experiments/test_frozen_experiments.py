"""The frozen experiments: whole, hashed, and what their cards say; data, nets and tracks as objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.small_experiment import small_card

import scaledetect as sd
from scaledetect.experiments.experiment import read_experiment
from scaledetect.experiments.lines import file_hash, read_hashes
from scaledetect.experiments.measuring import weights_hash

NAMES = sd.list_experiments()


def test_every_file_has_the_hash_it_was_frozen_with(root: Path) -> None:
    folder = root / "tasks" / "experiments"
    hashes = read_hashes(folder / "data" / "sha256.txt")
    files = [*folder.glob("data/*.jsonl"), *folder.glob("weights/*.npz")]
    assert {f"{path.parent.name}/{path.name}": file_hash(path) for path in files} == hashes


def test_data_and_weights_stay_small(root: Path) -> None:
    folder = root / "tasks" / "experiments"
    assert sum(path.stat().st_size for path in folder.glob("data/*.jsonl")) < 10e6
    assert sum(path.stat().st_size for path in folder.glob("weights/*.npz")) < 20e6


@pytest.mark.parametrize("name", NAMES)
def test_every_curve_of_the_card_is_there(name: str) -> None:
    e = sd.load_experiment(name)
    depth = e.card.net.depth
    for noise in e.noises:
        for channels in ("each", "mean"):
            found = e.measurements(noise, channels)
            assert len(found) == e.card.seeds.count
            assert all(s.layers == e.layers and len(s) == depth and s.n == 1000 for s in found)
        if e.card.measurement.share_draws and noise != "rectified_input":
            assert e.shares(noise).share.shape == (len(e.seeds), depth)
    if e.card.training is not None:
        assert len(e.measurements(curve="shuffled")) == len(e.seeds)
        assert len(e.tracks) == (e.card.training.track_seeds or 0)
        assert e.published_seeds == e.seeds[:10]


def test_d_over_g_is_r_and_errors_are_small(name: str = "block-1d-L128-trained") -> None:
    for s in sd.load_experiment(name).measured:
        # Seven digits each.
        np.testing.assert_allclose(s.D / s.G, s.R, rtol=1e-6)
        assert (s.D_stderr[:4] < 0.2 * s.D[:4]).all()


def test_published_nets_are_those_that_were_measured() -> None:
    e = sd.load_experiment("block-2d-L16-trained")
    hashes = e.trainings.set_index("seed")["weights"]
    for seed, net in zip((0, 9), e.nets((0, 9)), strict=True):
        assert weights_hash(net) == hashes[seed]


def test_nets_at_initialisation_are_those_that_training_began_with() -> None:
    first, trained = (sd.load_experiment(f"block-2d-L16-{state}") for state in ("initial", "trained"))
    assert first.seeds == trained.seeds
    with pytest.raises(ValueError, match=r"seeds=\[99\]: must be some of those of 'block-2d-L16-initial'"):
        first.nets([99])
    hashes = first.trainings.set_index("seed")["weights"]
    assert weights_hash(first.nets([3])[0]) == hashes[3] != trained.trainings.set_index("seed").loc[3, "weights"]


def test_ridge_wipes_out_some_nets_from_the_start_and_none_after_zero_loss() -> None:
    start, after = (sd.load_experiment(f"block-1d-L128-{name}") for name in ("ridge", "ridge-after"))
    errors = start.trainings.set_index("seed")["test_error"]
    assert 0 < len(start.collapsed) < len(start.seeds)
    assert (errors[list(start.collapsed)] > 0.25).all() or len(start.collapsed) > (errors > 0.25).sum()
    assert after.collapsed == ()


def test_says_what_it_has_no_data_of() -> None:
    e = sd.load_experiment("constant-block-1d-L128")
    assert e.spec is None
    with pytest.raises(ValueError, match=r"'shuffled'\): 'constant-block-1d-L128' has no such data of the seeds"):
        e.measurements(curve="shuffled")
    with pytest.raises(ValueError, match="channels='all': choose one of"):
        e.measurements(channels="all")  # type: ignore[arg-type]


def test_data_of_another_recipe_and_changed_data_are_refused(tmp_path: Path) -> None:
    e = sd.load_experiment("constant-block-1d-L128")
    card = small_card(tmp_path, "other", "initialisation", "")
    with pytest.raises(ValueError, match="made by another recipe than that of the card 'other'"):
        read_experiment(card, e.data)
