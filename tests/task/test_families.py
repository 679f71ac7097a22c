"""Families of cards: what their members are, and that errors in their files are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import scaledetect as sd
from scaledetect.task.families import family_of, list_families, load_family


def test_members_differ_in_size_alone() -> None:
    for name in list_families():
        family = load_family(name)
        tasks = [sd.load_task(card) for card in family.members]
        assert [task.size for task in tasks] == list(family.sizes)
        assert len({task.xi / task.size for task in tasks}) == 1
        assert len({(task.dim, task.labelling, task.norm, task.periodic) for task in tasks}) == 1
        assert {family_of(card) for card in family.members} == {name}
    assert family_of("block-2d-L16-xi8") is None
    assert set(list_families()) == {f"{kind}-{dim}d" for kind in ("block", "distance") for dim in (1, 2)}


def test_a_member_has_the_sizes_that_fit_half_of_its_classes() -> None:
    for name in sd.list_tasks("scaling"):
        card = sd.load_card(name)
        assert card.budgets is not None and card.kind == "scaling"
        half = min(card.task.n_near, card.task.n_far) // 2
        for n_train in card.budgets.n_train:
            assert (n_train + card.budgets.n_validation) / 2 <= half + 1
        assert card.budgets.n_test / 2 <= half
        assert card.budgets.n_train[-1] == 16384 or card.budgets.n_train[-1] > half - card.budgets.n_validation
        train = sd.sample_pairs(card.task, card.budgets.n_train[-1], split="train")[0]
        assert len(train) == card.budgets.n_train[-1]


def test_a_family_may_have_one_of_each(root: Path, tmp_path: Path) -> None:
    text = (root / "tasks/families/block-1d.toml").read_text()
    for name in ("sizes", "n_train", "n_test", "study", "digests"):
        text = re.sub(rf"^{name} = \[\s*([^,\]]+)[^\]]*\]", rf"{name} = [\1]", text, flags=re.MULTILINE)
    text = re.sub(r"^n_train = .*$", "n_train = [1]", text, flags=re.MULTILINE)
    (tmp_path / "block-1d.toml").write_text(text)
    family = load_family(str(tmp_path / "block-1d.toml"))
    assert [len(getattr(family, name)) for name in ("sizes", "n_train", "n_test", "study", "digests")] == [1] * 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sizes = [64", "sizes = [32, 64", "n_test must have one value for each of sizes"),
        ("sizes = [64, 128", "sizes = [128, 64", "must rise"),
        ("xi_over_size = 0.25", "xi_over_size = 1.5", "xi_over_size"),
        ("[task]", "colour = 3\n[task]", "unknown key 'colour'"),
        ('name = "block-1d"', 'name = "other"', "the name of the file"),
    ],
)
def test_errors_are_named(root: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (root / "tasks/families/block-1d.toml").read_text()
    assert old in text
    (tmp_path / "block-1d.toml").write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message):
        load_family(str(tmp_path / "block-1d.toml"))
    with pytest.raises(KeyError, match="did you mean"):
        load_family("blok-1d")
