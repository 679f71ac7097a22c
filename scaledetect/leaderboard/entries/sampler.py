"""Rows of one run, counted as they are served."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scaledetect._base.arguments import check_seed, integer
from scaledetect._base.errors import DivergedError
from scaledetect.sampling.samplers import check_splits, sample_images
from scaledetect.sampling.seeds import attempt_seed, factor_seed
from scaledetect.sampling.splits import Split
from scaledetect.task.task import Task

if TYPE_CHECKING:
    from torch import nn

    from scaledetect.nets import NetSpec
    from scaledetect.training import TrainConfig

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
        Root of the run: the seeds of its rows, and of a net that `train_net` trains, derive from it by name.

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
        self.n_train, self.n_validation, self.n_test = check_splits(task, n_train, n_validation, n_test)
        self._task, self._root = task, check_seed(seed)
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

    def train_net(
        self, spec: NetSpec, config: TrainConfig, *, device: str | None = "cpu", attempt: int = 0
    ) -> nn.Module:
        """Train a net on the training rows by `scaledetect.train`.

        Its first weights and the order of its batches follow from the root of the run. It is trained on images scaled
        to |x|^2 = N, whatever the amplitude of the task, and the scale becomes part of it.

        Parameters
        ----------
        spec : NetSpec
        config : TrainConfig
            With ``zero_validation`` validation rows take part in the decision when to stop, and count as served.
        device : str or None, default "cpu"
            Where to train; None for a GPU where there is one. Small nets are faster on the CPU.
        attempt : int, default 0
            Another number begins at other weights, with the same rows in the same order.

        Returns
        -------
        torch.nn.Module
            Takes images of the task as they are; in eval mode, on the CPU.

        Raises
        ------
        DivergedError
            Where loss or weights stop being finite.
        """
        from scaledetect.nets.initialisation import Rescaled
        from scaledetect.training import train

        integer("attempt", attempt, 0)
        self.served["train"] = self.n_train
        n_validation = self.n_validation if config.zero_validation else 0
        self.served["validation"] = max(self.served["validation"], n_validation)
        task = replace(self._task, amplitude="norm")
        factor = task.pixel_value / self._task.pixel_value
        task = replace(task, background_noise=factor * task.background_noise)
        begin = {self._root: spec.build(attempt_seed(self._root, attempt))} if attempt else None
        run = train(
            task, spec, n_train=self.n_train, n_validation=n_validation, seeds=self._root, config=config,
            device=device, start_from=begin,
        )  # fmt: skip
        (member,) = run.members
        if member.status == "diverged":
            raise DivergedError(f"training diverged in epoch {member.epochs}")
        return Rescaled(factor, member.net)

    def _serve(self, split: Split, n: int) -> Rows:
        self.served[split] = n
        X: NDArray[Any]
        X, y = sample_images(self._task, n, seed=factor_seed(self._root, "data"), split=split)
        return X, y
