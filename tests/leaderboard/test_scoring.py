"""Runs of the leaderboard: what a run is given, what comes of it, and what an entry's failure comes to."""

from __future__ import annotations

import hashlib
import math
import pickle
from typing import Any

import naive
import numpy as np
import pytest
import torch
from helpers import own_entries
from helpers.one_epoch import ONE_EPOCH
from helpers.specs import SMALL, as_tuples, name_of, task_of

import scaledetect as sd
from scaledetect.checks.entry import check_entry
from scaledetect.leaderboard.entries.base import Entry, TaskEntry, entry_names, find_entry
from scaledetect.leaderboard.entries.sampler import Sampler
from scaledetect.leaderboard.scoring import DRAWS, Outcome, Run, checked_labels, evaluate, one_thread, score
from scaledetect.sampling.seeds import Factor, factor_seed

CARD = "distance-2d-L16-xi8.5-open"
TASK = sd.load_task(CARD)


def scored(entry: Entry, seed: int = 0) -> Outcome:
    return score(entry, TASK, n_train=32, n_validation=16, n_test=64, seed=seed)


# ---------------------------------------------------------------------- rows


def test_sampler_serves_the_rows_of_the_splits_and_counts_them() -> None:
    sampler = Sampler(TASK, n_train=9, n_validation=5, n_test=7, seed=3)
    assert sampler.served == {"train": 0, "validation": 0, "test": 0}
    for split, rows, n in (("train", sampler.train, 9), ("validation", sampler.validation, 5)):
        for _ in range(2):
            X, y = rows()
            expected = sd.sample_images(TASK, n, seed=factor_seed(3, "data"), split=split)  # type: ignore[arg-type]
            np.testing.assert_array_equal(X, expected[0])
            np.testing.assert_array_equal(y, expected[1])
            X[:] = y[:] = 0  # what an entry does to its rows reaches no one else
    np.testing.assert_array_equal(
        sampler.test(), sd.sample_images(TASK, 7, seed=factor_seed(3, "data"), split="test")[0]
    )
    assert sampler.served == {"train": 9, "validation": 5, "test": 7}
    assert (sampler.n_train, sampler.n_validation, sampler.shape) == (9, 5, (1, 16, 16))


