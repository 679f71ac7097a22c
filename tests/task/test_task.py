"""`Task`: a value with one canonical form; what it refuses, and how it says so."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import numpy as np
import pytest

from scaledetect import Task, sample_images


def task(**fields: Any) -> Task:
    return Task(**{"dim": 1, "size": 64, "xi": 16} | fields)


def test_defaults() -> None:
    assert Task(size=64, xi=16) == Task(
        dim=1, size=64, xi=16, gap=0, labelling="distance", norm="l2", periodic=True, amplitude="norm",
        balance="equal", background_noise=0.0,
    )  # fmt: skip


def test_all_norms_are_one_in_one_dimension() -> None:
    assert task(norm="l1") == task(norm="linf") == task(norm="l2")
    assert hash(task(norm="l1")) == hash(task(norm="l2"))
    assert task(dim=2, norm="l1") != task(dim=2, norm="l2")


def test_norm_and_border_mean_nothing_for_blocks() -> None:
    blocks = {"dim": 2, "labelling": "block"}
    same = {task(**blocks, norm=norm, periodic=periodic) for norm in ("l1", "l2", "linf") for periodic in (True, False)}
    assert len(same) == 1
    assert len({t.digest() for t in same}) == 1


def test_numbers_are_in_canonical_form() -> None:
    assert task(xi=16.0) == task(xi=np.float32(16)) == task(xi=np.int8(16)) == task()
    assert task(size=np.int64(64)) == task()
    assert isinstance(task(xi=16.0).xi, int) and task(xi=16.5).xi == 16.5
    assert type(task(size=np.int64(64)).size) is int


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        task().size = 3  # type: ignore[misc]


def test_replace_checks_again() -> None:
    assert dataclasses.replace(task(), gap=2).gap == 2
    with pytest.raises(ValueError, match="far"):
        dataclasses.replace(task(), xi=40)


@pytest.mark.parametrize("fields", [{}, {"dim": 3, "size": 7, "xi": 2.5, "gap": 0.5, "amplitude": 3.0}])
def test_repr_and_pickle_give_it_back(fields: dict[str, Any]) -> None:
    original = task(**fields)
    assert eval(repr(original), {"Task": Task}) == original
    assert pickle.loads(pickle.dumps(original)) == original


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_amplitudes(dim: int) -> None:
    n = 8**dim
    assert task(dim=dim, size=8, xi=3).pixel_value == pytest.approx(math.sqrt(n / 2), rel=1e-15)
    assert task(dim=dim, size=8, xi=3, amplitude="mean").pixel_value == n / 2
    assert task(dim=dim, size=8, xi=3, amplitude=2).pixel_value == 2.0
    assert (task(dim=dim, size=8, xi=3).n_sites, task(dim=dim, size=8, xi=3).shape) == (n, (8,) * dim)


def test_half_integers_are_compared_exactly() -> None:
    # Near is dist < 2.75, far is dist >= 3.25: distance 3 is neither.
    between = task(size=9, xi=3, gap=0.5)
    assert (between.n_near, between.n_far) == (18, 9)
    assert (task(size=9, xi=3).n_near, task(size=9, xi=3).n_far) == (18, 18)


def test_sqrt_two_is_not_rounded() -> None:
    # dist^2 = 2 against (xi - gap/2)^2 = 1.5625 and (xi + gap/2)^2 = 3.0625: the diagonal is in the band.
    t = task(dim=2, size=6, xi=1.5, gap=0.5, periodic=False)
    assert t.n_near == 2 * 6 * 5
    assert t.n_near + t.n_far == 36 * 35 // 2 - 2 * 25


def test_paper_1d_takes_the_gap_on_each_side() -> None:
    assert Task.paper_1d(size=64, xi=16, g=2) == task(gap=4, amplitude="norm", periodic=True)
    assert Task.paper_1d(size=64, xi=16, labelling="block").labelling == "block"


def test_paper_2d() -> None:
    assert Task.paper_2d() == Task(dim=2, size=28, xi=14, gap=2, norm="l2", amplitude="mean", periodic=False)
    assert Task.paper_2d(labelling="block").gap == 0
    images, _ = sample_images(Task.paper_2d(), 4)
    assert images.mean(axis=(1, 2, 3)).tolist() == [1, 1, 1, 1]


def test_amplitude_noise_and_balance_do_not_touch_the_population() -> None:
    assert task(amplitude=3, background_noise=0.5).digest() == task().digest()
    assert task(balance="natural").n_near == task().n_near


def test_the_digest_depends_on_what_defines_the_data() -> None:
    tasks = [task(), task(xi=15), task(gap=1), task(size=65), task(periodic=False), task(balance="natural")]
    digests = {t.digest() for t in tasks} | {task().digest(seed=1), task().digest(999)}
    assert len(digests) == len(tasks) + 2
    assert all(len(d) == 64 for d in digests)


def test_the_digest_of_a_small_population_takes_it_whole() -> None:
    small = task(size=8, xi=3)
    # 16 near and 12 far: classes in turn, near first, make 25.
    assert small.digest() == small.digest(25) != small.digest(24)


BAD = [
    ({"dim": 4}, ValueError, "dim=4: must be 1, 2 or 3"),
    ({"dim": 0}, ValueError, "dim=0: must be 1, 2 or 3"),
    ({"dim": 1.0}, TypeError, "dim=1.0: must be an integer"),
    ({"size": 2}, ValueError, "size=2: must be at least 3"),
    ({"size": 64.0}, TypeError, "size=64.0: must be an integer"),
    ({"size": True}, TypeError, "size=True: must be an integer"),
    ({"size": "64"}, TypeError, "size='64': must be an integer"),
    ({"xi": 16.25}, ValueError, "xi=16.25: must be an integer or a half-integer"),
    ({"xi": float("nan")}, ValueError, "xi=nan: must be an integer or a half-integer"),
    ({"xi": float("inf")}, ValueError, "xi=inf: must be an integer or a half-integer"),
    ({"xi": 1e300}, ValueError, "xi=1e.300: must be an integer or a half-integer"),
    ({"xi": "16"}, TypeError, "xi='16': must be an integer or a half-integer"),
    ({"xi": None}, TypeError, "xi=None: must be an integer or a half-integer"),
    ({"xi": 1}, ValueError, "xi=1: xi - gap/2 must exceed 1 pixel"),
    ({"xi": -3}, ValueError, "xi=-3: xi - gap/2 must exceed 1 pixel"),
    ({"xi": 3, "gap": 4}, ValueError, "xi=3: xi - gap/2 must exceed 1 pixel, and gap=4; raise xi"),
    ({"xi": 33}, ValueError, "xi=33: .*class 'far' is empty; lower xi or gap"),
    ({"xi": 64, "periodic": False}, ValueError, "xi=64: .*class 'far' is empty"),
    ({"xi": 30, "gap": 4.5}, ValueError, "gap=4.5.*class 'far' is empty"),
    ({"dim": 2, "size": 8, "xi": 9, "norm": "l1"}, ValueError, "norm='l1'.*class 'far' is empty"),
    ({"dim": 2, "size": 8, "xi": 5, "norm": "linf"}, ValueError, "norm='linf'.*class 'far' is empty"),
    ({"dim": 2, "size": 8, "xi": 6, "norm": "l2"}, ValueError, "norm='l2'.*class 'far' is empty"),
    ({"gap": -1}, ValueError, "gap=-1: must not be negative"),
    ({"gap": 0.3}, ValueError, "gap=0.3: must be an integer or a half-integer"),
    ({"gap": False}, TypeError, "gap=False: must be an integer or a half-integer"),
    ({"labelling": "blocks"}, ValueError, "labelling='blocks': choose one of 'distance', 'block'"),
    ({"norm": "l3"}, ValueError, "norm='l3': choose one of 'l1', 'l2', 'linf'"),
    ({"norm": ["l2"]}, ValueError, "norm=.*choose one of"),
    ({"balance": "even"}, ValueError, "balance='even': choose one of 'equal', 'natural'"),
    ({"periodic": 1}, TypeError, "periodic=1: must be True or False"),
    ({"xi": 2**40}, ValueError, "xi=1099511627776: no two pixels"),
    ({"xi": 2**40 + 1}, ValueError, "xi=1099511627777: must be an integer or a half-integer"),
    ({"xi": -(2**40)}, ValueError, "xi=-1099511627776: xi - gap/2 must exceed"),
    ({"xi": -(2**40) - 1}, ValueError, "xi=-1099511627777: must be an integer or a half-integer"),
    ({"labelling": "block", "gap": 1}, ValueError, "gap=1: must be 0"),
    ({"labelling": "block", "xi": 2.5}, ValueError, "xi=2.5: must be an integer"),
    ({"labelling": "block", "xi": 64}, ValueError, "xi=64: must be below size=64"),
    ({"amplitude": 0}, ValueError, "amplitude=0: must be .* a positive number"),
    ({"amplitude": float("inf")}, ValueError, "amplitude=inf"),
    ({"amplitude": "max"}, ValueError, "amplitude='max': choose one of 'norm', 'mean'"),
    ({"amplitude": None}, TypeError, "amplitude=None"),
    ({"background_noise": -0.1}, ValueError, "background_noise=-0.1: must be finite and not negative"),
    ({"background_noise": "1"}, TypeError, "background_noise='1': must be a number"),
    ({"dim": 2, "size": 2**16 + 8}, ValueError, "size=65544: a class of this task has more than 2.63 - 1 pairs"),
    ({"dim": 1, "size": 2**33}, ValueError, "more than 2.63 - 1 pairs"),
    ({"dim": 3, "size": 10**9, "labelling": "block"}, ValueError, "more than 2.63 - 1 pairs; lower size"),
]


@pytest.mark.parametrize(("fields", "error", "message"), BAD, ids=[str(fields) for fields, _, _ in BAD])
def test_bad_input(fields: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        task(**fields)


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="positional"):
        Task(1, 64, 16)  # type: ignore[call-arg]


def test_the_largest_populations_are_taken() -> None:
    assert task(size=2**32, xi=2).n_far == 2**31 * (2**32 - 1) - 2**32
    assert Task(dim=2, size=2**16, xi=2).n_far == 2**31 * (2**32 - 1) - 4 * 2**32


@pytest.mark.parametrize("n", [-1, 1.5, "all"])
def test_digest_refuses_what_is_no_number(n: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=f"n={n!r}"):
        task().digest(n)


def test_both_classes_together_may_have_more_than_the_pairs_that_one_may() -> None:
    task = Task(size=5_500_000_000, xi=1_375_000_000)
    assert max(task.n_near, task.n_far) < 2**63 < task.n_near + task.n_far
    with pytest.raises(ValueError, match=r"^size=6200000000: a class of this task has more than 2\^63 - 1 pairs"):
        Task(size=6_200_000_000, xi=1_375_000_000)


def test_a_lattice_of_16_times_the_largest_class_is_not_counted() -> None:
    """Nearly all its pairs may be between the classes, which then are small; beyond, whatever they are."""
    largest = (1 + math.isqrt(1 + 8 * 16 * (2**63 - 1))) // 2
    assert largest * (largest - 1) // 2 <= 16 * (2**63 - 1) < (largest + 1) * largest // 2

    def narrow(size: int) -> Task:
        return Task(size=size, xi=size // 4, gap=2 * (size // 4) - 4)

    assert max(narrow(largest).n_near, narrow(largest).n_far) < 2**63
    with pytest.raises(ValueError, match=r"a class of this task has more than 2\^63 - 1 pairs"):
        narrow(largest + 1)


def test_a_digest_covers_a_thousand_samples() -> None:
    assert task(size=512).digest() == task(size=512).digest(1000) != task(size=512).digest(1001)
