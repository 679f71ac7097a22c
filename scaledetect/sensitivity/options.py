"""Options that all estimators share, checked, and the net made ready for a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from scaledetect._base.arguments import at_least_one, check_device, check_dtype, check_seed, flag, integer
from scaledetect._base.errors import bad_type
from scaledetect.activations.capture import Capture, Function
from scaledetect.activations.eval_context import left_as_found
from scaledetect.activations.net_input import DeviceAndType, Prepare
from scaledetect.perturbations.noise import Noise
from scaledetect.sensitivity.passes import Passes

__all__ = ["MIN_BLOCKS", "MeasurementOptions"]

MIN_BLOCKS = 50


@dataclass(frozen=True)
class MeasurementOptions:
    """A net with the options that all estimators share, checked."""

    capture: Capture
    target: DeviceAndType
    noise: Noise
    prepare: Prepare | None
    channel_mean: bool
    seed: int
    batch_size: int | None
    blocks: int
    device: torch.device | None
    dtype: torch.dtype | None

    @classmethod
    def of(
        cls,
        net: nn.Module | Function,
        *,
        noise: Noise,
        layers: Iterable[str] | None,
        channel_mean: bool,
        seed: int,
        prepare: Prepare | None,
        batch_size: int | None,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        blocks: int,
    ) -> MeasurementOptions:
        """Check the options; errors name the argument."""
        if not isinstance(noise, Noise):
            raise bad_type("noise", noise, "must be a scaledetect.Noise")
        if prepare is not None and not callable(prepare):
            raise bad_type("prepare", prepare, "must map a batch of images to what the net takes")
        check_dtype(dtype)
        capture = Capture(net, layers)
        channel_mean = flag("channel_mean", channel_mean)
        blocks = integer("blocks", blocks, MIN_BLOCKS)
        batch_size = None if batch_size is None else at_least_one("batch_size", batch_size)
        device = None if device is None else check_device(device)
        target = DeviceAndType.of(capture.module, device, dtype)
        return cls(capture, target, noise, prepare, channel_mean, check_seed(seed), batch_size, blocks, device, dtype)

    @contextmanager
    def running(self) -> Iterator[Passes]:
        """The net in eval mode with its hooks; afterwards as it was found."""
        found = left_as_found(self.capture.module, seed=self.seed, device=self.device, dtype=self.dtype)
        with found, self.capture:
            yield Passes(self.capture, self.target, self.prepare, channel_mean=self.channel_mean)
