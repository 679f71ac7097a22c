"""Result of a training run: its members, their curves and nets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from scaledetect._base.errors import bad_value
from scaledetect._base.tables import html_table
from scaledetect.nets import NetFactory, NetSpec, calibrate_batch_norm
from scaledetect.results import Sensitivities
from scaledetect.sampling.seeds import factor_seed
from scaledetect.task.task import Task
from scaledetect.training.config import TrainConfig
from scaledetect.training.data import Sizes, draw_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Status", "TrainedMember", "TrainingRun", "members_frame", "members_html"]

Status = Literal["converged", "max_epochs", "diverged"]

SCORES = ("train_loss", "train_error", "validation_error", "test_error")


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """One trained net of a run.

    Attributes
    ----------
    seed : int
        Root seed; those of data, first weights and order derive from it by name (`factor_seed`).
    status : {"converged", "max_epochs", "diverged"}
        Whether it reached its target, ran out of epochs, or its loss or weights stopped being finite.
    epochs : int
        Epochs it was trained for.
    reached : int or None
        First epoch, counted from 1, that reached the target: with the defaults, zero hinge loss. On images the epoch
        whose net was kept.
    train_loss, train_error : float or None
        Mean loss in the last epoch, before each step; share of wrong training rows at the end.
    validation_error, test_error : float or None
        Share of wrong rows; an output that is NaN, or 0, is wrong. None without rows, and for a diverged member.
    spec : NetSpec or NetFactory
    net : torch.nn.Module
        The trained net, in eval mode, on the CPU.
    tracked : mapping of int to Sensitivities
        By epoch, where asked for; 0 is before training.
    """

    seed: int
    status: Status
    epochs: int
    reached: int | None
    train_loss: float | None
    train_error: float | None
    validation_error: float | None
    test_error: float | None
    spec: NetSpec | NetFactory
    net: nn.Module = field(repr=False)
    tracked: Mapping[int, Sensitivities] = field(default_factory=dict, repr=False)

    def initial_net(self) -> nn.Module:
        """The net with its first weights, in eval mode; what training began from, unless that was a given net.

        A batch norm has the statistics it was born with; `TrainingRun.initial_net` has them calibrated.
        """
        net = self.spec.build(factor_seed(self.seed, "init"))
        dtype = next(self.net.parameters()).dtype
        return net.to(dtype).eval()


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """All members of a run.

    Attributes
    ----------
    task : Task
    spec : NetSpec or NetFactory
    sizes : Sizes
        Rows for training, validation and test.
    config : TrainConfig
    members : tuple of TrainedMember
        In the order of the seeds asked for.
    """

    task: Task
    spec: NetSpec | NetFactory
    sizes: Sizes
    config: TrainConfig
    members: tuple[TrainedMember, ...]

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        sizes = f"n_train={self.sizes.train}, n_validation={self.sizes.validation}, n_test={self.sizes.test}"
        return f"<TrainingRun of {self.spec.name}, {len(self)} seeds, {sizes}>"

    def _repr_html_(self) -> str:
        title = f"{self.spec.name} trained on {self.sizes.train} images, {len(self)} seeds"
        return members_html(title, self.members)

    def __iter__(self) -> Iterator[TrainedMember]:
        return iter(self.members)

    def member(self, seed: int) -> TrainedMember:
        """The member of a root seed."""
        for member in self.members:
            if member.seed == seed:
                return member
        raise bad_value("seed", seed, f"this run has the seeds {[member.seed for member in self.members]}")

    def initial_net(self, seed: int) -> nn.Module:
        """The net of a root seed before training, in eval mode and ready to be measured.

        Its batch norms, if any, have their statistics calibrated on its training rows, by `nets.calibrate_batch_norm`.
        """
        net = self.member(seed).initial_net()
        rows = draw_rows(
            self.task, self.sizes.train, "train", [seed], dtype=self.config.dtype, device=torch.device("cpu")
        )
        return calibrate_batch_norm(net, rows.images[0])

    def to_frame(self) -> pd.DataFrame:
        """One row a member: seed, status, epochs, reached and the four scores."""
        return members_frame(self.members)


def members_frame(members: tuple[TrainedMember, ...]) -> pd.DataFrame:
    """One row a member: seed, status, epochs, reached and the four scores."""
    import pandas as pd

    names = ("seed", "status", "epochs", "reached", *SCORES)
    rows: list[dict[str, Any]] = [{name: getattr(member, name) for name in names} for member in members]
    return pd.DataFrame(rows, columns=list(names))


def members_html(title: str, members: Sequence[TrainedMember]) -> str:
    """One row a member, as a notebook shows it."""
    rows = []
    for member in members:
        scores = (getattr(member, name) for name in SCORES)
        reached = "" if member.reached is None else str(member.reached)
        texts = ("" if score is None else f"{score:.4g}" for score in scores)
        rows.append((str(member.seed), member.status, str(member.epochs), reached, *texts))
    return html_table(title, ("seed", "status", "epochs", "reached", *SCORES), rows, left=2)
