"""Requests for samples that cannot be met: refused by name, before anything is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scaledetect import Task, make_scale_detection, sample_images, sample_pairs
from scaledetect.sampling.samplers import check_splits
from scaledetect.sampling.splits import Window, class_window

TASK = Task(dim=2, size=12, xi=4, gap=1, norm="l1", periodic=False)


def any_of(value: object) -> Any:
    """A value of the wrong type, for the type checker."""
    return value


# 1-D, L = 8, xi = 3: 16 near and 12 far.
FEW = Task(dim=1, size=8, xi=3)
NATURAL = dataclasses.replace(FEW, balance="natural")

BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: sample_pairs(FEW, 26),
        ValueError,
        "n=26: the population of this task holds 25 samples with balance='equal'",
    ),
    (lambda: sample_pairs(FEW, 26), ValueError, r"\(n_near=16, n_far=12\); ask for fewer, or draw with replace=True"),
    (lambda: sample_pairs(FEW, 5, start=21), ValueError, "start=21 and n=5: the population of this task holds 25"),
    (lambda: sample_pairs(FEW, 14, split="train"), ValueError, "n=14: the train split of this task holds 13 samples"),
    (lambda: sample_pairs(FEW, 14, split="validation"), ValueError, "the validation split of this task holds 13"),
    (lambda: sample_pairs(FEW, 14, split="test"), ValueError, "the test split of this task holds 13 samples"),
    (lambda: sample_pairs(NATURAL, 29), ValueError, "n=29: the population of this task holds 28 .* balance='natural'"),
    (lambda: sample_pairs(FEW, -1), ValueError, "n=-1: must be from 0"),
    (lambda: sample_pairs(FEW, any_of(2.0)), TypeError, "n=2.0: must be an integer"),
    (lambda: sample_pairs(FEW, True), TypeError, "n=True: must be an integer"),
    (lambda: sample_pairs(FEW, 2, start=-1), ValueError, "start=-1: must be from 0"),
    (lambda: sample_pairs(FEW, 2, start=any_of("0")), TypeError, "start='0': must be an integer"),
    (
        lambda: sample_pairs(FEW, 2, start=2**64 - 2, replace=True),
        ValueError,
        r"^start=18446744073709551614 and n=2: the last sample of any task is number 2\^64 - 2; ask for fewer$",
    ),
    (lambda: sample_pairs(FEW, 2, seed=-1), ValueError, r"seed=-1: must be an integer from 0 to 2\^64 - 1"),
    (lambda: sample_pairs(FEW, 2, seed=2**64), ValueError, "seed=18446744073709551616: must be an integer from 0"),
    (lambda: sample_pairs(FEW, 2, seed=any_of(0.0)), TypeError, "seed=0.0: must be an integer"),
    (lambda: sample_pairs(FEW, 2, seed=any_of(None)), TypeError, "seed=None: must be an integer"),
    (lambda: sample_pairs(FEW, 2, seed=False), TypeError, "seed=False: must be an integer"),
    (
        lambda: sample_pairs(FEW, 2, split=any_of("dev")),
        ValueError,
        "split='dev': must be 'train', 'validation', 'test'",
    ),
    (lambda: sample_pairs(any_of("card"), 2), TypeError, "task='card': must be a scaledetect.Task"),
    (lambda: sample_images(FEW, 26), ValueError, "n=26: the population"),
    (lambda: sample_images(FEW, 2, dtype="float16"), TypeError, "dtype='float16': must be 'float32' or 'float64'"),
    (lambda: sample_images(FEW, 2, dtype="no such"), TypeError, "dtype='no such': must be 'float32' or 'float64'"),
    (lambda: make_scale_detection(5000), ValueError, "n_samples=5000: the population of this task holds 1920 samples"),
    (lambda: make_scale_detection(5, random_state=-1), ValueError, "random_state=-1: must be an integer from 0"),
    (lambda: make_scale_detection(5, random_state="0"), TypeError, "random_state='0': must be an integer"),
    (lambda: make_scale_detection(5, xi=40), ValueError, "xi=40: .*class 'far' is empty"),
    (lambda: make_scale_detection(5, sparse=True, background_noise=1.0), ValueError, "sparse=True: .* has no zeros"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD, ids=[m[:40] for _, _, m in BAD])
def test_bad_input(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_split_without_members_says_so() -> None:
    lonely = Task(dim=1, size=4, xi=3, periodic=False)
    assert lonely.n_far == 1
    with pytest.raises(ValueError, match=r"split='test': holds no sample of class 'far'.*take split=None"):
        sample_pairs(lonely, 1, split="test")


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ([0.0] * 16, TypeError, r"out='list': must be a NumPy array of shape \(2, 1, 8\)"),
        (
            np.zeros((2, 1, 8), dtype="float16"),
            TypeError,
            "float16.*: must be an array of float32 or float64",
        ),
        (np.zeros((2, 1, 8), dtype=int), TypeError, "must be an array of float32 or float64"),
        (np.zeros((2, 1, 8), dtype=">f4"), TypeError, "must be an array of float32 or float64"),
        (np.zeros((2, 8)), ValueError, r"out=\(2, 8\): must have shape \(2, 1, 8\)"),
        (np.zeros((3, 1, 8)), ValueError, r"out=\(3, 1, 8\): must have shape \(2, 1, 8\)"),
        (np.zeros((2, 1, 16))[:, :, ::2], ValueError, "must be C-contiguous and writable"),
        (np.broadcast_to(np.zeros(8), (2, 1, 8)), ValueError, "must be C-contiguous and writable"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_out(out: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sample_images(FEW, 2, out=out)


def test_a_refused_request_writes_nothing() -> None:
    out = np.full((26, 1, 8), 7.0)
    with pytest.raises(ValueError, match="holds 25 samples"):
        sample_images(FEW, 26, out=out)
    with pytest.raises(ValueError, match="seed=-1"):
        sample_images(FEW, 26, seed=-1, replace=True, out=out)
    assert (out == 7).all()


def test_splits_refuse_each_number_that_is_too_many_by_its_name() -> None:
    """1-D, L = 16, xi = 4: 48 near and 72 far pairs, half of each for either side."""
    task = Task(size=16, xi=4)
    assert check_splits(task, 48, 0, 48) == (48, 0, 48)
    assert check_splits(task, 40, 8, 48) == (40, 8, 48)
    for numbers, message in (
        ((49, 0, 48), r"^n_train=49: the train split of this task holds 48 .*; ask for fewer$"),
        ((0, 49, 48), r"^n_validation=49: the validation split of this task holds 48 "),
        ((48, 0, 49), r"^n_test=49: the test split of this task holds 48 "),
        ((40, 9, 0), r"^n_validation=9: with n_train=40 takes 25 of the 24 images of class 'near' they share"),
    ):
        with pytest.raises(ValueError, match=message):
            check_splits(task, *numbers)


def test_a_window_stays_as_it_is() -> None:
    window = class_window(9, "test")
    assert window == Window(8, -1, 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        window.first = 3  # type: ignore[misc]
