"""Find the convolutions of a net, read their filters, and write other ones into a copy."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.activations.eager import unwrapped

__all__ = ["Conv", "convolutions", "with_filters"]

Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d


def convolutions(net: nn.Module) -> dict[str, Conv]:
    """The convolutions of a net by name, in the order of ``net.named_modules()``.

    One that is used several times, under several names or with a weight that another one holds too, comes once, under
    its first name. Transposed convolutions are none.

    Raises
    ------
    TypeError, ValueError
        When `net` is no module or has no convolution; for one that is quantised, complex, on the meta device, or lazy
        and has not seen an image yet.
    """
    if not isinstance(net, nn.Module):
        raise bad_type("net", type(net).__name__, "must be a torch.nn.Module")
    found: dict[str, Conv] = {}
    weights: set[int] = set()
    for name, module in unwrapped(net).named_modules():
        weight = getattr(module, "weight", None)
        if callable(weight) and "Conv" in type(module).__name__:
            raise bad_type("net", name, "is a quantised convolution", "probe the net it was made from")
        if not isinstance(module, Conv) or id(weight) in weights:
            continue
        _check(name, module)
        weights.add(id(weight))
        found[name] = module
    if not found:
        raise bad_value("net", type(net).__name__, "has no torch.nn.Conv1d, Conv2d or Conv3d, nor a subclass of one")
    return found


def with_filters(net: nn.Module, draw: Callable[[Conv], Tensor]) -> nn.Module:
    """A deep copy of `net` in which the weight of each convolution is what `draw` makes of it.

    Raises
    ------
    TypeError, ValueError
        As `convolutions`; also when a weight is computed from others (weight norm, spectral norm, pruning), or `net`
        cannot be copied.
    """
    for name, conv in convolutions(net).items():
        if "weight" not in conv._parameters:
            raise bad_type(
                "net",
                name,
                "has a weight that is computed from other tensors",
                "make it a plain one with torch.nn.utils.parametrize.remove_parametrizations or its like",
            )
    try:
        twin = copy.deepcopy(unwrapped(net))
    except Exception as error:
        # Whatever a module's own __deepcopy__ raises.
        raise bad_type("net", type(net).__name__, f"cannot be copied by copy.deepcopy ({error})") from error
    with torch.no_grad():
        for conv in convolutions(twin).values():
            conv.weight.copy_(draw(conv))
    return twin


def _check(name: str, conv: Conv) -> None:
    if isinstance(conv.weight, UninitializedParameter):
        raise bad_value("net", name, "is lazy and has no weight yet", "run the net on an image first")
    if conv.weight.is_meta:
        raise bad_value("net", name, "is on the meta device: it has no values")
    if conv.weight.is_complex():
        raise bad_type("net", name, "has complex filters, which the probes are not defined for")
