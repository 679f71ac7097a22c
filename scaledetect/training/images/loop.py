"""Training loop on images, of one net: epochs, checkpoints, the log, and the net that is kept."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scaledetect.images import ImageData
from scaledetect.nets import NetFactory, NetSpec
from scaledetect.sampling.seeds import epoch_order, epoch_seed, factor_seed
from scaledetect.training.engines import make_optimizer
from scaledetect.training.images.augmentation import ShownImages, with_noise
from scaledetect.training.images.config import ImageTrainConfig
from scaledetect.training.images.result import training_places
from scaledetect.training.loop import TrainProgress
from scaledetect.training.result import Status, TrainedMember
from scaledetect.training.store import RunFolder

__all__ = ["ImageTraining"]

NOISE_OF_THE_LAST_LOOK = 0
"""Epoch whose noise the training images have when their error is taken: one that no step has seen."""


class ImageTraining:
    """Trains the net of one seed, from its checkpoint where there is one."""

    def __init__(
        self,
        data: ImageData,
        spec: NetSpec | NetFactory,
        seed: int,
        n_train: int,
        n_test: int,
        config: ImageTrainConfig,
        device: torch.device,
        folder: RunFolder | None,
        on_epoch: Callable[[TrainProgress], object] | None,
        checkpoint_every: float,
    ) -> None:
        self._spec, self._seed, self._config, self._device = spec, seed, config, device
        self._folder, self._on_epoch, self._checkpoint_every = folder, on_epoch, checkpoint_every
        places = training_places(seed, n_train, data)
        draws = factor_seed(seed, "order")
        self._shown = ShownImages(data.train_images[places], data.black, config, draws, device)
        self._labels = torch.from_numpy(data.train_labels[places]).to(device)
        test = with_noise(data.test_images[:n_test], config.noise_norm, factor_seed(seed, "measure"), "test-noise")
        self._test = torch.from_numpy(np.ascontiguousarray(test)).to(device)
        self._test_labels = torch.from_numpy(data.test_labels[:n_test]).to(device)
        net = spec.build(factor_seed(seed, "init")).to(device)
        self._net = _channels_last(net)
        self._optimizer = make_optimizer(
            self._net, config.optimizer, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
        self._epoch, self._loss = 0, float("nan")
        self._best: dict[str, Any] | None = None
        self._resume()
        self._started = self._saved = time.monotonic()
        self._first_epoch = self._epoch

    def run(self) -> TrainedMember:
        """Train to the end, or until loss or weights are not finite."""
        while True:
            self._epoch += 1
            self._loss = self._run_epoch()
            diverged = not np.isfinite(self._loss)
            error = None if diverged or self._config.keep == "last" else self._test_error(self._net)
            if error is not None and (self._best is None or error < self._best["error"]):
                state = copy.deepcopy(self._net.state_dict())
                self._best = {"error": error, "epoch": self._epoch, "net": state}
            if self._on_epoch is not None:
                self._on_epoch(self._progress(error))
            finished = diverged or self._epoch >= self._config.epochs
            member = self._member(diverged) if finished else None
            self._log(error, member)
            if member is not None:
                self._store(member)
                return member
            if self._folder is not None and time.monotonic() - self._saved >= self._checkpoint_every:
                self._save_checkpoint(self._folder)

    # ------------------------------------------------------------------ an epoch

    def _run_epoch(self) -> float:
        """Mean loss of the epoch, each batch taken before its step; NaN when the net is not finite after it."""
        config, factor = self._config, self._config.factor(self._epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = config.lr * factor
        order = epoch_order(self._seed, self._epoch, len(self._shown))
        seed = epoch_seed(self._seed, self._epoch)
        total = torch.zeros((), device=self._device)
        self._net.train()
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            # Dropout draws from torch's own generator: seeded epoch by epoch, it needs no place in a checkpoint.
            torch.manual_seed(seed % 2**63)
            for places, images in self._shown.batches(order, seed):
                with torch.autocast(self._device.type, torch.bfloat16, enabled=config.bfloat16):
                    loss = functional.cross_entropy(self._net(images), self._labels[places])
                self._optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self._optimizer.step()
                total += loss.detach() * len(places)
        finite = all(bool(tensor.isfinite().all()) for tensor in self._net.state_dict().values())
        return float(total) / len(order) if finite else float("nan")

    def _test_error(self, net: nn.Module) -> float:
        return _wrong_share(net, torch.split(self._test, 512), self._test_labels)

    def _progress(self, error: float | None) -> TrainProgress:
        seconds = time.monotonic() - self._started
        pace, last = seconds / (self._epoch - self._first_epoch), self._config.epochs
        errors = None if error is None else np.array([error])
        return TrainProgress(
            self._epoch, last, (self._seed,), np.array([self._loss]), errors, seconds, pace * (last - self._epoch),
            lambda _: _contiguous(self._net),
        )  # fmt: skip

    # ------------------------------------------------------------------ the end

    def _member(self, diverged: bool) -> TrainedMember:
        status: Status = "diverged" if diverged else "max_epochs"
        kept = None if diverged else self._epoch
        if not diverged and self._best is not None:
            self._net.load_state_dict(self._best["net"])
            kept = self._best["epoch"]
        loss = train_error = test_error = None
        if not diverged:
            seed = epoch_seed(self._seed, NOISE_OF_THE_LAST_LOOK)
            loss, train_error = self._loss, _wrong_share(self._net, self._shown.plain(seed), self._labels)
            test_error = self._test_error(self._net)
        return TrainedMember(
            self._seed, status, self._epoch, kept, loss, train_error, None, test_error, spec=self._spec,
            net=_contiguous(self._net),
        )  # fmt: skip

    def _store(self, member: TrainedMember) -> None:
        if self._folder is not None:
            self._folder.save_member(member)
            self._folder.drop_checkpoint()

    def _log(self, error: float | None, member: TrainedMember | None) -> None:
        if self._folder is None:
            return
        line: dict[str, Any] = {"epoch": self._epoch, "seeds": [self._seed], "loss": [self._loss]}
        if error is not None:
            line["test_error"] = [error]
        line["finished"] = {} if member is None else {str(self._seed): member.status}
        self._folder.append_log({**line, "seconds": round(time.monotonic() - self._started, 3)})

    # ------------------------------------------------------------------ checkpoints

    def _save_checkpoint(self, folder: RunFolder) -> None:
        engine = {"net": self._net.state_dict(), "optimizer": self._optimizer.state_dict(), "best": self._best}
        folder.save_checkpoint(
            {"seeds": [self._seed], "epoch": self._epoch, "reached": {}, "losses": {self._seed: self._loss}}
            | {"engine": engine}
        )
        self._saved = time.monotonic()

    def _resume(self) -> None:
        if self._folder is None:
            return
        stored = self._folder.load_checkpoint([self._seed])
        if stored is not None:
            try:
                engine = stored["engine"]
                self._net.load_state_dict(engine["net"])
                self._optimizer.load_state_dict(engine["optimizer"])
                self._best = engine["best"]
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
                self._folder.refuse_checkpoint("is damaged: its weights are not those of this net", error)
            self._epoch, self._loss = stored["epoch"], stored["losses"][self._seed]
        self._folder.rewind_log([self._seed], self._epoch)


def _wrong_share(net: nn.Module, batches: Iterable[Tensor], labels: Tensor) -> float:
    """Share of wrong images in eval mode; an output that is not finite decides for no class, so it is wrong."""
    net.eval()
    right, start = 0, 0
    with torch.no_grad():
        for images in batches:
            outputs = net(images)
            decided = outputs.argmax(dim=1) == labels[start : start + len(images)]
            right += int((decided & outputs.isfinite().all(dim=1)).sum())
            start += len(images)
    return 1 - right / len(labels)


def _channels_last(net: nn.Module) -> nn.Module:
    """The same net, its filters in the order of memory in which convolutions are fastest."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _contiguous(net: nn.Module) -> nn.Module:
    """A copy on the CPU, in eval mode, in torch's usual order of memory."""
    found = copy.deepcopy(net).cpu().eval()
    return found.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]
