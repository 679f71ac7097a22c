"""Rows of one run, counted as they are served."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scaledetect.errors import bad_value
from scaledetect.sampling import check_request, sample_images
from scaledetect.stream import Split, check_number, check_seed, class_counts, class_window
from scaledetect.task import Task

__all__ = ["Sampler"]

Rows = tuple[NDArray[np.float32], NDArray[np.int8]]


class Sampler:
    """Serves the rows of one run to an entry, and notes how many of each split it has asked for.

    An entry gets a sampler in place of the task, so that it learns from the budget it is given and nothing else. That
    is a guard against accidents: a sampler does not keep code from drawing rows behind its back.

    Parameters
    ----------
    task : Task
    n_train, n_validation, n_test : int
        Rows of each split. Training and validation rows must together fit the half of each class they share.
    seed : int
        Seed of the rows.

    Attributes
    ----------
    shape : tuple of int
        Shape of an image with its channel: (1, L), (1, L, L) or (1, L, L, L).
    n_train, n_validation, n_test : int
    served : dict of str to int
        Rows of each split that have been asked for; rows asked for again do not count again.

    Raises
    ------
    TypeError, ValueError
        For counts that are no such number, or more rows than there are.

    Examples
    --------
    >>> import scaledetect as sd
    >>> sampler = Sampler(sd.Task(dim=1, size=64, xi=16), n_train=8, n_validation=4, n_test=4, seed=0)
    >>> X, y = sampler.train()
    >>> X.shape, y.tolist(), sampler.served
    ((8, 1, 64), [1, -1, 1, -1, 1, -1, 1, -1], {'train': 8, 'validation': 0, 'test': 0})
    """

    def __init__(self, task: Task, *, n_train: int, n_validation: int, n_test: int, seed: int) -> None:
        self.n_train = check_number("n_train", n_train)
        self.n_validation = check_number("n_validation", n_validation)
        self.n_test = check_number("n_test", n_test)
        check_request(task, self.n_train, 0, "train", False, "n_train")
        check_request(task, self.n_test, 0, "test", False, "n_test")
        _check_disjoint(task, self.n_train, self.n_validation)
        self._task, self._seed = task, check_seed(seed)
        self.shape = (1, *task.shape)
        self.served = {"train": 0, "validation": 0, "test": 0}

    def train(self) -> Rows:
        """Training images, float32 of shape ``(n_train, *shape)``, and their labels, int8; the arrays are new."""
        return self._serve("train", self.n_train)

    def validation(self) -> Rows:
        """Validation images and labels, in the form of `train`: for choices such as when to stop, not to fit on."""
        return self._serve("validation", self.n_validation)

    def test(self) -> NDArray[np.float32]:
        """Test images, without labels. For the driver: a fit that has asked for them gets no score."""
        return self._serve("test", self.n_test)[0]

    def _serve(self, split: Split, n: int) -> Rows:
        self.served[split] = n
        X: NDArray[Any]
        X, y = sample_images(self._task, n, seed=self._seed, split=split)
        return X, y


def _check_disjoint(task: Task, n_train: int, n_validation: int) -> None:
    """Training and validation rows are read from opposite ends of one half of each class, and must not meet."""
    used = zip(class_counts(task, n_train), class_counts(task, n_validation), (task.n_near, task.n_far), strict=True)
    for train, validation, size in used:
        half = class_window(size, "train").length
        if train + validation > half:
            allowed = f"with n_train={n_train} takes {train + validation} of the {half} images of a class they share"
            raise bad_value("n_validation", n_validation, allowed, "ask for fewer")
