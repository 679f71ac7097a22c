"""Training of many seeds at once: the public function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, overload

import torch
from torch import nn

from scaledetect._base.arguments import check_device, integers, not_negative
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.progress import ProgressOption, Report, reporting
from scaledetect.images import ImageData
from scaledetect.nets import NetSpec
from scaledetect.perturbations.noise import Noise
from scaledetect.task.task import Task
from scaledetect.training.config import TrainConfig
from scaledetect.training.data import Sizes
from scaledetect.training.images import ImageTrainConfig, ImageTrainingRun, train_on_images
from scaledetect.training.loop import GroupTraining, TrainProgress
from scaledetect.training.result import TrainedMember, TrainingRun
from scaledetect.training.run_spec import Net, Plan, Tracking
from scaledetect.training.store import RunFolder

__all__ = ["train"]


@overload
def train(
    task: Task,
    net: Net,
    *,
    n_train: int,
    n_validation: int = 0,
    n_test: int = 0,
    seeds: int | Iterable[int] = 0,
    config: TrainConfig | None = None,
    output: str | Path | None = None,
    track: Iterable[int] = (),
    track_draws: int = 2000,
    noise: Noise = Noise(),
    start_from: Mapping[int, nn.Module] | None = None,
    on_epoch: Callable[[TrainProgress], object] | None = None,
    progress: ProgressOption = False,
    device: torch.device | str | None = None,
    checkpoint_every: float = 20.0,
) -> TrainingRun: ...


@overload
def train(
    task: ImageData,
    net: NetSpec | str | Callable[[int], nn.Module],
    *,
    n_train: int | None = None,
    n_test: int | None = None,
    seeds: int | Iterable[int] = 0,
    config: ImageTrainConfig | None = None,
    output: str | Path | None = None,
    on_epoch: Callable[[TrainProgress], object] | None = None,
    progress: ProgressOption = False,
    device: torch.device | str | None = None,
    checkpoint_every: float = 20.0,
) -> ImageTrainingRun: ...


def train(
    task: Task | ImageData,
    net: Net,
    *,
    n_train: int | None = None,
    n_validation: int = 0,
    n_test: int | None = None,
    seeds: int | Iterable[int] = 0,
    config: TrainConfig | ImageTrainConfig | None = None,
    output: str | Path | None = None,
    track: Iterable[int] = (),
    track_draws: int = 2000,
    noise: Noise = Noise(),
    start_from: Mapping[int, nn.Module] | None = None,
    on_epoch: Callable[[TrainProgress], object] | None = None,
    progress: ProgressOption = False,
    device: torch.device | str | None = None,
    checkpoint_every: float = 20.0,
) -> TrainingRun | ImageTrainingRun:
    """Train a net on a task, or on a data set of images, many seeds at once.

    Each seed is the root of one member, from which the seeds of its data, its first weights and the order of its
    batches derive by name. Pooling nets under plain descent are trained in one computation; others one after the other.

    Parameters
    ----------
    task : Task or ImageData
        Pairs of pixels that are drawn, or a data set that `scaledetect.images.load` reads.
    net : PoolingNet, NetSpec, str or callable
        What to train: the numbers of a pooling net (its weights are not used), a description, or a name of
        `scaledetect.nets.names()`, which is built to fit the task and the loss. Or a function of one's own from a seed
        to a `torch.nn.Module`, as ``lambda seed: MyNet()``: torch's random state is seeded before it is called. The net
        takes images (n, 1, L[, L[, L]]) and returns (n, 1), or (n, 2) for the loss "cross_entropy"; on a data set it
        takes its images and returns a number for each class.
    n_train, n_validation, n_test : int
        Rows of each split. Validation rows are disjoint from training rows, and test rows from both. Of a data set
        `n_train` images are taken at random by the seed, and the first `n_test` test images; by default all.
    seeds : int or iterable of int, default 0
        Root seeds, from 0 to 2^64 - 1.
    config : TrainConfig, or ImageTrainConfig on a data set, optional
    output : str or Path, optional
        Folder to keep the run in: its description (run.json), log (log.jsonl), checkpoint, and a file for each finished
        member, ``seed-<seed>.pt``, which `scaledetect.load_member` reads. A folder that holds the same run is gone on
        with: finished members are read, and others resume at the checkpoint, with the weights of an unbroken run.
    track : iterable of int, optional
        On tasks: epochs after which to measure the sensitivities of all members; 0 is before training.
    track_draws : int, default 2000
        Draws of each such measurement, a multiple of 100.
    noise : Noise, optional
        Of those measurements; white noise on training images is part of `ImageTrainConfig`.
    start_from : mapping of int to torch.nn.Module, optional
        On tasks: the net each seed begins with, such as ``{member.seed: member.net for member in run}`` to go on from
        another run under another configuration; it is not changed. By default weights are drawn. Epochs are counted
        from 1 again.
    on_epoch : callable, optional
        Called after each epoch with a `TrainProgress`.
    progress : bool or callable, default False
        True: a bar over epochs on standard error, for each group of seeds trained together. A function is called after
        each epoch, as in `scaledetect.sensitivities`.
    device : torch.device or str, optional
        Default: a GPU where there is one.
    checkpoint_every : float, default 20
        Seconds between checkpoints, which are written at the end of an epoch.

    Returns
    -------
    TrainingRun or ImageTrainingRun
        Its members in the order of `seeds`. A run whose loss or weights stop being finite is *diverged* and has no
        score.

    Raises
    ------
    TypeError, ValueError, KeyError
        Before training starts, naming the argument: more rows than a split holds, a filter larger than the image,
        strides that shrink a map below one pixel, an unknown net, a function whose net differs from call to call, fails
        on an image or has other outputs, a folder that cannot be written or holds another run.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5. On a CPU results repeat bit for bit:
    with the same machine, number of threads, versions and seeds. We depart from the published code, which counts a NaN
    output as a correct answer: here it is wrong.

    Examples
    --------
    >>> import scaledetect as sd
    >>> task = sd.Task(dim=1, size=32, xi=8, labelling="block")
    >>> net = sd.nets.PoolingNet(dim=1, filter_size=2, stride=2, depth=4, width=16)
    >>> run = sd.train(task, net, n_train=40, n_test=40, seeds=range(2), config=sd.TrainConfig(max_epochs=3))
    >>> [(member.seed, member.epochs) for member in run]
    [(0, 3), (1, 3)]
    """
    place, checkpoint_every = check_device(device), not_negative("checkpoint_every", checkpoint_every)
    if on_epoch is not None and not callable(on_epoch):
        raise bad_type("on_epoch", on_epoch, "must be a function of a TrainProgress")
    with reporting(progress, "epochs") as report:
        on_epoch = _also_reporting(on_epoch, report)
        if isinstance(task, ImageData):
            _refuse({"n_validation": n_validation, "track": track, "start_from": start_from})
            return train_on_images(
                task, net, n_train=n_train, n_test=n_test, seeds=seeds,
                config=ImageTrainConfig() if config is None else config, output=output, on_epoch=on_epoch, device=place,
                checkpoint_every=checkpoint_every,
            )  # fmt: skip
        if n_train is None:
            raise bad_type("n_train", n_train, "must be an integer of at least 1", "on a task say how many rows")
        plan = Plan.of(
            task,
            net,
            Sizes(n_train, n_validation, 0 if n_test is None else n_test),
            seeds,
            TrainConfig() if config is None else config,
            Tracking(integers("track", track, kind="numbers of epochs, 0 for before training"), track_draws, noise),
            start_from,
        )
        with nullcontext() if output is None else RunFolder(output, plan.describe()) as folder:
            members = _train_groups(plan, place, folder, on_epoch, checkpoint_every)
        return TrainingRun(plan.task, plan.spec, plan.sizes, plan.config, tuple(members[seed] for seed in plan.seeds))


def _train_groups(
    plan: Plan,
    device: torch.device,
    folder: RunFolder | None,
    on_epoch: Callable[[TrainProgress], object] | None,
    checkpoint_every: float,
) -> dict[int, TrainedMember]:
    members: dict[int, TrainedMember] = {}
    for group in plan.groups:
        if folder is not None and folder.load_checkpoint(group) is None and _all_there(folder, group):
            members |= {seed: folder.load_member(seed, plan.tracking.epochs, plan.spec) for seed in group}
            continue
        done = GroupTraining(plan, group, device, folder, on_epoch, checkpoint_every).run()
        members |= done
        if folder is not None:  # members that had finished before the checkpoint that was resumed
            early = [seed for seed in group if seed not in done]
            members |= {seed: folder.load_member(seed, plan.tracking.epochs, plan.spec) for seed in early}
    return members


def _also_reporting(
    on_epoch: Callable[[TrainProgress], object] | None, report: Report
) -> Callable[[TrainProgress], object]:
    def both(progress: TrainProgress) -> None:
        report(progress.epoch, progress.max_epochs)
        if on_epoch is not None:
            on_epoch(progress)

    return both


def _refuse(given: Mapping[str, Any]) -> None:
    """Raise for the first option that means nothing on images."""
    for name, value in given.items():
        if value is not None and not (isinstance(value, int | tuple) and not value):
            raise bad_value(name, value, "goes with tasks, and training is on images", "leave it out")


def _all_there(folder: RunFolder, seeds: Iterable[int]) -> bool:
    return all(folder.member_file(seed).exists() for seed in seeds)
