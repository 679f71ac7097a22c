"""Cards of experiments: all that are shipped are sound, and what is no card is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.small_experiment import TRAINING, small_card

import scaledetect as sd
from scaledetect.experiments import load_experiment_card
from scaledetect.experiments.cards import REGIMES


def test_the_digests_are_those_of_the_data() -> None:
    cards = [load_experiment_card(name) for name in sd.list_experiments()]
    found = {card.task: card.current_digest() for card in cards}
    assert {card.name: card.digest for card in cards} == {card.name: found[card.task] for card in cards}


def test_there_are_at_least_twelve_of_all_regimes() -> None:
    assert len(sd.list_experiments()) >= 12
    assert all(sd.list_experiments(regime) for regime in REGIMES)


def test_ridge_is_applied_for_ten_e_folds() -> None:
    for name in sd.list_experiments("ridge"):
        card = load_experiment_card(name)
        assert card.training is not None
        assert card.training.efolds(card.net.depth) >= 10, name
    # 1024 rows in batches of 8, 300 epochs, 2 lr ridge / K = 2 * 0.01 * 0.1 / 7 a step.
    training = load_experiment_card("block-1d-L128-ridge").training
    assert training is not None
    assert training.efolds(7) == pytest.approx(128 * 300 * 2 * 0.01 * 0.1 / 7)


def test_the_recipe_is_all_but_the_names(tmp_path: Path) -> None:
    card = small_card(tmp_path)
    assert card.model_copy(update={"display_name": "Other", "citation": "other"}).recipe_hash == card.recipe_hash
    for change in ({"version": 2}, {"task": sd.Task(size=16, xi=8, labelling="block")}):
        assert card.model_copy(update=change).recipe_hash != card.recipe_hash


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("max_epochs", "max_epoch", r"unknown key 'training\.max_epoch': did you mean max_epochs"),
        ("xi = 4", "xi = 4\nxy = 4", "unknown key 'xy': did you mean xi"),
        ('regime = "trained"', 'regime = "ridge"', r"ridge=0\.0 does not go with regime='ridge'"),
        ('regime = "trained"', 'regime = "initialisation"', r"regime='initialisation' has no \[training\]"),
        ('regime = "trained"', 'regime = "constant-filters"', r"has no \[training\]"),
        (TRAINING, "", r"regime='trained' needs \[training\]"),
        ("draws = 200", "draws = 150", "measurement.draws: must be a multiple of 100"),
        ("draws = 200", "draws = [200]", "measurement.draws: Input should be a valid integer"),
        ("draws = 200", 'draws = "%d"', "measurement.draws: Input should be a valid integer"),
        ("published = 2", "published = 4", "published=4 is more than count=3"),
        ("width = 4", "", "width=None does not go with regime='trained'"),
        ("track_until = 2\n", "", "track_every, track_until, track_draws and track_seeds go together"),
        ('name = "small"', 'name = "large"', "name='large' must be 'small'"),
        ('"signed", ', '"pink", ', "noise"),
    ],
)
def test_refuses(tmp_path: Path, old: str, new: str, says: str) -> None:
    small_card(tmp_path)
    path = tmp_path / "small.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    if old == TRAINING:
        path.write_text(
            path.read_text().replace("track_every = 1\ntrack_until = 2\ntrack_draws = 100\ntrack_seeds = 2\n", "")
        )
    with pytest.raises(ValueError, match=f"small.toml: .*{says}"):
        load_experiment_card(str(path))


def test_an_unknown_name_lists_the_close_ones() -> None:
    with pytest.raises(KeyError, match="unknown experiment 'block-1d-L128-train': did you mean block-1d-L128-trained"):
        sd.load_experiment("block-1d-L128-train")
    with pytest.raises(ValueError, match="regime='ridges': choose one of"):
        sd.list_experiments("ridges")  # type: ignore[arg-type]