def test_sampler_fills_the_shared_half_and_no_more() -> None:
    task = sd.Task(dim=1, size=9, xi=3)  # 18 near and 18 far pairs: 9 of each for training and validation
    assert (task.n_near, task.n_far) == (18, 18)
    sampler = Sampler(task, n_train=10, n_validation=8, n_test=2, seed=0)
    rows = np.concatenate([sampler.train()[0], sampler.validation()[0]]).reshape(18, 9)
    assert len(np.unique(rows, axis=0)) == 18
    with pytest.raises(ValueError, match="n_validation=9: with n_train=10 takes 10 of the 9 images"):
        Sampler(task, n_train=10, n_validation=9, n_test=2, seed=0)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"n_train": 10**9}, "n_train=1000000000: the train split"),
        ({"n_test": 10**9}, "n_test=1000000000: the test split"),
        ({"n_validation": -1}, "n_validation=-1"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_sampler_refuses(counts: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Sampler(TASK, **({"n_train": 8, "n_validation": 8, "n_test": 8, "seed": 0} | counts))


# ---------------------------------------------------------------------- runs


def test_a_run_is_a_function_of_its_names() -> None:
    run = pickle.loads(pickle.dumps(Run(CARD, "forest", 64, 2)))
    first, second = evaluate(run), evaluate(run)
    assert first.status == "ok" and first.reason == ""
    assert first.scores == second.scores
    assert first.fit_seconds > 0 and first.predict_seconds > 0
    assert first.scores != evaluate(Run(CARD, "forest", 64, 3)).scores
    assert pickle.loads(pickle.dumps(first)) == first


def plain_scores(outcome: Outcome) -> dict[str, Any]:
    assert outcome.scores is not None, outcome.reason
    return outcome.scores.model_dump()


def test_scores_by_hand() -> None:
    """Counted again from the rows that the names of the run stand for."""
    seed, n = 5, 32
    budgets = sd.load_card(CARD).budgets
    assert budgets is not None
    entry, data = find_entry("knn"), factor_seed(seed, "data")
    entry.fit(Sampler(TASK, n_train=n, n_validation=2, n_test=2, seed=seed), seed=factor_seed(seed, "fit"))
    scores = plain_scores(evaluate(Run(CARD, "knn", n, seed)))
    for split, count in (("train", n), ("validation", budgets.n_validation), ("test", budgets.n_test)):
        X, y = sd.sample_images(TASK, count, seed=data, split=split)  # type: ignore[arg-type]
        assert scores[f"{split}_error"] == np.mean(entry.predict(X) != y)
    error = scores["test_error"]
    assert scores["n_wrong"] == round(error * scores["n_test"]) and scores["n_test"] == budgets.n_test
    assert scores["test_error_stderr"] == pytest.approx(math.sqrt(error * (1 - error) / budgets.n_test))
    assert scores["served"] == {"train": n, "validation": 0, "test": 0}
    assert scores["D"] is None


def test_seeds_derive_by_name() -> None:
    factors: tuple[Factor, ...] = ("data", "init", "order", "fit", "measure")
    seeds = {factor_seed(root, factor) for root in range(100) for factor in factors}
    assert len(seeds) == 500 and all(0 <= seed < 2**64 for seed in seeds)
    text = b'{"purpose":"training/data","seed":7,"stream":1}'
    assert factor_seed(7, "data") == int.from_bytes(hashlib.sha256(text).digest()[:8], "little")


def test_a_net_is_measured() -> None:
    task, entry = sd.Task(dim=1, size=64, xi=16), own_entries.Linear()
    scores = plain_scores(score(entry, task, n_train=32, n_validation=16, n_test=64, seed=4))
    s = sd.sensitivities(entry.net, task, DRAWS, layers=["output"], seed=factor_seed(4, "measure"))
    for q in ("D", "G", "R"):
        assert scores[q] == getattr(s, q)[0] > 0
        assert scores[f"{q}_stderr"] == getattr(s, f"{q}_stderr")[0] > 0
    # Clean against exact: each pixel moves the output by +-1, or by 63 where it wraps, both weighted a.
    a2 = task.pixel_value**2
    weights = np.arange(64.0)
    variance = a2 * 2 * weights.var()  # two pixels, nearly independent
    moved = a2 * 2 * (63 / 64 + 63**2 / 64)
    assert scores["D"] == pytest.approx(moved / (2 * variance), rel=0.2)


def test_a_net_on_a_noisy_background_is_measured() -> None:
    task = sd.Task(dim=1, size=64, xi=16, background_noise=0.1)
    outcome = score(own_entries.Linear(), task, n_train=32, n_validation=16, n_test=64, seed=4)
    assert outcome.scores is not None and outcome.scores.D is not None and outcome.scores.D > 0, outcome.reason


def test_a_constant_output_has_no_sensitivities() -> None:
    task = sd.Task(dim=1, size=64, xi=16)
    scores = plain_scores(score(own_entries.Constant(), task, n_train=32, n_validation=16, n_test=64, seed=4))
    assert scores["D"] is None and scores["G"] is None and 0 <= scores["test_error"] <= 1


@pytest.mark.parametrize(
    ("entry", "status", "reason"),
    [
        (own_entries.Raises, "failed", "RuntimeError: no such luck (own_entries.py, line"),
        (own_entries.Exits, "failed", "SystemExit: 3"),
        (own_entries.Diverges, "diverged", "the loss is nan at epoch 3"),
        (own_entries.Nan, "diverged", "labels are not finite"),
        (own_entries.Peeks, "failed", "the entry asked for 64 test rows"),
        (own_entries.PeeksLater, "failed", "the entry asked for 64 test rows"),
        (own_entries.WrongShape, "failed", "must return one label for each image"),
        (own_entries.ZeroAndOne, "failed", "must return labels -1 and +1 only"),
        (own_entries.Words, "failed", "must return an array of int8"),
        (own_entries.NowhereAtHome, "failed", "does not apply to this task"),
    ],
)
def test_what_goes_wrong_is_an_outcome(entry: type[Entry], status: str, reason: str) -> None:
    outcome = scored(entry())
    assert outcome.status == status and reason in outcome.reason and "\n" not in outcome.reason
    assert outcome.scores is None


@pytest.mark.parametrize(
    ("run", "error", "says"),
    [
        (Run("no-card", "knn", 8, 0), KeyError, "unknown card 'no-card'"),
        (Run("distance-1d-L64-xi16", "knn", 8, 0), ValueError, "has no budgets: it is a theory card"),
        (Run(CARD, "no-entry", 8, 0), KeyError, "unknown entry 'no-entry'"),
        (Run(CARD, "knn", 8, -1), ValueError, "seed=-1"),
        (Run(CARD, "knn", 10**9, 0), ValueError, "n_train=1000000000"),
    ],
)
def test_a_run_that_cannot_be_is_refused(run: Run, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        evaluate(run)


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        scored(own_entries.Raises())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_labels_are_checked() -> None:
    labels = checked_labels([1, -1], 2)
    assert labels.dtype == np.int8 and labels.tolist() == [1, -1]
    assert checked_labels(np.array([1.0, -1.0]), 2).dtype == np.int8


# ---------------------------------------------------------------------- the entries


def quick_entries() -> list[str]:
    return [name for name in entry_names("quick") if name != "oracle"]


# Entries that are not here are tried with a single epoch, in test_trained_entries.py.
@pytest.mark.parametrize("name", [name for name in entry_names() if name not in ONE_EPOCH])
def test_every_entry_keeps_the_contract(name: str) -> None:
    assert [step for step in check_entry(name) if not step.ok] == []


@pytest.mark.parametrize("name", sd.list_tasks())
def test_oracle_errs_on_no_card(name: str) -> None:
    task = sd.load_task(name)
    X, y = sd.sample_images(task, 1000, seed=1, replace=True)
    np.testing.assert_array_equal(oracle(task).predict(X), y)


@pytest.mark.parametrize("spec", SMALL, ids=name_of)
def test_oracle_against_the_definition(spec: naive.Spec) -> None:
    """Every pair of the population, of every norm and border, labelled by enumeration."""
    task = task_of(spec)
    pairs, _ = sd.sample_pairs(task, 2 * min(task.n_near, task.n_far))
    expected = [naive.label(p, q, spec) for p, q in as_tuples(pairs)]
    assert oracle(task).predict(sd.render_pairs(pairs, task)).tolist() == expected


def oracle(task: sd.Task) -> Entry:
    entry = find_entry("oracle")
    assert isinstance(entry, TaskEntry)
    entry.receive(task)
    return entry


def test_chance_is_a_fair_coin() -> None:
    """Over cards and seeds: the mean error within 5 standard errors of 1/2, its spread that of independent tosses."""
    scores = [plain_scores(evaluate(Run(CARD, "chance", 32, seed))) for seed in range(40)]
    z = np.array([(s["n_wrong"] - s["n_test"] / 2) / math.sqrt(s["n_test"] / 4) for s in scores])
    assert abs(z.sum()) < 5 * math.sqrt(len(z))
    assert 0.5 < z.std() < 1.5


@pytest.mark.parametrize("card", ["block-1d-L64", "distance-2d-L16"])
@pytest.mark.parametrize("name", quick_entries())
def test_no_entry_is_worse_than_chance(name: str, card: str) -> None:
    """A guard against swapped labels and rows out of order, on the smallest training set of the card."""
    budgets = sd.load_card(card).budgets
    assert budgets is not None
    outcome = evaluate(Run(card, name, budgets.n_train[0], 0))
    assert outcome.status == "ok", outcome.reason
    assert outcome.scores is not None and 0 <= outcome.scores.test_error < 0.5 + 4 * math.sqrt(0.25 / budgets.n_test)
