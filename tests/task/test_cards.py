"""Cards: what they hold, what they refuse, and that their data are what they say."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import scaledetect as sd
from scaledetect.task import cards as cards_module
from scaledetect.task.cards import SCORE_SHARE, Budgets, Card, CardKind, _check_budgets
from scaledetect.task.families import member_table

NAMES = sd.list_tasks()
SCORE = "distance-2d-L16-xi8.5-open"


@pytest.fixture
def rewritten(root: Path, tmp_path: Path) -> Callable[..., str]:
    """A card file with lines replaced, under the name of the original."""

    def rewrite(name: str, *changes: tuple[str, str]) -> str:
        text = (root / "tasks" / f"{name}.toml").read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return rewrite


@pytest.mark.parametrize("name", NAMES)
def test_digest_is_current(name: str) -> None:
    card = sd.load_card(name)
    assert card.current_digest() == card.digest


@pytest.mark.parametrize("name", NAMES)
def test_fields(name: str) -> None:
    card = sd.load_card(name)
    assert card.name == name
    assert card.task == sd.load_task(name)
    assert card.citation.endswith("arXiv 2210.01506")
    assert "digest" in card.seeds.meaning and "study" in card.seeds.meaning


@pytest.mark.parametrize("name", sd.list_tasks("score"))
def test_budgets_keep_training_and_test_nearly_independent(name: str) -> None:
    card = sd.load_card(name)
    assert card.budgets is not None
    smaller = min(card.task.n_near, card.task.n_far)
    assert (max(card.budgets.n_train) + card.budgets.n_test) / 2 <= SCORE_SHARE * smaller
    assert (max(card.budgets.n_train) + card.budgets.n_validation) / 2 <= smaller / 2


def test_coverage() -> None:
    """What the set of cards must have: both labellings, 1-D and 2-D, periodic and open, 3-D, one large."""
    theory = [sd.load_task(name) for name in sd.list_tasks("theory")]
    score = [sd.load_task(name) for name in sd.list_tasks("score")]
    scaling = [sd.load_task(name) for name in sd.list_tasks("scaling")]
    assert len(NAMES) == len(theory) + len(score) + len(scaling) >= 10
    for cards in (theory, score):
        assert {(t.labelling, t.dim) for t in cards} >= {(a, d) for a in ("distance", "block") for d in (1, 2)}
    distance = [t for t in theory if t.labelling == "distance"]
    assert {(t.dim, t.periodic) for t in distance} >= {(d, p) for d in (1, 2) for p in (True, False)}
    assert any(t.dim == 3 for t in theory)
    assert any(t.dim == 1 and t.size == 4096 for t in theory)
    assert all(t.size >= 512 for t in score if t.dim == 1)
    assert {t.size for t in score if t.dim == 2} == {16, 28, 32}
    assert sd.Task.paper_2d(size=28, xi=14, g=2) in score


def test_frozen() -> None:
    card = sd.load_card(NAMES[0])
    with pytest.raises(ValueError, match="frozen"):
        card.version = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        card.task.size = 3  # type: ignore[misc]


def test_a_file_of_ones_own(rewritten: Callable[..., str]) -> None:
    path = rewritten(SCORE, ("version = 1", "version = 7"))
    assert sd.load_card(path).version == 7
    assert sd.load_task(path) == sd.load_task(SCORE)


def test_unknown_name_lists_close_ones() -> None:
    with pytest.raises(KeyError, match=r"unknown card 'distance-1d-L64-xi61'.*distance-1d-L64-xi16"):
        sd.load_card("distance-1d-L64-xi61")


def test_unknown_kind() -> None:
    with pytest.raises(ValueError, match="kind='scores'"):
        sd.list_tasks("scores")  # type: ignore[arg-type]


REFUSED = [
    (("display_name =", "displayname ="), "unknown key 'displayname': did you mean display_name"),
    (("size = 16", "sise = 16"), "unknown key 'sise': did you mean size"),
    (("n_test = 512", "n_tests = 512"), "unknown key 'budgets.n_tests': did you mean n_test"),
    (("filter_size = 2", "filter = 2"), "unknown key 'nets.0.filter': did you mean filter_size"),
    (("study = [", "runs = ["), "unknown key 'seeds.runs'"),
    (("study = [0,", "study = [-1,"), "seeds.study.0: Input should be greater than or equal to 0"),
    (("\ndigest = 0", f"\ndigest = {2**64}"), f"seeds.digest: Input should be less than or equal to {2**64 - 1}"),
    (("dim = 2", 'dim = "2"'), "dim='2'"),
    (("\nxi = 8.5", "\nxi = 8.3"), "xi=8.3"),
    (("version = 1", "version = 0"), "version"),
    (("version = 1", "version = true"), "version"),
    (('kind = "score"', 'kind = "scores"'), "kind"),
    (('digest = "', 'digest = "xyz'), "digest"),
    (("n_train = [32, 64,", "n_train = [64, 32,"), "must rise"),
    (("n_test = 512", "n_test = 600"), "train and test would be anticorrelated"),
    (("n_validation = 512", "n_validation = 20000"), "do not fit half of each class"),
    (("[budgets]", "budgets ="), "not TOML"),
    (('name = "distance-2d-L16-xi8.5-open"', 'name = "other"'), "must be 'distance-2d-L16-xi8.5-open'"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=[change[1] for change, _ in REFUSED])
def test_refused(rewritten: Callable[..., str], change: tuple[str, str], says: str) -> None:
    path = rewritten(SCORE, change)
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        sd.load_card(path)
    assert path in str(caught.value)


def test_a_score_card_needs_budgets(rewritten: Callable[..., str]) -> None:
    with pytest.raises(ValueError, match=r"a score card needs \[budgets\]"):
        sd.load_card(rewritten("block-1d-L64-xi16", ('kind = "theory"', 'kind = "score"')))


def test_a_theory_card_has_nets_and_no_budgets(rewritten: Callable[..., str]) -> None:
    with pytest.raises(ValueError, match=r"a theory card has no \[budgets\]"):
        sd.load_card(rewritten(SCORE, ('kind = "score"', 'kind = "theory"')))
    card = sd.load_card("block-1d-L64-xi16")
    with pytest.raises(ValueError, match="at least one"):
        Card.model_validate(card.model_dump() | {"nets": (), "task": card.task})


def test_a_card_may_have_one_size(rewritten: Callable[..., str]) -> None:
    card = sd.load_card(rewritten(SCORE, ("n_train = [32, 64, 128, 256, 512, 1024]", "n_train = [1]")))
    assert card.budgets is not None and card.budgets.n_train == (1,)


def test_a_net_is_called_by_its_filters_and_strides(rewritten: Callable[..., str]) -> None:
    changes = ("filter_size = 2\nstride = 2\ndepth = 3", "filter_size = [2, 3]\nstride = 1\ndepth = 2")
    assert sd.load_card(SCORE).nets[0].label == "F=2 s=2"
    assert sd.load_card(rewritten(SCORE, changes)).nets[0].label == "F=2,3 s=1"


def test_each_half_of_a_class_has_its_rows() -> None:
    """Training and validation rows fill one half of the smaller class, test rows the other; odd numbers round up."""
    task = sd.Task(dim=1, size=24, xi=6)
    half = min(task.n_near, task.n_far) // 2

    def check(kind: CardKind, *, train: int, validation: int, test: int) -> None:
        _check_budgets(kind, task, Budgets(n_train=(1, train), n_validation=validation, n_test=test))

    for train, validation in ((2 * half - 4, 4), (2 * half - 5, 3)):
        check("scaling", train=train, validation=validation, test=2 * half)
    for train, validation in ((2 * half - 3, 4), (2 * half - 4, 5)):
        with pytest.raises(ValueError, match="do not fit half of each class"):
            check("scaling", train=train, validation=validation, test=2 * half)
    with pytest.raises(
        ValueError, match=rf"n_test={2 * half + 1} does not fit the other half of each class \({half}\)"
    ):
        check("scaling", train=2, validation=1, test=2 * half + 1)


def test_a_score_may_take_a_twentieth_of_a_class() -> None:
    task: Any = SimpleNamespace(n_near=3000, n_far=2000)
    _check_budgets("score", task, Budgets(n_train=(120,), n_validation=1, n_test=80))
    with pytest.raises(ValueError, match="n_train=121 and n_test=80 use 101 images of each class, more than 5%"):
        _check_budgets("score", task, Budgets(n_train=(121,), n_validation=1, n_test=80))


def test_a_member_of_a_family_takes_all_sizes_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    table = member_table("block-1d-L64")
    task = sd.load_task("block-1d-L64")
    half = min(task.n_near, task.n_far) // 2
    table["budgets"] |= {"n_train": list(range(1, 2 * half + 9)), "n_validation": 5, "n_test": 2}
    monkeypatch.setattr(cards_module, "member_table", lambda name: table)
    budgets = cards_module._member.__wrapped__("block-1d-L64").budgets
    assert budgets is not None and budgets.n_train == tuple(range(1, 2 * (half - 3) + 1))


def test_a_missing_file() -> None:
    with pytest.raises(ValueError, match=r"card='no-such-card.toml': cannot be read"):
        sd.load_card("no-such-card.toml")
