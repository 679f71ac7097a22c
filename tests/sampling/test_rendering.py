"""`render_pairs`: two pixels of the right value, nothing else, and no way to write outside an image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scaledetect import Task, render_pairs, sample_pairs
from scaledetect.sampling import rendering

TASK = Task(dim=2, size=6, xi=3)


@pytest.mark.parametrize(("dim", "size"), [(1, 3), (1, 1000), (2, 3), (2, 28), (3, 3), (3, 10)])
def test_each_pixel_alone(dim: int, size: int, dtype: str) -> None:
    task = Task(dim=dim, size=size, xi=2 if dim > 1 else 1.5, periodic=False, amplitude=3.0)
    corners = np.array(np.meshgrid(*[[0, size // 2, size - 1]] * dim)).reshape(dim, -1).T
    pairs = np.stack([corners, np.roll(corners, 1, axis=0)], axis=1)
    images = render_pairs(pairs, task, dtype=dtype)
    assert images.shape == (len(pairs), 1, *(size,) * dim)
    assert images.dtype == dtype
    for image, (p, q) in zip(images[:, 0], pairs.tolist(), strict=True):
        assert sorted(map(tuple, np.argwhere(image).tolist())) == sorted([tuple(p), tuple(q)])
        assert image[tuple(p)] == image[tuple(q)] == 3


def test_pixels_that_meet_add_up(dtype: str) -> None:
    images = render_pairs(np.array([[[2, 3], [2, 3]]]), TASK, dtype=dtype)
    assert images[0, 0, 2, 3] == 2 * np.dtype(dtype).type(TASK.pixel_value)
    assert np.count_nonzero(images) == 1


def test_many_images_in_one_call(dtype: str) -> None:
    task = Task(dim=2, size=28, xi=14)
    pairs, _ = sample_pairs(task, 20_000)
    images = render_pairs(pairs, task, dtype=dtype)
    assert np.count_nonzero(images) == 40_000
    sites = np.ravel_multi_index(tuple(np.moveaxis(pairs, 2, 0)), task.shape)
    flat = images.reshape(20_000, -1)
    assert (np.take_along_axis(flat, sites, axis=1) == np.dtype(dtype).type(task.pixel_value)).all()


def test_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(dim=2, size=28, xi=14)
    pairs, _ = sample_pairs(task, 12_345)
    found = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("SCALEDETECT_NUM_THREADS", threads)
        found.append(render_pairs(pairs, task))
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_out_is_overwritten(dtype: str) -> None:
    pairs, _ = sample_pairs(TASK, 5)
    out = np.full((5, 1, 6, 6), np.nan, dtype=dtype)
    assert render_pairs(pairs, TASK, out=out) is out
    assert (out == render_pairs(pairs, TASK, dtype=dtype)).all()


def test_out_may_be_part_of_a_larger_array(dtype: str) -> None:
    pairs, _ = sample_pairs(TASK, 5)
    buffer = np.full((9, 1, 6, 6), 7, dtype=dtype)
    render_pairs(pairs, TASK, out=buffer[2:7])
    assert (buffer[:2] == 7).all()
    assert (buffer[7:] == 7).all()
    assert np.count_nonzero(buffer[2:7]) == 10


def test_pairs_of_any_memory_layout() -> None:
    pairs, _ = sample_pairs(TASK, 5)
    assert (render_pairs(np.asfortranarray(pairs), TASK) == render_pairs(pairs, TASK)).all()
    assert (render_pairs(pairs[::-1], TASK) == render_pairs(pairs, TASK)[::-1]).all()


def test_no_pairs_no_images() -> None:
    assert render_pairs(np.empty((0, 2, 2), dtype=np.int64), TASK).shape == (0, 1, 6, 6)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (np.zeros((4, 2, 1), dtype=np.int64), r"pairs='int64 array of shape \(4, 2, 1\)': must be int64, \(n, 2, 2\)"),
        (np.zeros((4, 3, 2), dtype=np.int64), r"must be int64, \(n, 2, 2\)"),
        (np.zeros((2, 2), dtype=np.int64), r"must be int64, \(n, 2, 2\)"),
        (np.zeros((4, 2, 2), dtype=np.int32), "pairs='int32 array"),
        (np.zeros((4, 2, 2)), "pairs='float64 array"),
        (np.array([[[0, 0], [0, 6]]]), "pairs='values from 0 to 6': must be from 0 to 5"),
        (np.array([[[0, -1], [0, 5]]]), "pairs='values from -1 to 5': must be from 0 to 5"),
    ],
)
def test_bad_pairs(pairs: Any, message: str) -> None:
    out = np.full((len(pairs), 1, 6, 6), 7.0)
    with pytest.raises(ValueError, match=message):
        render_pairs(pairs, TASK, out=out)
    assert (out == 7).all()


def test_bad_out() -> None:
    pairs, _ = sample_pairs(TASK, 5)
    with pytest.raises(ValueError, match=r"out=\(4, 1, 6, 6\): must have shape \(5, 1, 6, 6\)"):
        render_pairs(pairs, TASK, out=np.empty((4, 1, 6, 6)))
    with pytest.raises(TypeError, match="must be an array of float32 or float64"):
        render_pairs(pairs, TASK, out=np.empty((5, 1, 6, 6), dtype=np.int64))
    with pytest.raises(TypeError, match="dtype='int64': must be 'float32' or 'float64'"):
        render_pairs(pairs, TASK, dtype="int64")


@pytest.mark.parametrize(
    ("shape", "dtype", "offset"),
    [((10_703, 28, 28), "float32", 0), ((10_703, 28, 28), "float32", 4), ((9_901, 29, 29), "float32", 12),
     ((5_501, 29, 29), "float64", 24), ((1, 2900, 2900), "float32", 20), ((16_411, 513), "float32", 28),
     ((10_703, 28, 28), "float32", 1), ((140_000, 64), "float32", 8)],
)  # fmt: skip
def test_images_that_no_cache_holds_are_those_of_plain_numpy(shape: tuple[int, ...], dtype: str, offset: int) -> None:
    # These are filled past the caches, in aligned pieces; the array begins `offset` bytes into one.
    n, *sides = shape
    task = Task(dim=len(sides), size=sides[0], xi=10)
    raw = np.full(math.prod(shape) * np.dtype(dtype).itemsize + 64, 7, dtype=np.uint8)
    begin = -raw.ctypes.data % 32 + offset
    out = raw[begin : begin + raw.size - 64].view(dtype).reshape(n, 1, *sides)
    pairs = np.random.default_rng(0).integers(0, sides[0], size=(n, 2, len(sides)))
    pairs[::5, 1] = pairs[::5, 0]
    pairs[-1] = sides[0] - 1
    expected = np.zeros((n, *sides), dtype=dtype)
    for pixel in (0, 1):
        expected[(np.arange(n), *pairs[:, pixel].T)] += out.dtype.type(task.pixel_value)
    np.testing.assert_array_equal(render_pairs(pairs, task, out=out)[:, 0], expected)
    # Nothing is written outside.
    assert (raw[:begin] == 7).all() and (raw[begin + out.nbytes :] == 7).all()


def test_threads_share_images_from_four_megabytes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(rendering, "for_chunks", lambda work, n, *, chunk, least: asked.append((n, chunk, least)))
    for size, dtype, least in ((1024, "float32", 1025), (1024, "float64", 513), (2**21, "float32", 1)):
        task = Task(size=size, xi=4)
        out = np.empty((3, 1, size), dtype=dtype)
        rendering.render_into(np.zeros((3, 2, 1), dtype=np.int64), task.pixel_value, out)
        assert asked.pop() == (3, 3, max(least, 1))
    rendering.render_into(np.zeros((0, 2, 1), dtype=np.int64), 1.0, np.empty((0, 1, 8)))
    assert not asked


@pytest.mark.parametrize("size", [16_384, 20_000, 40_000])
def test_images_larger_than_what_is_filled_at_a_time(size: int, dtype: str) -> None:
    pairs = np.array([[[0], [size - 1]], [[5], [7]], [[size // 2], [size - 2]]])
    images = np.full((3, 1, size), np.nan, dtype=dtype)
    rendering.render_into(pairs, 2.0, images)
    expected = np.zeros((3, 1, size))
    np.put_along_axis(expected[:, 0], pairs[:, :, 0], 2.0, axis=1)
    np.testing.assert_array_equal(images, expected)
