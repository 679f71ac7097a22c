"""Activations of all layers of a net, flat and batch by batch, for theories and probes that run it on their images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scaledetect._base.arguments import check_device, check_dtype, flag
from scaledetect._base.errors import bad_type, bad_value
from scaledetect.activations.capture import Capture, Function, skipped_text, warn_of_skipped
from scaledetect.activations.eval_context import left_as_found
from scaledetect.activations.net_input import DeviceAndType, Prepare, prepared, rows_for, shape_error

__all__ = ["ActivationReader", "Layer", "as_float64"]

Images = NDArray[np.floating[Any]] | Tensor
Receiver = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class Layer:
    """How many numbers a layer holds for an image, and the spacing at 1 of their floating type."""

    numbers: int
    eps: float


class ActivationReader:
    """A net in eval mode with its layers captured, for the length of a ``with`` block; left as it was found.

    Parameters
    ----------
    net : torch.nn.Module or callable
    layers : iterable of str, optional
        As in `scaledetect.sensitivities`, like the others.
    channel_mean : bool
        Average each layer over its channels first.
    prepare : callable, optional
    seed : int
        Of torch's random state while the net runs: one that draws numbers draws the same each time.
    device, dtype : optional

    Attributes
    ----------
    net : torch.nn.Module or callable
        What runs.
    layers : dict of str to Layer
        In the order of execution; known after `probe`.
    rows : int
        Images of a batch that fit the memory; known after `probe`.
    """

    def __init__(
        self,
        net: nn.Module | Function,
        *,
        layers: Iterable[str] | None = None,
        channel_mean: bool = False,
        prepare: Prepare | None = None,
        seed: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if prepare is not None and not callable(prepare):
            raise bad_type("prepare", prepare, "must map a batch of images to what the net takes")
        check_dtype(dtype)
        self._capture, self._prepare = Capture(net, layers), prepare
        self._channel_mean = flag("channel_mean", channel_mean)
        self._device = None if device is None else check_device(device)
        self._dtype, self._seed = dtype, seed
        self._target = DeviceAndType.of(self._capture.module, self._device, dtype)
        self._stack = ExitStack()
        self.net = self._capture.net
        self.layers: dict[str, Layer] = {}
        self.rows = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            found = left_as_found(self._capture.module, seed=self._seed, device=self._device, dtype=self._dtype)
            stack.enter_context(found)
            stack.enter_context(self._capture)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def image_dtype(self) -> Literal["float32", "float64"]:
        """In which of the two types to make images."""
        return "float64" if self._target.dtype == torch.float64 else "float32"

    def probe(self, images: Images) -> None:
        """Find the layers by a pass on a few images.

        Raises
        ------
        TypeError, ValueError
            When the net fails on the images, with a form that suits it; when no layer returns a floating tensor.
        """
        x = self._target(images)
        found: dict[str, Layer] = {}

        def receive(name: str, activation: Tensor) -> None:
            eps = torch.finfo(activation.dtype).eps
            found[name] = Layer(self._flat(activation).shape[1], eps)

        ready = prepared(x, self._prepare)
        try:
            self._capture.run(ready, receive)
        except Exception as error:
            # What the net makes of the images fails inside of it; the errors of the capture name the layers.
            if str(error).startswith("layers="):
                raise
            if (raised := shape_error(self._capture.net, x, self._prepare, error)) is error:
                raise
            raise raised from error
        if not found:
            text = skipped_text(self._capture.skipped) or "none returns a floating tensor"
            raise bad_type("net", "its output and leaf modules", text, "name layers that do")
        warn_of_skipped(self._capture.skipped, stacklevel=4)
        self.layers = found
        self.rows = rows_for(8 * x[0].numel(), [8 * layer.numbers for layer in found.values()], x.device)

    def run(self, images: Images, receive: Receiver) -> None:
        """A forward pass: ``receive(layer, f)`` for each layer, f of shape (n, numbers), which lives until it returns.

        Raises
        ------
        ValueError
            When a layer runs for some batches only.
        """
        waiting = set(self.layers)

        def hand_over(name: str, activation: Tensor) -> None:
            if name not in waiting:
                raise _unsteady(name)
            waiting.remove(name)
            receive(name, self._flat(activation))

        self._capture.run(prepared(self._target(images), self._prepare), hand_over)
        if waiting:
            raise _unsteady(min(waiting))

    def _flat(self, activation: Tensor) -> Tensor:
        if self._channel_mean and activation.ndim > 1:
            activation = activation.mean(dim=1)
        if activation.dtype not in (torch.float32, torch.float64):
            activation = activation.float()
        return activation.reshape(len(activation), -1)


def as_float64(f: Tensor) -> NDArray[np.float64]:
    """The numbers of a tensor as an array of its own."""
    return np.array(f.cpu().numpy(), dtype=np.float64)


def _unsteady(name: str) -> ValueError:
    return bad_value("layers", name, "runs for some batches only", "name the layers to measure, without this one")
