"""Functional activations, such as ``F.relu(x)`` and ``x.relu_()``, seen while a net runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

__all__ = ["ACTIVATIONS", "FunctionalActivations", "is_activation_itself"]

ACTIVATIONS = frozenset(
    {
        "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_sigmoid",
        "logsigmoid", "mish", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softplus", "softshrink",
        "softsign", "tanh", "tanhshrink", "threshold",
    }
)  # fmt: skip
"""Names of the functions; with an underscore at the end they work in place, and count alike."""


class FunctionalActivations(TorchFunctionMode):
    """Calls ``receive(name, activation)`` for each functional activation, for the length of a ``with`` block.

    The activation is handed over the moment it exists, before anything can overwrite it in place. Activations inside of
    TorchScript are not seen.
    """

    def __init__(self, receive: Callable[[str, Tensor], None]) -> None:
        super().__init__()
        self._receive = receive

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        # Functions of torch.nn.functional, methods of a tensor and, in exported nets, operators as "relu.default".
        name = getattr(func, "__name__", "").split(".")[0].rstrip("_")
        if name in ACTIVATIONS and isinstance(result, Tensor) and result.is_floating_point():
            self._receive(name, result)
        return result


def is_activation_itself(module: nn.Module) -> bool:
    """Whether a module is no more than a function, as nn.ReLU is: its own output says all there is to say.

    So are modules of torch without children, nn.PReLU with its slope too, and others without children and tensors.
    """
    if next(module.children(), None) is not None:
        return False
    if type(module).__module__.startswith("torch.nn."):
        return True
    return next(module.parameters(recurse=False), None) is None and next(module.buffers(recurse=False), None) is None
