"""Training loop: epochs, the stopping rule, checkpoints and the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from scaledetect._base.array_types import FloatArray
from scaledetect.nets import PoolingNet, calibrate_batch_norm
from scaledetect.results import Sensitivities
from scaledetect.sampling.seeds import epoch_order, epoch_seed, factor_seed
from scaledetect.sensitivity import sensitivities
from scaledetect.training.data import Rows, draw_rows
from scaledetect.training.engines import Engine, LoopEngine, StackedEngine
from scaledetect.training.result import Status, TrainedMember
from scaledetect.training.run_spec import Plan
from scaledetect.training.store import RunFolder

__all__ = ["GroupTraining", "TrainProgress"]

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, eq=False)
class TrainProgress:
    """Where training stands after an epoch; what a callback is given.

    Attributes
    ----------
    epoch, max_epochs : int
    seeds : tuple of int
        Members that are still trained, the ones that end with this epoch included.
    losses : ndarray of float64, shape (len(seeds),)
        Mean loss of the epoch; NaN for a member that diverged.
    validation_errors : ndarray of float64, shape (len(seeds),), or None
        Share of wrong validation rows, in epochs that are logged.
    seconds, seconds_left : float
        Since the start of these members, and until `max_epochs` at most.
    net : callable
        ``progress.net(seed)`` is a copy of that member's net as it is now, in eval mode.
    """

    epoch: int
    max_epochs: int
    seeds: tuple[int, ...]
    losses: FloatArray
    validation_errors: FloatArray | None
    seconds: float
    seconds_left: float
    net: Callable[[int], nn.Module] = field(repr=False)


class GroupTraining:
    """Trains members together, from their checkpoint where there is one."""

    def __init__(
        self,
        plan: Plan,
        seeds: Sequence[int],
        device: torch.device,
        folder: RunFolder | None,
        on_epoch: Callable[[TrainProgress], object] | None,
        checkpoint_every: float,
    ) -> None:
        self._plan, self._device, self._folder = plan, device, folder
        self._on_epoch, self._checkpoint_every = on_epoch, checkpoint_every
        self._done: dict[int, TrainedMember] = {}
        self._tracked: dict[int, dict[int, Sensitivities]] = {seed: {} for seed in seeds}
        self._seeds, self._epoch = tuple(seeds), 0
        self._reached: dict[int, int] = {}
        self._losses: dict[int, float] = {}
        stored = folder.load_checkpoint(seeds) if folder is not None else None
        if stored is not None:
            self._seeds, self._epoch = tuple(stored["seeds"]), stored["epoch"]
            self._reached, self._losses = stored["reached"], stored["losses"]
        self._engine = self._make_engine()
        if stored is not None:
            assert folder is not None
            try:
                self._engine.load_state(stored["engine"])
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
                folder.refuse_checkpoint("is damaged: its weights are not those of this net", error)
        if folder is not None:
            folder.rewind_log(seeds, self._epoch)
            past = [epoch for epoch in plan.tracking.epochs if self._epoch > 0 and epoch <= self._epoch]
            self._tracked = {seed: folder.load_tracked(seed, past) for seed in self._seeds}
        self._train = self._rows("train", self._seeds)
        self._validation = self._rows("validation", self._seeds)
        self._started = self._saved = time.monotonic()
        self._first_epoch = self._epoch

    def run(self) -> dict[int, TrainedMember]:
        """Train until every member is finished; those finished from here on, by seed."""
        if self._epoch == 0:
            self._track()
        while self._seeds:
            self._epoch += 1
            losses = self._run_epoch()
            validation = self._validation_errors(losses)
            self._note(losses, validation)
            self._track()
            if self._on_epoch is not None:
                self._on_epoch(self._progress(losses, validation))
            finished = self._finish(losses)
            if self._logs(bool(finished)):
                self._log(losses, validation)
            self._leave(finished)
        return self._done

    # ------------------------------------------------------------------ an epoch

    def _run_epoch(self) -> FloatArray:
        n = len(self._train)
        order = np.stack([epoch_order(seed, self._epoch, n) for seed in self._seeds])
        factor = self._plan.config.factor(self._epoch)
        return self._engine.epoch(self._train, order, epoch_seed(self._seeds[0], self._epoch) % 2**63, factor)

    def _validation_errors(self, losses: FloatArray) -> FloatArray | None:
        """In epochs that are logged, and where the target depends on them."""
        config = self._plan.config
        waiting = [
            seed not in self._reached and loss <= config.target_loss
            for seed, loss in zip(self._seeds, losses, strict=True)
        ]
        if not len(self._validation) or not (self._logs(False) or (config.zero_validation and any(waiting))):
            return None
        return self._errors(self._validation)

    def _note(self, losses: FloatArray, validation: FloatArray | None) -> None:
        for place, seed in enumerate(self._seeds):
            self._losses[seed] = float(losses[place])
            good = losses[place] <= self._plan.config.target_loss
            if good and self._plan.config.zero_validation:
                good = validation is not None and validation[place] == 0
            if good:
                self._reached.setdefault(seed, self._epoch)

    def _progress(self, losses: FloatArray, validation: FloatArray | None) -> TrainProgress:
        seconds = time.monotonic() - self._started
        pace, last = seconds / (self._epoch - self._first_epoch), self._plan.config.max_epochs
        return TrainProgress(
            self._epoch, last, self._seeds, losses, validation, seconds, pace * (last - self._epoch),
            lambda seed: self._engine.net(self._seeds.index(seed)),
        )  # fmt: skip

    # ------------------------------------------------------------------ members that are finished

    def _finish(self, losses: FloatArray) -> list[int]:
        """Places of the members that end with this epoch; they are evaluated and stored."""
        finished = []
        for place, seed in enumerate(self._seeds):
            reached = self._reached.get(seed)
            if np.isnan(losses[place]):
                status: Status = "diverged"
            elif self._epoch < self._plan.config.last_epoch(reached):
                continue
            else:
                status = "converged" if self._is_complete(reached) else "max_epochs"
            finished.append(place)
            self._done[seed] = self._member(place, seed, status)
            if self._folder is not None:
                self._folder.save_member(self._done[seed])
        return finished

    def _is_complete(self, reached: int | None) -> bool:
        return reached is not None and self._epoch >= self._plan.config.zero_multiple * reached

    def _member(self, place: int, seed: int, status: Status) -> TrainedMember:
        scores: dict[str, float | None] = dict.fromkeys(("train_loss", "train_error", "validation_error", "test_error"))
        if status != "diverged":
            scores["train_loss"] = self._losses[seed]
            own = {"train": self._train.keep([place]), "validation": self._validation.keep([place])}
            own["test"] = self._rows("test", [seed])
            for split, rows in own.items():
                if len(rows):
                    scores[f"{split}_error"] = float(self._errors(rows, place)[0])
        net = self._engine.net(place).cpu().eval()
        return TrainedMember(
            seed, status, self._epoch, self._reached.get(seed), **scores, spec=self._plan.spec, net=net,
            tracked=self._tracked[seed],
        )  # fmt: skip

    def _leave(self, finished: list[int]) -> None:
        """Drop finished members; write a checkpoint when it is time, or when members are gone."""
        if finished:
            left = [place for place in range(len(self._seeds)) if place not in finished]
            self._seeds = tuple(self._seeds[place] for place in left)
            if left:
                self._engine.keep(left)
                self._train, self._validation = self._train.keep(left), self._validation.keep(left)
        if self._folder is None:
            return
        if not self._seeds:
            self._folder.drop_checkpoint()
        elif finished or time.monotonic() - self._saved >= self._checkpoint_every:
            self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        assert self._folder is not None
        state = {
            "seeds": list(self._seeds), "epoch": self._epoch, "reached": self._reached, "losses": self._losses,
            "engine": self._engine.state(),
        }  # fmt: skip
        self._folder.save_checkpoint(state)
        self._saved = time.monotonic()

    # ------------------------------------------------------------------ tracking and log

    def _track(self) -> None:
        tracking = self._plan.tracking
        if self._epoch not in tracking.epochs:
            return
        for place, seed in enumerate(self._seeds):
            net, draws = self._engine.net(place), factor_seed(seed, "measure")
            if not self._epoch:
                calibrate_batch_norm(net, self._train.images[place])
            s = sensitivities(net, self._plan.task, tracking.n, noise=tracking.noise, seed=draws)
            self._tracked[seed][self._epoch] = s
            if self._folder is not None:
                self._folder.save_tracked(seed, self._epoch, s)

    def _logs(self, finished: bool) -> bool:
        """Every epoch at first; later every one that is a hundredth further."""
        return finished or self._epoch % max(1, self._epoch // 100) == 0

    def _log(self, losses: FloatArray, validation: FloatArray | None) -> None:
        if self._folder is None:
            return
        line: dict[str, Any] = {"epoch": self._epoch, "seeds": self._seeds, "loss": losses}
        if validation is not None:
            line["validation_error"] = validation
        line["finished"] = {str(seed): self._done[seed].status for seed in self._seeds if seed in self._done}
        self._folder.append_log({**line, "seconds": round(time.monotonic() - self._started, 3)})

    # ------------------------------------------------------------------ nets and rows

    def _make_engine(self) -> Engine:
        nets = [self._plan.initial(seed) for seed in self._seeds]
        if self._plan.stacked:
            pooling = cast(list[PoolingNet], nets)
            return StackedEngine(pooling, self._plan.task.size, self._plan.config, self._device)
        return LoopEngine(nets[0], self._plan.config, self._device)

    def _rows(self, split: Split, seeds: Sequence[int]) -> Rows:
        n = getattr(self._plan.sizes, split)
        return draw_rows(self._plan.task, n, split, seeds, dtype=self._plan.config.dtype, device=self._device)

    def _errors(self, rows: Rows, place: int | None = None) -> FloatArray:
        """Share of wrong rows; of all members, or of the one at `place` on rows of its own."""
        if place is None:
            return _wrong_share(self._engine.outputs(rows.images), rows.labels)
        net = self._engine.net(place).to(self._device).eval()
        with torch.no_grad():
            outputs = torch.cat([net(part) for part in torch.split(rows.images[0], 512)])
        return _wrong_share(outputs[None], rows.labels)


def _wrong_share(outputs: Tensor, labels: Tensor) -> FloatArray:
    """Shape (M,), from outputs (M, n, 1 or 2) and labels (M, n); a NaN decides for no class, so it is wrong."""
    decision = outputs[..., 0] if outputs.shape[-1] == 1 else outputs[..., 1] - outputs[..., 0]
    right = (decision * labels > 0).double().mean(1)
    return (1 - right).cpu().numpy()
