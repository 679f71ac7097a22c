"""Samples of a task: pairs of active pixels with their labels, images, and their digest."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import MAX_SAMPLE, at_least_one, check_number, check_seed, empty, flag
from scaledetect._base.errors import InvalidValueError, bad_value
from scaledetect._kernels.driver import for_chunks
from scaledetect.sampling.gaussian_noise import background
from scaledetect.sampling.pair_stream import PairStream
from scaledetect.sampling.rendering import check_out, float_dtype, render_into
from scaledetect.sampling.splits import CLASSES, Split, class_counts, class_window, longest_run
from scaledetect.task.task import Task, check_task

__all__ = [
    "check_request",
    "check_splits",
    "data_digest",
    "first_of_each_class",
    "pairs_at",
    "sample_images",
    "sample_pairs",
]


def sample_pairs(
    task: Task, n: int, *, seed: int = 0, split: Split | None = None, replace: bool = False, start: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Draw pairs of active pixels and their labels.

    Parameters
    ----------
    task : Task
    n : int
        Number of samples.
    seed : int, default 0
        From 0 to 2^64 - 1; other seeds give other orders of the same population.
    split : {"train", "validation", "test"}, optional
        Half of each class for training, read from its beginning by ``"train"`` and from its end by ``"validation"``,
        and the other half for ``"test"``. None: the whole population.
    replace : bool, default False
        Draw with replacement, as many as wanted. Without it no pair appears twice.
    start : int, default 0
        Number of the first sample: ``start=100, n=50`` gives rows 100..149 of a larger sample.

    Returns
    -------
    pairs : ndarray of int64, shape (n, 2, dim)
        Coordinates 0..L-1, pixels; of each pair the pixel first in row-major order comes first.
    y : ndarray of int8, shape (n,)
        +1 near, -1 far.

    Raises
    ------
    TypeError, ValueError
        For an `n`, `start` or `seed` that is not a non-negative integer, an unknown split, or, without replacement,
        more samples than there are: the message says how many.

    Notes
    -----
    The same (task, seed, split, replace, number of the sample) gives the same pair on every platform; the first samples
    of a larger request are the smaller one. On a small population a train and a test set drawn without replacement
    exclude each other's pairs, and a learner that knows nothing scores worse than chance.

    Examples
    --------
    >>> import scaledetect as sd
    >>> pairs, y = sd.sample_pairs(sd.Task(dim=1, size=64, xi=16), 4, seed=0)
    >>> pairs.shape, y.tolist()
    ((4, 2, 1), [1, -1, 1, -1])
    """
    n, start = check_request(task, n, start, split, replace)
    seed = check_seed(seed)
    pairs = empty("n", n, (n, 2, task.dim), np.int64)
    y = empty("n", n, (n,), np.int8)
    if n:
        draw = PairStream(task, seed, split, replace)
        for_chunks(lambda a, b: draw(start + a, pairs[a:b], y[a:b]), n)
    return pairs, y


def sample_images(
    task: Task,
    n: int,
    *,
    seed: int = 0,
    split: Split | None = None,
    replace: bool = False,
    start: int = 0,
    dtype: Any = "float32",
    out: NDArray[Any] | None = None,
) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Draw images and their labels: `sample_pairs`, rendered, with the task's background noise added.

    Parameters
    ----------
    task, n, seed, split, replace, start
        As in `sample_pairs`.
    dtype : {"float32", "float64"}, default "float32"
        Of the images; ignored when `out` is given.
    out : ndarray, shape (n, 1) + task.shape, optional
        C-contiguous float32 or float64 array to write into.

    Returns
    -------
    X : ndarray of `dtype`, shape (n, 1, L), (n, 1, L, L) or (n, 1, L, L, L)
        `task.pixel_value` at the active pixels, 0 elsewhere; `out` itself if given.
    y : ndarray of int8, shape (n,)
        +1 near, -1 far.

    Raises
    ------
    TypeError, ValueError
        As `sample_pairs`, and for an `out` of the wrong shape, dtype or memory layout.

    Examples
    --------
    >>> import scaledetect as sd
    >>> X, y = sd.sample_images(sd.Task(dim=2, size=28, xi=14, gap=2), 8)
    >>> X.shape, float((X[0] ** 2).sum())
    ((8, 1, 28, 28), 784.0)
    """
    n, start = check_request(task, n, start, split, replace)
    seed = check_seed(seed)
    if out is None:
        out = empty("n", n, (n, 1, *task.shape), float_dtype(dtype))
    else:
        check_out(out, (n, 1, *task.shape))
    pairs, y = sample_pairs(task, n, seed=seed, split=split, replace=replace, start=start)
    render_into(pairs, task.pixel_value, out)
    noise = background(task, n, seed=seed, split=split, replace=replace, start=start, dtype=out.dtype)
    if noise is not None:
        out += noise
    return out, y


def first_of_each_class(task: Task, n: int, *, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first near and the first far pairs of the stream, each of shape (n, 2, dim): examples to show.

    A class of fewer pairs gives all it has.
    """
    n = at_least_one("n", n)
    check_task(task)
    pairs, y = sample_pairs(task, min(_prefix_with(task, n), longest_run(task, None)), seed=seed)
    return pairs[y == 1][:n], pairs[y == -1][:n]


