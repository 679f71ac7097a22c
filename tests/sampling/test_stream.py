"""The stream: keys, permutation, schedule and splits, against the test vectors, tests/naive and statistics."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import itertools
import json
import runpy
from pathlib import Path
from typing import Any

import naive
import numpy as np
import pytest
from helpers.specs import HUGE, MEDIUM, SMALL, SPLITS, name_of, over, task_of, unrank
from numpy.typing import NDArray
from scipy import stats

from scaledetect import Task, noise_images, sample_pairs, shift_pairs
from scaledetect._kernels import backend
from scaledetect.sampling.gaussian_noise import background, normal_rows
from scaledetect.sampling.keys import philox_key, stream_key
from scaledetect.sampling.permutation import SMALL_DOMAIN, class_permutation, permutation
from scaledetect.sampling.splits import class_counts, class_window, longest_run

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "stream_v1.json").read_text())
EXAMPLE = (
    '{"class":"near","dim":1,"gap_doubled":0,"labelling":"distance","norm":"l2","periodic":true,'
    '"purpose":"permutation","seed":0,"size":64,"stream":1,"xi_doubled":32}'
)


def vector_name(vector: dict[str, Any]) -> str:
    task = vector["task"]
    return f"{task['labelling']}-{task['dim']}d-L{task['size']}"


def permuted(task: Task, seed: int, far: bool, indices: list[int]) -> list[int]:
    pi = class_permutation(task, seed, "far" if far else "near")
    ranks: list[int] = pi.of_offsets(0, 1, np.array(indices, dtype=np.uint64)).tolist()
    return ranks


# ---------------------------------------------------------------------- test vectors


@pytest.mark.parametrize("vector", VECTORS, ids=vector_name)
class TestVectors:
    def task(self, vector: dict[str, Any], **fields: Any) -> Task:
        return Task(**vector["task"], **fields)

    def test_keys(self, vector: dict[str, Any]) -> None:
        task, seed = self.task(vector), int(vector["seed"])
        for name, expected in vector["keys"].items():
            purpose, _, class_name = name.partition(", ")
            assert stream_key(task, seed, class_name or None, purpose).hex() == expected
        text = vector["key text"]
        assert hashlib.sha256(text.encode()).digest()[:16].hex() == vector["keys"]["permutation, near"]

    @pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
    def test_permutation_and_ranks(self, vector: dict[str, Any], far: bool) -> None:
        task, expected = self.task(vector), vector["far" if far else "near"]
        assert str(task.n_far if far else task.n_near) == expected["size"]
        indices = [int(x) for x in expected["pi"]]
        assert [str(r) for r in permuted(task, int(vector["seed"]), far, indices)] == list(expected["pi"].values())
        ranks = np.array([int(x) for x in expected["pair of rank"]], dtype=np.uint64)
        assert unrank(task, far, ranks).tolist() == list(expected["pair of rank"].values())

    def test_samples(self, vector: dict[str, Any]) -> None:
        task, seed = self.task(vector), int(vector["seed"])
        for expected in vector["samples"]:
            request = {name: expected[name] for name in ("split", "replace")} | {"start": int(expected["start"])}
            pairs, y = sample_pairs(task, len(expected["y"]), seed=seed, **request)
            assert (pairs.tolist(), y.tolist()) == (expected["pairs"], expected["y"])

    def test_perturbations(self, vector: dict[str, Any]) -> None:
        task, seed = self.task(vector), int(vector["seed"])
        pairs, y = sample_pairs(task, 6, seed=seed)
        assert shift_pairs(pairs, y, task, seed=seed).tolist() == vector["shifted"]
        if task.n_sites > 1000:
            return
        noisy = self.task(vector, background_noise=1.0)
        fields = {
            "noise": noise_images(task, 4, seed=seed, dtype="float64"),
            "background": background(noisy, 4, seed=seed, dtype="float64"),
        }
        for name, images in fields.items():
            assert images is not None
            first = images.reshape(4, -1)[[0, 3], :9]
            np.testing.assert_allclose(first, vector[f"{name} of samples 0 and 3"], rtol=0, atol=1e-6)

    def test_digest(self, vector: dict[str, Any]) -> None:
        task = self.task(vector)
        assert vector["digest_length"] == min(1000, longest_run(task, None))
        assert task.digest() == task.digest(vector["digest_length"]) == vector["digest"]


def test_vectors_are_what_the_script_writes(root: Path) -> None:
    script = runpy.run_path(str(root / "tests" / "data" / "make_stream_vectors.py"))
    assert script["PATH"].read_text(encoding="utf-8") == script["make"]()


# ---------------------------------------------------------------------- keys


def test_the_example_of_the_document(root: Path) -> None:
    assert EXAMPLE in (root / "docs" / "data-spec.md").read_text(encoding="utf-8")
    key = stream_key(Task(size=64, xi=16), 0, "near", "permutation")
    assert key == hashlib.sha256(EXAMPLE.encode()).digest()[:16]


def test_the_block_of_the_document(root: Path) -> None:
    text = (root / "docs" / "data-spec.md").read_text(encoding="utf-8")
    key = hashlib.sha256(EXAMPLE.encode()).digest()[:16]
    block = np.empty((1, 4), dtype=np.uint64)
    backend().raw_blocks(np.uint64(1), *philox_key(key), block)
    assert f"`{key.hex()}`" in text
    assert " ".join(f"0x{word:016x}" for word in block[0].tolist()) in text
    assert naive.philox_block(key, 1) == tuple(block[0].tolist())


def test_the_vectors_hold_the_corners() -> None:
    sizes = [(int(v["near"]["size"]), int(v["far"]["size"])) for v in VECTORS]
    assert sum(near > far for near, far in sizes) >= 3
    last = {int(s["start"]) + len(s["y"]) - 1 for v in VECTORS for s in v["samples"] if s["replace"]}
    assert max(last) == 2**64 - 2


def test_the_last_sample_is_number_two_to_the_64_less_two() -> None:
    last = 2**64 - 2
    task = Task(size=3, xi=1.5, periodic=False)  # one block of noise a sample
    pairs, y = sample_pairs(task, 1, start=last, replace=True)
    assert shift_pairs(pairs, y, task, start=last).shape == (1, 2, 1)
    assert noise_images(task, 1, start=last).shape == (1, 1, 3)
    with pytest.raises(ValueError, match=r"^start \+ n=18446744073709551616: must be from 0 to 2\^64 - 1"):
        shift_pairs(np.repeat(pairs, 2, axis=0), y, task, start=last)
    with pytest.raises(ValueError, match=r"^start=18446744073709551614: noise on 3 pixels"):
        noise_images(task, 2, start=last)


def test_keys_hold_only_what_defines_the_population() -> None:
    plain = Task(dim=2, size=20, xi=5)
    other = Task(dim=2, size=20, xi=5, amplitude=3, background_noise=2, balance="natural")
    assert stream_key(plain, 0, "near", "draw") == stream_key(other, 0, "near", "draw")


def test_keys_differ_by_seed_class_purpose_and_task() -> None:
    task = Task(size=64, xi=16)
    keys = [stream_key(task, 0, "near", "draw"), stream_key(task, 1, "near", "draw")]
    keys += [stream_key(task, 0, "far", "draw"), stream_key(task, 0, "near", "draw/train")]
    keys += [stream_key(Task(size=64, xi=16, gap=0.5), 0, "near", "draw")]
    assert len(set(keys)) == 5


def test_blocks_of_a_key_are_numpys_philox() -> None:
    key = bytes(range(16))
    words = np.empty((5, 4), dtype=np.uint64)
    backend().raw_blocks(np.uint64(1), *philox_key(key), words)
    expected = np.random.Philox(key=int.from_bytes(key, "little")).random_raw(20)
    assert words.ravel().tolist() == expected.tolist()
    assert words.tolist() == [list(naive.philox_block(key, m)) for m in range(1, 6)]


# ---------------------------------------------------------------------- permutation


@pytest.mark.parametrize("n", [*range(1, 40), 63, 64, 65, 1022, 1023, 1024, 1025, 4095, 4096, 4097])
def test_permutation_is_a_bijection(n: int) -> None:
    key = hashlib.sha256(str(n).encode()).digest()[:16]
    bits, rounds = max(1, ((n - 1).bit_length() + 1) // 2), 24 if n < 1024 else 8
    words = tuple(np.random.Philox(key=int.from_bytes(key, "little")).random_raw(rounds))
    ranks = np.empty(n, dtype=np.uint64)
    numbers = np.uint64(n), np.uint64(-(-n // 2**bits)), np.uint64(bits)
    backend().permute_range(np.int64(n - 1), np.int64(-1), *numbers, words, ranks)
    assert sorted(ranks.tolist()) == list(range(n))
    assert ranks.tolist() == [naive.permute(x, n, key) for x in reversed(range(n))]


@over(SMALL + MEDIUM)
@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
def test_permutation_of_every_class_is_a_bijection(spec: naive.Spec, far: bool) -> None:
    task = task_of(spec)
    n = task.n_far if far else task.n_near
    ranks = permuted(task, 5, far, list(range(n)))
    assert sorted(ranks) == list(range(n))
    key = naive.key(spec, 5, "far" if far else "near", "permutation")
    some = range(0, n, max(1, n // 200))
    assert [ranks[x] for x in some] == [naive.permute(x, n, key) for x in some]


@over(HUGE)
def test_permutation_of_a_huge_class(spec: naive.Spec) -> None:
    task = task_of(spec)
    for far, n in enumerate((task.n_near, task.n_far)):
        indices = [0, 1, n // 2, n - 1]
        key = naive.key(spec, 2**64 - 1, ("near", "far")[far], "permutation")
        assert permuted(task, 2**64 - 1, bool(far), indices) == [naive.permute(x, n, key) for x in indices]


# ---------------------------------------------------------------------- schedule and splits


@over(MEDIUM)
@pytest.mark.parametrize("balance", ["equal", "natural"])
def test_counts_of_a_prefix(spec: naive.Spec, balance: Any) -> None:
    task = task_of(spec, balance=balance)
    _, y = sample_pairs(task, 501, replace=True)
    for n in (0, 1, 2, 77, 500, 501):
        assert class_counts(task, n) == (y[:n].tolist().count(1), y[:n].tolist().count(-1))


def test_equal_balance_takes_turns() -> None:
    _, y = sample_pairs(Task(size=64, xi=16), 7)
    assert y.tolist() == [1, -1, 1, -1, 1, -1, 1]
    assert sample_pairs(Task(size=64, xi=16), 3, start=5)[1].tolist() == [-1, 1, -1]


@over(MEDIUM)
def test_natural_balance_is_never_off_by_more_than_one(spec: naive.Spec) -> None:
    task = task_of(spec, balance="natural")
    _, y = sample_pairs(task, 2000)
    expected = np.arange(1, 2001) * (task.n_near / (task.n_near + task.n_far))
    assert np.abs(np.cumsum(y == 1) - expected).max() <= 1


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11])
def test_windows_of_the_splits(n: int) -> None:
    def indices(split: Any) -> list[int]:
        window = class_window(n, split)
        return [window.first + i * window.step for i in range(window.length)]

    half = -(-n // 2)
    assert indices(None) == list(range(n))
    assert indices("train") == list(range(half))
    assert indices("validation") == indices("train")[::-1]
    assert indices("test") == list(range(n - 1, half - 1, -1))


@over(SMALL)
def test_longest_run_is_exact(spec: naive.Spec) -> None:
    sizes = dict(zip(("near", "far"), naive.class_sizes(spec), strict=True))
    for balance, split in itertools.product(("equal", "natural"), SPLITS):
        scheduled = dataclasses.replace(spec, balance=balance)
        n = longest_run(task_of(scheduled), split)
        # The first n samples find their class index in the split, and the next one does not.
        for j in range(n + 1):
            cls, c = naive.class_and_index(j, scheduled)
            assert (c < naive.values_of_index(sizes[cls], split)) == (j < n)


# ---------------------------------------------------------------------- uniformity

N_SEEDS = 3000
FLOOR = 1e-6
SPREAD = (SMALL[3], SMALL[40], SMALL[75], SMALL[-1], *MEDIUM[:4])


@pytest.fixture(scope="module")
def first_pairs() -> dict[naive.Spec, NDArray[np.int64]]:
    """Samples 0..3 of every seed, shape (seeds, 4, 2, dim)."""
    tasks = {spec: task_of(spec) for spec in SPREAD}
    return {
        spec: np.stack([sample_pairs(task, 4, seed=seed)[0] for seed in range(N_SEEDS)]) for spec, task in tasks.items()
    }


def numbers(pairs: NDArray[np.int64], spec: naive.Spec) -> NDArray[np.int64]:
    """One number a pair, other for other pairs."""
    return pairs.reshape(len(pairs), -1) @ spec.size ** np.arange(2 * spec.dim)


def cells(pairs: NDArray[np.int64], spec: naive.Spec, far: bool, most: int) -> tuple[NDArray[np.int64], Any]:
    """Number of the cell of each pair, and the share of each cell in the class; cells are runs of sorted pairs."""
    task = task_of(spec)
    n = task.n_far if far else task.n_near
    everything = np.sort(numbers(unrank(task, far, np.arange(n, dtype=np.uint64)), spec))
    places = np.searchsorted(everything, numbers(pairs, spec))
    assert (everything[places] == numbers(pairs, spec)).all()
    count = min(n, most)
    return places * count // n, np.bincount(np.arange(n) * count // n) / n


@over(SPREAD)
@pytest.mark.parametrize("j", range(4))
def test_every_pair_is_as_likely(spec: naive.Spec, j: int, first_pairs: dict[naive.Spec, NDArray[np.int64]]) -> None:
    found, share = cells(first_pairs[spec][:, j], spec, j % 2 == 1, 200)
    assert stats.chisquare(np.bincount(found, minlength=len(share)), share * N_SEEDS).pvalue > FLOOR


@over(SPREAD)
@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
def test_two_samples_are_independent(
    spec: naive.Spec, far: bool, first_pairs: dict[naive.Spec, NDArray[np.int64]]
) -> None:
    task = task_of(spec)
    n, count = task.n_far if far else task.n_near, 8
    first, share = cells(first_pairs[spec][:, int(far)], spec, far, count)
    second, _ = cells(first_pairs[spec][:, int(far) + 2], spec, far, count)
    table = np.zeros((len(share), len(share)))
    np.add.at(table, (first, second), 1)
    # Without replacement a cell of m pairs has m - 1 left for the second.
    expected = (np.outer(share, share) * n - np.diag(share)) / (n - 1) * N_SEEDS
    held = expected > 0
    assert table[~held].sum() == 0
    assert stats.chisquare(table[held], expected[held]).pvalue > FLOOR


@pytest.mark.parametrize("spec", [MEDIUM[0], SMALL[3]], ids=name_of)
def test_draws_with_replacement_are_uniform(spec: naive.Spec) -> None:
    pairs, y = sample_pairs(task_of(spec), 40_000, replace=True, seed=1)
    for far in (False, True):
        found, share = cells(pairs[y == (-1 if far else 1)], spec, far, 200)
        assert stats.chisquare(np.bincount(found, minlength=len(share)), share * 20_000).pvalue > FLOOR


def test_a_wrong_distribution_is_noticed() -> None:
    spec = MEDIUM[0]
    pairs, _ = sample_pairs(task_of(spec), 8000, seed=1)
    found, share = cells(pairs[::2], spec, False, 200)
    found[:150] = 0
    assert stats.chisquare(np.bincount(found, minlength=len(share)), share * 4000).pvalue < FLOOR


def test_permutations_are_equal_to_themselves_only_and_stay_as_they_are() -> None:
    """Few rounds mix few bits badly: below 1024 there are 24 of them, else 8."""
    assert SMALL_DOMAIN == 1024
    for size, n_far, rounds in ((54, 1323, 8), (48, 1032, 8), (46, 943, 24)):
        pi = permutation(Task(size=size, xi=3), 0, "far")
        assert (pi.n, len(pi.keys)) == (n_far, rounds)
        assert pi != copy.copy(pi)
        assert len({pi, pi}) == 1
        with pytest.raises(dataclasses.FrozenInstanceError):
            pi.n = 5  # type: ignore[misc]


@pytest.mark.parametrize(("width", "blocks"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3), (0, 0)])
def test_noise_reaches_the_end_of_its_counter_and_no_further(width: int, blocks: int) -> None:
    key = bytes(range(16))
    last = (2**64 - 1) // max(1, blocks) - 1
    found = normal_rows(key, 1, width, start=last)
    assert found.shape == (1, width)
    assert np.isfinite(found).all()
    if blocks:
        with pytest.raises(ValueError, match=rf"^start={last + 1}: noise on {width} pixels .*; lower start"):
            normal_rows(key, 1, width, start=last + 1)
        with pytest.raises(ValueError, match=rf"^start={last}: noise on {width} pixels"):
            normal_rows(key, 2, width, start=last)
        with pytest.raises(ValueError, match=rf"^n={last + 2}: noise on {width} pixels .*; lower n"):
            normal_rows(key, last + 2, width)
    np.testing.assert_array_equal(
        normal_rows(key, 3, width), normal_rows(key, 3, width, start=0, scale=1.0, dtype="float32")
    )
