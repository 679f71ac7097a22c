"""Context manager: evaluation mode without gradients; restores modes, parameters, buffers and random state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

import torch
from torch import nn

from scaledetect.activations.eager import eagerly, unwrapped

__all__ = ["left_as_found"]


@contextmanager
def left_as_found(
    net: nn.Module, *, seed: int = 0, device: torch.device | None = None, dtype: torch.dtype | None = None
) -> Iterator[None]:
    """Put `net` in eval mode, without gradients, on `device` and in `dtype` if asked; undo all of it, also on errors.

    Modes are noted submodule by submodule. Parameters and buffers get back the very tensors they had, so nothing is
    lost where `dtype` is coarser than the net's own; buffers that a forward pass changed get back their values. The
    random state of torch is put back too, and seeded in between: a net that draws numbers draws the same each time.
    Compiled nets run eagerly, see `eagerly`.
    """
    net = unwrapped(net)
    modes = [(module, module.training) for module in net.modules()]
    moved = device is not None or dtype is not None
    undo = [_note_parameters(net), _note_buffers(net)] if moved else [_note_buffers(net)]
    cuda = _cuda_devices(net, device)
    with eagerly(net), torch.random.fork_rng(devices=cuda), torch.no_grad():
        _seed(seed, cuda)
        try:
            if moved:
                net.to(device=device, dtype=dtype)
            for module, _ in modes:
                # The attribute and not .eval(), which a net may override with lasting effects.
                module.training = False
            yield
        finally:
            for put_back in undo:
                put_back()
            for module, mode in modes:
                module.training = mode


def _note_parameters(net: nn.Module) -> Callable[[], None]:
    noted = [
        (module, name, parameter, parameter.data)
        for module in net.modules()
        for name, parameter in module._parameters.items()
        if parameter is not None
    ]
    gradients = [(p, grad, grad.data) for p in net.parameters() if (grad := p.grad) is not None]

    def put_back() -> None:
        for module, name, parameter, data in noted:
            module._parameters[name] = parameter
            parameter.data = data
        for parameter, grad, grad_data in gradients:
            grad.data = grad_data
            parameter.grad = grad

    return put_back


def _note_buffers(net: nn.Module) -> Callable[[], None]:
    noted = [
        (module, name, buffer, None if buffer is None else buffer.clone())
        for module in net.modules()
        for name, buffer in module._buffers.items()
    ]

    def put_back() -> None:
        for module, name, buffer, value in noted:
            module._buffers[name] = buffer
            # An untouched buffer is not written to, which would invalidate a graph that holds it.
            if buffer is not None and value is not None and not torch.equal(buffer, value):
                buffer.copy_(value)

    return put_back


def _cuda_devices(net: nn.Module, device: torch.device | None) -> list[int]:
    devices = {tensor.device for tensor in chain(net.parameters(), net.buffers())}
    if device is not None:
        devices.add(device)
    cuda = [item for item in devices if item.type == "cuda"]
    # A device named without its number has none, whatever its type says.
    return sorted({torch.cuda.current_device() if item.index is None else item.index for item in cuda})  # type: ignore[redundant-expr]


def _seed(seed: int, cuda: list[int]) -> None:
    # torch.manual_seed would also reach the devices that are not put back.
    torch.default_generator.manual_seed(seed % 2**63)
    for index in cuda:
        torch.cuda.default_generators[index].manual_seed(seed % 2**63)