def _prefix_with(task: Task, n: int) -> int:
    """Length of a prefix of the stream with `n` images of each class."""
    if task.balance == "equal":
        return 2 * n
    rarer, everything = min(task.n_near, task.n_far), task.n_near + task.n_far
    return min(everything, -(-n * everything // rarer) + 1)


def pairs_at(
    task: Task, numbers: NDArray[np.int64], *, seed: int = 0, split: Split | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """`sample_pairs` for samples of any numbers, in any order, without replacement; the numbers are not checked."""
    pairs = np.empty((len(numbers), 2, task.dim), dtype=np.int64)
    y = np.empty(len(numbers), dtype=np.int8)
    PairStream(task, seed, split, False).at(numbers, pairs, y)
    return pairs, y


def data_digest(task: Task, n: int = 1000, *, seed: int = 0) -> str:
    """SHA-256 (hex) of the first `n` samples, or of all when there are fewer; see `Task.digest`."""
    pairs, y = sample_pairs(task, min(check_number("n", n), longest_run(task, None)), seed=seed)
    return hashlib.sha256(pairs.astype("<i8").tobytes() + y.astype("i1").tobytes()).hexdigest()


def check_request(
    task: Task, n: Any, start: Any, split: Split | None, replace: bool, name: str = "n"
) -> tuple[int, int]:
    """`n` and `start` as Python integers; raise, calling n by `name`, unless the split holds that many samples."""
    check_task(task)
    n, start = check_number(name, n), check_number("start", start)
    flag("replace", replace)
    for class_name in CLASSES:
        size = task.n_near if class_name == "near" else task.n_far
        if class_window(size, split).length == 0:
            raise bad_value("split", split, f"holds no sample of class {class_name!r} of this task", "take split=None")
    asked = f"{name}={n}" if start == 0 else f"start={start} and {name}={n}"
    if start + n > MAX_SAMPLE + 1:
        raise InvalidValueError(f"{asked}: the last sample of any task is number 2^64 - 2; ask for fewer")
    available = longest_run(task, split)
    if start + n > available and not replace:
        where = f"the {split} split" if split else "the population"
        # Callers that give n another name take no `replace`.
        way_out = "ask for fewer, or draw with replace=True" if name == "n" else "ask for fewer"
        raise InvalidValueError(
            f"{asked}: {where} of this task holds {available} samples with balance={task.balance!r} "
            f"(n_near={task.n_near}, n_far={task.n_far}); {way_out}"
        )
    return n, start


def check_splits(task: Task, n_train: Any, n_validation: Any, n_test: Any) -> tuple[int, int, int]:
    """The three numbers as Python integers; raise, naming them, unless the splits hold so many disjoint rows.

    Training and validation rows are read from opposite ends of one half of each class, and must not meet.
    """
    check_task(task)
    train, _ = check_request(task, n_train, 0, "train", False, "n_train")
    validation, _ = check_request(task, n_validation, 0, "validation", False, "n_validation")
    test, _ = check_request(task, n_test, 0, "test", False, "n_test")
    used = zip(CLASSES, class_counts(task, train), class_counts(task, validation), strict=True)
    for (name, first, second), size in zip(used, (task.n_near, task.n_far), strict=True):
        half = class_window(size, "train").length
        if first + second > half:
            text = f"with n_train={train} takes {first + second} of the {half} images of class {name!r} they share"
            raise bad_value("n_validation", validation, text, "lower one of them")
    return train, validation, test
