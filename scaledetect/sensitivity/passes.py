"""Forward passes over the versions of the images, summed by layer and block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.progress import Report
from scaledetect.activations.capture import TRIAL, Capture, skipped_text
from scaledetect.activations.net_input import DeviceAndType, Prepare, prepared, rows_for, shape_error
from scaledetect.results import BlockSums
from scaledetect.sensitivity.batching import Group, dealt, rounds_for
from scaledetect.sensitivity.layer_sums import LayerSums
from scaledetect.sensitivity.row_sums import row_sums_on
from scaledetect.sensitivity.task_draws import Images, Versions

__all__ = ["Measurement", "Passes"]

Adder = Callable[[LayerSums, Tensor], None]


class Passes:
    """Runs a net on images, and hands every layer's activation to that layer's sums.

    The net is ready to run and `capture` entered.
    """

    def __init__(self, capture: Capture, target: DeviceAndType, prepare: Prepare | None, *, channel_mean: bool) -> None:
        self._capture, self._target, self._prepare, self._channel_mean = capture, target, prepare, channel_mean
        self.layers: dict[str, LayerSums] = {}

    def probe(
        self, images: Images, *, blocks: int, classes: int, noise_blocks: int | None = None, noises: int = 1
    ) -> int:
        """One pass on a few images, which finds out about the layers; returns rows of a batch that fit the memory.

        Raises
        ------
        TypeError, ValueError
            When the net fails on the images, with a form that suits it; when no layer returns a floating tensor.
        """
        x = self._target(images[:TRIAL])
        sizes: dict[str, int] = {}

        def receive(name: str, activation: Tensor) -> None:
            sizes[name] = activation[0].numel() * activation.element_size()

        ready = prepared(x, self._prepare)
        try:
            self._capture.trial(ready, receive)
        except Exception as error:
            # What the net makes of the images fails inside of it; the errors of the capture name the layers.
            if _names_layers(error) or (raised := shape_error(self._capture.net, x, self._prepare, error)) is error:
                raise
            raise raised from error
        if not sizes:
            raise self._without_layers()
        self._new_sums = partial(
            LayerSums,
            blocks=blocks,
            classes=classes,
            noise_blocks=noise_blocks,
            noises=noises,
            channel_mean=self._channel_mean,
            rows=row_sums_on(self._target.device),
        )
        return rows_for(x[0].numel() * x.element_size(), list(sizes.values()), self._target.device)

    def run(self, images: Images, add: Adder) -> None:
        """A forward pass; ``add(sums, activation)`` for each layer. The first decides which there are."""
        first, waiting = not self.layers, dict(self.layers)

        def receive(name: str, activation: Tensor) -> None:
            if first:
                self.layers[name] = waiting[name] = self._new_sums()
            if name not in waiting:
                raise _unsteady(name)
            add(waiting.pop(name), activation)

        self._capture.run(prepared(self._target(images), self._prepare), receive)
        if waiting:
            raise _unsteady(next(iter(waiting)))
        if not self.layers:
            raise self._without_layers()

    def _without_layers(self) -> TypeError:
        text = skipped_text(self._capture.skipped) or "none returns a floating tensor"
        return bad_type("net", "its output and leaf modules", text, "name layers that do")


class Measurement:
    """Block sums of every layer over draws, which are dealt out to B blocks of C classes in turn.

    So the blocks are equal whatever n, a measurement can go on or be put together from parts, and the blocks of images
    that come sorted are alike.
    """

    def __init__(
        self,
        passes: Passes,
        *,
        blocks: int,
        classes: int,
        noises: int = 1,
        batch_size: int | None = None,
        report: Report | None = None,
        total: int | None = None,
    ) -> None:
        self._passes, self._blocks, self._classes, self._noises = passes, blocks, classes, noises
        self._cells, self._batch_size = blocks * classes, batch_size
        self._report, self._total = report, total
        self.n = 0

    def expect(self, total: int) -> None:
        """How many draws there will be, for whoever is told of progress."""
        self._total = total

    def probe(self, images: Images) -> int:
        """Find the layers; how many draws to give to `add` at a time."""
        fitting = self._passes.probe(images, blocks=self._blocks, classes=self._classes, noises=self._noises)
        versions = 2 + self._noises
        self._draws = size = max(1, (self._batch_size or fitting) // versions)
        bytes_per_row = versions * int(np.prod(images.shape[1:])) * images.dtype.itemsize
        return self._cells * rounds_for(bytes_per_row, self._cells, size)

    def add(self, versions: Versions) -> None:
        """The next draws, all versions of a batch in one forward pass. All but the last time whole rounds."""
        assert self.n % self._cells == 0
        done, (*three, further) = self.n, versions
        for rows, group in dealt(len(versions.clean), self._cells, self._draws):
            self._add_batch([images[rows] for images in (*three, *further)], group)
            done += len(rows)
            if self._report is not None:
                self._report(done, self._total)
        self.n += len(versions.clean)

    def _add_batch(self, versions: Sequence[Images], group: Group) -> None:
        # In one pass: no activation need be kept for another.
        images = torch.cat([torch.as_tensor(images) for images in versions])
        self._passes.run(images, lambda sums, f: sums.add(f, group))

    def sums(self, noise: int = 0) -> dict[str, BlockSums]:
        """The sums so far, layer by layer in the order of execution, with those of the form of noise of this number."""
        return {name: layer.finish(noise) for name, layer in self._passes.layers.items()}


def _names_layers(error: Exception) -> bool:
    return str(error).startswith("layers=")


def _unsteady(name: str) -> ValueError:
    return bad_value("layers", name, "runs for some batches only", "name the layers to measure, without this one")
