"""Nets by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from scaledetect._base.arguments import text
from scaledetect._base.errors import bad_type, unknown_name
from scaledetect.nets.constant_filter import ConstantFilterNet
from scaledetect.nets.global_average import GlobalAverageNet
from scaledetect.nets.images import (
    RESNET_CONFIGURATIONS,
    VGG,
    VGG_CONFIGURATIONS,
    AlexNet,
    EfficientNetB0,
    FullyConnected,
    LeNet,
    ResNet,
)
from scaledetect.nets.perceptron import MultiLayerPerceptron
from scaledetect.nets.pooling import PoolingNet
from scaledetect.nets.transformer import Transformer

__all__ = ["description", "get", "names", "option_names"]

_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "alexnet": AlexNet,
    "constant_filter": ConstantFilterNet,
    "efficientnet_b0": EfficientNetB0,
    "global_average": GlobalAverageNet,
    "lenet": LeNet,
    "mlp": MultiLayerPerceptron,
    "pooling": PoolingNet,
    "transformer": Transformer,
    **{f"fc{depth}": partial(FullyConnected, depth) for depth in (2, 4, 6)},
    **{name: partial(ResNet, name) for name in RESNET_CONFIGURATIONS},
    **{name: partial(VGG, name, batch_norm=False) for name in VGG_CONFIGURATIONS},
    **{f"{name}_bn": partial(VGG, name, batch_norm=True) for name in VGG_CONFIGURATIONS},
}


def get(name: str, /, **options: Any) -> nn.Module:
    """Build a net by its name.

    Parameters
    ----------
    name : str
        One of `names()`.
    **options
        What the net takes; for image nets `in_channels`, `n_classes` and `seed`.

    Returns
    -------
    torch.nn.Module
        In train mode, on the CPU.

    Raises
    ------
    KeyError
        For an unknown name; the message lists the close ones.
    TypeError
        For an option that the net does not take; the message lists those it does.

    Examples
    --------
    >>> import scaledetect as sd
    >>> net = sd.nets.get("vgg11_bn", in_channels=1, n_classes=10)
    >>> type(net).__name__, net.sensitivity_layers[-2:]
    ('VGG', ('layer8', 'output'))
    """
    known = option_names(name)
    for option, value in options.items():
        if option not in known:
            raise bad_type(option, value, f"{name!r} takes no such option", f"it takes {', '.join(known) or 'none'}")
    return _BUILDERS[name](**options)


def option_names(name: str) -> list[str]:
    """Names of the options that the net of this name takes; a `KeyError` lists the names close to an unknown one."""
    if text("name", name, kind="the name of a net") not in _BUILDERS:
        raise unknown_name("net", name, _BUILDERS)
    builder = _BUILDERS[name]
    return [option for option in inspect.signature(builder).parameters if option not in _fixed(builder)]


def description(name: str) -> str:
    """The first line of what the net of this name says of itself."""
    builder = _BUILDERS[name]
    kind = builder.func if isinstance(builder, partial) else builder
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def names() -> list[str]:
    """Names of the nets that `get` builds, sorted.

    Examples
    --------
    >>> import scaledetect as sd
    >>> [name for name in sd.nets.names() if name.startswith("resnet")]
    ['resnet18', 'resnet34', 'resnet50']
    """
    return sorted(_BUILDERS)


def _fixed(builder: Callable[..., nn.Module]) -> set[str]:
    """Options that the name itself decides."""
    if not isinstance(builder, partial):
        return set()
    fixed = set(builder.keywords)
    # A ResNet's name decides the kind of its blocks too, and refuses another.
    return fixed | {"bottleneck"} if builder.func is ResNet else fixed
