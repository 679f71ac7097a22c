"""Eager execution: modules run one by one, neither compiled nor fused, so that each has an output of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["eagerly", "plain_modules", "unwrapped"]


def unwrapped(net: nn.Module) -> nn.Module:
    """The net that `torch.compile` was given, if it made `net`."""
    while isinstance(inner := getattr(net, "_orig_mod", None), nn.Module):
        net = inner
    return net


def plain_modules(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """All modules under all their names, without the wrappers of `torch.compile` and without parametrisations.

    Parametrisations compute weights: what they return has no row for each image.
    """
    for name, module in net.named_modules(remove_duplicate=False):
        components = [component for component in name.split(".") if component != "_orig_mod"]
        if unwrapped(module) is module and "parametrizations" not in components:
            yield ".".join(components), module


@contextmanager
def eagerly(net: nn.Module) -> Iterator[None]:
    """Undo `torch.compile` on `net` and its submodules, and keep transformer layers from their fused path, for a while.

    In eval mode torch runs a whole transformer layer in one kernel, past the attention module and its neighbours.
    """
    undo = [_unwrap_children(net), _uncompile(net)]
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for put_back in undo:
            put_back()


def _unwrap_children(net: nn.Module) -> Callable[[], None]:
    wrapped = [
        (module, name, child)
        for module in net.modules()
        for name, child in module._modules.items()
        if child is not None and unwrapped(child) is not child and name != "_orig_mod"
    ]
    for module, name, child in wrapped:
        module._modules[name] = unwrapped(child)

    def put_back() -> None:
        for module, name, child in wrapped:
            module._modules[name] = child

    return put_back


def _uncompile(net: nn.Module) -> Callable[[], None]:
    """Undo ``module.compile()``, which compiles in place."""
    compiled = [(module, call) for module in net.modules() if (call := module._compiled_call_impl) is not None]
    for module, _ in compiled:
        module._compiled_call_impl = None

    def put_back() -> None:
        for module, call in compiled:
            module._compiled_call_impl = call

    return put_back
