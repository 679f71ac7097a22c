"""`sample_pairs`, `sample_images`, `make_scale_detection`: the documented stream, however it is asked for."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import naive
import numpy as np
import pytest
from helpers.specs import HUGE, MEDIUM, SMALL, SPLITS, as_tuples, over, task_of
from scipy import stats
from scipy.sparse import csr_matrix

from scaledetect import Task, make_scale_detection, sample_images, sample_pairs
from scaledetect.sampling import samplers
from scaledetect.sampling.samplers import first_of_each_class
from scaledetect.sampling.splits import longest_run

TASK = Task(dim=2, size=12, xi=4, gap=1, norm="l1", periodic=False)


def rows(pairs: Any) -> set[bytes]:
    return {pair.tobytes() for pair in pairs}


# ---------------------------------------------------------------------- against tests/naive, bit for bit


@over(SMALL + MEDIUM)
def test_samples_are_those_of_the_document(spec: naive.Spec) -> None:
    for i, (balance, split, replace) in enumerate(itertools.product(("equal", "natural"), SPLITS, (False, True))):
        scheduled, seed = dataclasses.replace(spec, balance=balance), (0, 1, 2**64 - 1)[i % 3]
        task = task_of(scheduled)
        held = longest_run(task, split)
        start = i if replace or held > 12 + i else 0
        n = 12 if replace else min(12, held - start)
        if min(task.n_near, task.n_far) < 2 and split == "test":
            continue
        pairs, y = sample_pairs(task, n, seed=seed, split=split, replace=replace, start=start)
        expected = naive.sample(scheduled, n, seed, split, replace, start)
        assert (as_tuples(pairs), y.tolist()) == expected
        assert pairs.dtype == np.int64
        assert y.dtype == np.int8


@over(HUGE)
def test_samples_of_huge_populations(spec: naive.Spec) -> None:
    task = task_of(dataclasses.replace(spec, balance="natural"))
    for split, replace, start in ((None, False, 10**6), ("validation", False, 0), ("test", True, 2**64 - 10)):
        pairs, y = sample_pairs(task, 8, split=split, replace=replace, start=start)  # type: ignore[arg-type]
        spec_natural = dataclasses.replace(spec, balance="natural")
        assert (as_tuples(pairs), y.tolist()) == naive.sample(spec_natural, 8, 0, split, replace, start)


@pytest.mark.parametrize("balance", ["equal", "natural"])
def test_digest_is_that_of_the_document(balance: str) -> None:
    spec = naive.Spec(2, 12, 8, 2, "distance", "l1", False, balance)
    assert task_of(spec).digest(300) == naive.digest(spec, 300)


# ---------------------------------------------------------------------- the population, each pair once


@over(SMALL)
def test_each_pair_comes_once(spec: naive.Spec) -> None:
    task = task_of(spec, balance="natural")
    pairs, y = sample_pairs(task, task.n_near + task.n_far)
    near, far = naive.list_pairs(spec)
    assert sorted(as_tuples(pairs[y == 1])) == sorted(near)
    assert sorted(as_tuples(pairs[y == -1])) == sorted(far)


@over(MEDIUM)
def test_labels_and_order_of_pixels(spec: naive.Spec) -> None:
    pairs, y = sample_pairs(task_of(spec), 300, seed=3)
    for (p, q), label in zip(as_tuples(pairs), y.tolist(), strict=True):
        assert p < q
        assert naive.label(p, q, spec) == label


@over(MEDIUM)
@pytest.mark.parametrize("balance", ["equal", "natural"])
def test_splits_are_disjoint(spec: naive.Spec, balance: Any) -> None:
    task = task_of(spec, balance=balance)
    train, validation, test = (
        rows(sample_pairs(task, longest_run(task, split), split=split)[0]) for split in SPLITS[1:]
    )
    assert train.isdisjoint(test)
    assert validation.isdisjoint(test)
    # The two halves of the smaller class together are the whole of it.
    n = longest_run(task, None)
    assert len(train | test) >= n - 2


def test_train_and_validation_are_disjoint_as_long_as_they_fit_the_half() -> None:
    half = -(-TASK.n_near // 2)
    assert TASK.n_near < TASK.n_far
    # Two samples for each near pair: 100 + (half - 100) of the half.
    train, _ = sample_pairs(TASK, 200, split="train")
    validation, _ = sample_pairs(TASK, 2 * (half - 100), split="validation")
    assert rows(train).isdisjoint(rows(validation))
    longer, _ = sample_pairs(TASK, 2 * (half - 100) + 1, split="validation")
    assert not rows(train).isdisjoint(rows(longer))


def test_validation_is_the_training_half_read_backwards() -> None:
    half = -(-TASK.n_near // 2)
    train, _ = sample_pairs(TASK, 2 * half, split="train")
    validation, _ = sample_pairs(TASK, 2 * half, split="validation")
    assert (validation[::2] == train[::2][::-1]).all()


def test_replacement_stays_in_the_split_and_repeats() -> None:
    for split in ("train", "validation", "test"):
        drawn, y = sample_pairs(TASK, 20_000, split=split, replace=True)
        natural = dataclasses.replace(TASK, balance="natural")
        other = "test" if split != "test" else "train"
        held, labels = sample_pairs(natural, longest_run(natural, other), split=other)  # type: ignore[arg-type]
        near = rows(drawn[y == 1])
        assert len(near) < 10_000
        assert near.isdisjoint(rows(held[labels == 1]))


def test_draws_of_the_splits_are_independent_streams() -> None:
    draws = [sample_pairs(TASK, 100, split=split, replace=True)[0].tobytes() for split in SPLITS]
    assert len(set(draws)) == 4


# ---------------------------------------------------------------------- however it is asked for


REQUESTS = [
    pytest.param(split, replace, balance, id=f"{split}-{'replace' if replace else 'once'}-{balance}")
    for split in SPLITS
    for replace in (False, True)
    for balance in ("equal", "natural")
]


@pytest.mark.parametrize(("split", "replace", "balance"), REQUESTS)
def test_prefix_and_random_access(split: Any, replace: bool, balance: Any) -> None:
    task = dataclasses.replace(TASK, balance=balance)
    whole, y = sample_pairs(task, 600, seed=7, split=split, replace=replace)
    for start, n in ((0, 0), (0, 1), (0, 77), (1, 1), (123, 456), (599, 1)):
        part, labels = sample_pairs(task, n, seed=7, split=split, replace=replace, start=start)
        assert (part == whole[start : start + n]).all()
        assert (labels == y[start : start + n]).all()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("balance", ["equal", "natural"])
def test_threads_do_not_matter(replace: bool, balance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(dim=2, size=28, xi=14, gap=2, periodic=False, balance=balance, background_noise=0.1)
    found = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("SCALEDETECT_NUM_THREADS", threads)
        pairs, y = sample_pairs(task, 150_001, replace=replace)
        images, _ = sample_images(task, 3000, replace=replace)
        found.append((pairs.tobytes(), y.tobytes(), images.tobytes()))
    assert found[0] == found[1] == found[2]
    part, _ = sample_pairs(task, 40_000, replace=replace, start=70_001)
    assert part.tobytes() == pairs[70_001:110_001].tobytes()


@pytest.mark.parametrize("threads", ["0", "-1", "two"])
def test_a_bad_number_of_threads(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEDETECT_NUM_THREADS", threads)
    with pytest.raises(ValueError, match=r"SCALEDETECT_NUM_THREADS='.*': must be an integer of at least 1"):
        sample_pairs(TASK, 100_000, replace=True)


def test_no_global_seed_is_read_or_set() -> None:
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002
    first = sample_pairs(TASK, 10)[0]
    np.random.seed(1)  # noqa: NPY002
    assert (sample_pairs(TASK, 10)[0] == first).all()
    np.random.seed(0)  # noqa: NPY002
    sample_images(TASK, 10)
    make_scale_detection(10, size=32, xi=8, random_state=3)
    assert np.random.get_state()[1].tobytes() == before  # type: ignore[index]  # noqa: NPY002


# ---------------------------------------------------------------------- images


@over(MEDIUM)
def test_images_show_the_pairs(spec: naive.Spec, dtype: str) -> None:
    task = task_of(spec)
    images, y = sample_images(task, 20, seed=1, dtype=dtype)
    pairs, labels = sample_pairs(task, 20, seed=1)
    expected = np.zeros((20, 1, *task.shape), dtype=dtype)
    for i, (p, q) in enumerate(as_tuples(pairs)):
        expected[(i, 0, *p)] = expected[(i, 0, *q)] = task.pixel_value
    assert images.dtype == dtype
    assert (images == expected).all()
    assert (y == labels).all()


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_squared_norm_is_the_number_of_sites(dim: int) -> None:
    images, _ = sample_images(Task(dim=dim, size=9, xi=3), 10, dtype="float64")
    np.testing.assert_allclose((images**2).sum(axis=tuple(range(1, dim + 2))), 9**dim, rtol=1e-14)


def test_the_mean_pixel_is_one() -> None:
    images, _ = sample_images(Task(dim=2, size=10, xi=3, amplitude="mean"), 10)
    assert (images.mean(axis=(1, 2, 3)) == 1).all()


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_out_is_written_in_place(dtype: str, noise: float) -> None:
    task = dataclasses.replace(TASK, background_noise=noise)
    out = np.full((50, 1, 12, 12), np.nan, dtype=dtype)
    images, y = sample_images(task, 50, out=out, start=3)
    assert images is out
    expected, labels = sample_images(task, 50, dtype=dtype, start=3)
    assert (out == expected).all()
    assert (y == labels).all()


def test_background_noise_is_that_of_the_document() -> None:
    spec = naive.Spec(2, 5, 4)
    task = task_of(spec, background_noise=0.5)
    for split, replace in ((None, False), ("train", False), ("test", True)):
        images, _ = sample_images(task, 4, seed=9, split=split, replace=replace, start=2, dtype="float64")  # type: ignore[arg-type]
        clean, _ = sample_images(task_of(spec), 4, seed=9, split=split, replace=replace, start=2, dtype="float64")  # type: ignore[arg-type]
        expected = [naive.background(spec, j, 0.5, 9, split, replace) for j in range(2, 6)]
        np.testing.assert_allclose((images - clean).reshape(4, -1), expected, rtol=0, atol=1e-6)


def test_background_noise_is_normal_and_white() -> None:
    task = dataclasses.replace(TASK, background_noise=2.0)
    noise = (sample_images(task, 400, dtype="float64")[0] - sample_images(TASK, 400, dtype="float64")[0]) / 2
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-6
    n = noise.size
    assert abs((noise[..., :-1] * noise[..., 1:]).sum()) < 5 * np.sqrt(n)
    assert abs((noise[:-1] * noise[1:]).sum()) < 5 * np.sqrt(n)


def test_background_noise_does_not_depend_on_the_batch() -> None:
    task = dataclasses.replace(TASK, background_noise=1.0)
    whole, _ = sample_images(task, 30, seed=4)
    parts = [sample_images(task, 10, seed=4, start=start)[0] for start in (0, 10, 20)]
    assert (np.concatenate(parts) == whole).all()
    assert (sample_images(task, 30, seed=5)[0] != whole).any()


# ---------------------------------------------------------------------- scikit-learn conventions


def test_make_scale_detection() -> None:
    X, y = make_scale_detection(20, size=8, xi=3, dim=2, random_state=5, shuffle=False)
    images, labels = sample_images(Task(dim=2, size=8, xi=3), 20, seed=5, dtype="float64")
    assert X.shape == (20, 64)
    assert X.dtype == np.float64
    assert (images.reshape(20, 64) == X).all()
    assert (y == labels).all()
    assert make_scale_detection()[0].shape == (100, 64)


def test_make_scale_detection_shuffles_the_rows_of_the_stream() -> None:
    stream, alternating = make_scale_detection(40, random_state=5, shuffle=False)
    X, y = make_scale_detection(40, random_state=5)
    assert alternating.tolist() == [1, -1] * 20
    # An order drawn at random alternates with a chance of 2 (20!)^2/40!, about 1e-11.
    assert y.tolist() not in ([1, -1] * 20, [-1, 1] * 20)
    places = [int(np.flatnonzero((stream == row).all(axis=1)).item()) for row in X]
    assert sorted(places) == list(range(40))
    assert (alternating[places] == y).all()
    assert (make_scale_detection(40, random_state=5)[0] == X).all()
    with pytest.raises(ValueError, match=r"n_samples=5000: .*; ask for fewer$"):
        make_scale_detection(5000)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_make_scale_detection_sparse(dim: int) -> None:
    X, y = make_scale_detection(30, size=9, xi=3, dim=dim, gap=0, amplitude=3.0, sparse=True)
    dense, labels = make_scale_detection(30, size=9, xi=3, dim=dim, gap=0, amplitude=3.0)
    assert isinstance(X, csr_matrix)
    assert X.nnz == 60
    assert (np.diff(X.indptr) == 2).all()
    assert X.has_canonical_format
    assert (X.toarray() == dense).all()
    assert (y == labels).all()


def test_random_state() -> None:
    def draw(random_state: Any) -> bytes:
        return make_scale_detection(20, size=32, xi=8, random_state=random_state)[0].tobytes()

    assert draw(0) == draw(np.int64(0)) == make_scale_detection(20, size=32, xi=8)[0].tobytes()
    assert draw(np.random.RandomState(0)) == draw(np.random.RandomState(0))
    assert draw(np.random.RandomState(0)) != draw(np.random.RandomState(1))
    np.random.seed(1)  # noqa: NPY002
    first = draw(None)
    assert draw(None) != first
    np.random.seed(1)  # noqa: NPY002
    assert draw(None) == first


@pytest.mark.parametrize("balance", ["equal", "natural"])
@pytest.mark.parametrize("n", [1, 5, 48, 72, 100])
def test_the_first_of_each_class_are_those_of_the_stream(balance: Any, n: int) -> None:
    """As many as are asked for, or all there are: 48 near and 72 far pairs, of which `equal` reaches 48."""
    task = Task(size=16, xi=4, balance=balance)
    near, far = first_of_each_class(task, n, seed=3)
    pairs, y = sample_pairs(task, longest_run(task, None), seed=3)
    np.testing.assert_array_equal(near, pairs[y == 1][:n])
    np.testing.assert_array_equal(far, pairs[y == -1][:n])
    assert len(near) == min(n, 48)


def test_the_first_of_a_rare_class_are_found_without_all_of_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(size=1024, xi=4, balance="natural")
    asked: list[int] = []

    def note(task: Task, n: int, **options: Any) -> Any:
        asked.append(n)
        return sample_pairs(task, n, **options)

    monkeypatch.setattr(samplers, "sample_pairs", note)
    near, _ = first_of_each_class(task, 7)
    assert len(near) == 7
    assert asked == [-(-7 * (task.n_near + task.n_far) // task.n_near) + 1]
