"""Data made anew: what they hold, that they resume and repeat, and that they are what `sensitivities` measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_experiment import TRACK, TRAINING, small_card

import scaledetect as sd
from scaledetect.experiments import ExperimentCard
from scaledetect.experiments.experiment import Experiment, read_experiment
from scaledetect.experiments.lines import file_hash, read_hashes, rounded
from scaledetect.experiments.making import freeze_experiment, make_experiment
from scaledetect.experiments.measuring import weights_hash
from scaledetect.experiments.weights import half_precision, load_weights
from scaledetect.sampling.seeds import factor_seed
from scaledetect.training import load_member


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentCard, Path]:
    """A trained experiment, and the folder it was made in."""
    folder = tmp_path_factory.mktemp("made")
    card = small_card(folder)
    make_experiment(card, folder / "out")
    return card, folder / "out"


def read(card: ExperimentCard, folder: Path) -> Experiment:
    return read_experiment(card, folder / f"{card.name}.jsonl")


def test_the_data_are_what_sensitivities_measures_of_the_published_nets(made: tuple[ExperimentCard, Path]) -> None:
    card, folder = made
    e = read(card, folder)
    spec = card.net.spec(1)
    for seed, net in load_weights(folder / "small.npz", spec, (0, 1)).items():
        for noise in e.noises:
            for channel_mean in (False, True):
                mine = e.measurements(noise, "mean" if channel_mean else "each")[seed]
                s = sd.sensitivities(
                    net, card.task, 200, noise=sd.Noise(mode=noise), channel_mean=channel_mean,
                    seed=factor_seed(seed, "measure"),
                )  # fmt: skip
                for name in ("D", "G", "R", "Delta"):
                    # A mean over channels taken inside of the net is rounded once more.
                    np.testing.assert_allclose(getattr(mine, name), getattr(s, name), rtol=2e-6)
                    np.testing.assert_allclose(getattr(mine, f"{name}_stderr"), getattr(s, f"{name}_stderr"), rtol=1e-3)
                assert mine.D_events is not None and s.D_events is not None
                assert np.array_equal(mine.D_events, s.D_events)
        assert weights_hash(net) == e.trainings.set_index("seed").loc[seed, "weights"]


def test_the_published_nets_are_the_trained_ones_in_half_precision(made: tuple[ExperimentCard, Path]) -> None:
    card, folder = made
    for seed, net in load_weights(folder / "small.npz", card.net.spec(1), (0, 1)).items():
        member = load_member(folder / "training-0-1" / f"seed-{seed}.pt")
        for mine, theirs in zip(net.parameters(), member.net.parameters(), strict=True):
            assert not torch.equal(mine, theirs)
            assert torch.equal(mine, theirs.half().float())


def test_tracks_shares_and_scores(made: tuple[ExperimentCard, Path]) -> None:
    card, folder = made
    e = read(card, folder)
    assert sorted(e.tracks) == [0, 1]
    track = e.tracks[0]
    member = load_member(folder / "training-0-1" / "seed-0.pt")
    assert track.epochs.tolist() == [0, 1, 2] and track.D.shape == (3, 3)
    assert np.isnan(track.validation_error[0]) and track.validation_error[2] == member.validation_error
    stored = sd.Sensitivities.load(folder / "training-0-1" / "track" / "seed-0-epoch-2.npz")
    assert track.D[2].tolist() == rounded(stored.D, 5)
    shares = e.shares("signed")
    assert shares.share.shape == shares.stderr.shape == (3, 3)
    assert (np.abs(shares.share[:, 0]) <= 1).all() and (shares.stderr > 0).all()
    assert e.trainings["epochs"].tolist() == [2, 2, 2]
    assert [len(e.measurements(curve=curve, channels="mean")) for curve in ("net", "shuffled", "mean-filters")] == [
        3
    ] * 3
    assert e.measurements(curve="mean-filters", channels="mean")[0].kind == "theory"


def test_a_broken_off_run_ends_with_the_same_file(made: tuple[ExperimentCard, Path], tmp_path: Path) -> None:
    card, folder = made

    class StopError(Exception):
        pass

    def stop(text: str) -> None:
        if text == "measuring seed 1":
            raise StopError

    with pytest.raises(StopError):
        make_experiment(card, tmp_path, say=stop)
    assert [path.name for path in (tmp_path / "seeds").iterdir()] == ["seed-0.jsonl"]
    again = make_experiment(card, tmp_path)
    assert again.read_bytes() == (folder / "small.jsonl").read_bytes()


def test_a_folder_of_another_experiment_and_seeds_of_none_are_refused(made: tuple[ExperimentCard, Path]) -> None:
    card, folder = made
    with pytest.raises(ValueError, match="holds another experiment"):
        make_experiment(card.model_copy(update={"version": 2}), folder)
    with pytest.raises(ValueError, match=r"seeds=\[7\]: must be some of those of 'small', 0 to 2"):
        make_experiment(card, folder, seeds=[7])


def test_a_run_may_start_from_the_nets_of_another(tmp_path: Path) -> None:
    first = small_card(tmp_path, nets=2)
    ridge = f'{TRAINING}ridge = 0.1\nstart_from = "{tmp_path / "small.toml"}"\n'
    card = small_card(tmp_path, "after", "ridge", ridge, nets=2)
    make_experiment(card, tmp_path / "after")
    made = load_member(tmp_path / "after" / "training-0-1" / "seed-1.pt")
    begun = sd.train(
        first.task,
        first.net.spec(1),
        n_train=16,
        n_validation=8,
        seeds=(0, 1),
        config=first.training.config,  # type: ignore[union-attr]
    )
    again = sd.train(
        card.task, card.net.spec(1), n_train=16, n_validation=8, seeds=(0, 1), config=card.training.config,  # type: ignore[union-attr]
        start_from={member.seed: member.net for member in begun},
    )  # fmt: skip
    for mine, theirs in zip(made.net.parameters(), again.member(1).net.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("regime", ["initialisation", "constant-filters"])
def test_nets_that_are_not_trained(tmp_path: Path, regime: str) -> None:
    card = small_card(tmp_path, "plain", regime, "", nets=2)
    make_experiment(card, tmp_path / "out")
    e = read(card, tmp_path / "out")
    assert not (tmp_path / "out" / "plain.npz").exists() and not e.tracks
    assert e.published_seeds == e.seeds
    nets = e.nets()
    assert [weights_hash(net) for net in nets] == e.trainings["weights"].tolist()
    if regime == "constant-filters":
        exact = sd.theory.sensitivities(
            card.task, filter_size=2, stride=2, depth=3, noise=sd.Noise(mode="rectified_noise")
        )
        # Blocks of four pixels: D is 0 from the second layer on. |z| < 5, three times for each of two nets, fails by
        # chance about once in 10^5.
        for s in e.measured:
            assert abs(s.D[0] - exact.D[0]) < 5 * s.D_stderr[0] and s.D[1] == exact.D[1] == 0
            assert (np.abs(s.G - exact.G)[:2] < 5 * s.G_stderr[:2]).all()


def test_freezing_copies_and_hashes(made: tuple[ExperimentCard, Path], tmp_path: Path) -> None:
    card, folder = made
    files = freeze_experiment(card, folder, tmp_path)
    hashes = read_hashes(tmp_path / "data" / "sha256.txt")
    assert hashes == {f"{path.parent.name}/{path.name}": file_hash(path) for path in files[:2]}
    assert sorted(hashes) == ["data/small.jsonl", "weights/small.npz"]
    e = read(card, tmp_path / "data")
    assert e.published_seeds == (0, 1)
    # The nets that are not published are trained on demand, once: here they are those that were measured.
    nets = e.nets((0, 2), cache=tmp_path / "cache")
    assert [weights_hash(net) for net in nets[:1]] == e.trainings["weights"].tolist()[:1]
    assert (tmp_path / "cache" / "small" / "training-2-2" / "seed-2.pt").exists()
    half = half_precision(load_member(folder / "training-2-2" / "seed-2.pt").net)
    assert weights_hash(half) == e.trainings["weights"].tolist()[2]


def test_freezing_refuses_data_that_lack_a_net(made: tuple[ExperimentCard, Path], tmp_path: Path) -> None:
    card, _ = made
    make_experiment(card, tmp_path / "some", seeds=[0, 1])
    with pytest.raises(ValueError, match=r"no such data of the seeds \[2\]"):
        freeze_experiment(card, tmp_path / "some", tmp_path)


def test_the_small_card_tracks_two_nets() -> None:
    assert "track_seeds = 2" in TRACK
