"""A net described by its name and numbers, so that it can be built again with other weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.nets.initialisation import seeded
from scaledetect.nets.pooling import PoolingNet
from scaledetect.nets.registry import get, option_names

__all__ = ["NetFactory", "NetSpec"]


@dataclass(frozen=True)
class NetSpec:
    """What `scaledetect.nets.get` builds a net from, but for the seed.

    Parameters
    ----------
    name : str
        One of `scaledetect.nets.names()`.
    options : mapping of str to plain data, optional
        What the net takes beside `seed`; lists count as tuples.

    Raises
    ------
    KeyError
        For an unknown name; the message lists the close ones.
    TypeError, ValueError
        For an option that the net does not take, for a `seed`, and for a net that draws nothing.

    Examples
    --------
    >>> import scaledetect as sd
    >>> spec = sd.nets.NetSpec("pooling", {"depth": 3, "width": 8})
    >>> spec.build(seed=1).width
    8
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = option_names(self.name)
        if not isinstance(self.options, Mapping):
            raise bad_type("options", self.options, "must map the names of options to values")
        if "seed" in self.options:
            raise bad_value("options", dict(self.options), "holds a seed", "leave it out: build(seed) takes it")
        if "seed" not in known:
            raise bad_value("name", self.name, "has no random weights, so there is nothing to train")
        for option in self.options:
            if option not in known:
                raise bad_value(
                    "options", option, f"{self.name!r} takes no such option", f"it takes {', '.join(known)}"
                )
        plain = {key: tuple(value) if isinstance(value, list) else value for key, value in self.options.items()}
        object.__setattr__(self, "options", MappingProxyType(plain))

    def __hash__(self) -> int:
        return hash((self.name, json.dumps(dict(self.options), sort_keys=True)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, dict(self.options))

    def __repr__(self) -> str:
        return f"NetSpec({self.name!r}, {dict(self.options)!r})"

    @classmethod
    def of(cls, net: PoolingNet) -> NetSpec:
        """That of a pooling net: its numbers, without its weights."""
        return cls("pooling", net.options)

    def build(self, seed: int = 0) -> nn.Module:
        """A new net whose weights `seed` decides, from 0 to 2^64 - 1."""
        return get(self.name, **self.options, seed=seed)


@dataclass(frozen=True)
class NetFactory:
    """A function of one's own that builds a net from a seed, as `scaledetect.train` takes it.

    Parameters
    ----------
    function : callable
        Maps a seed, from 0 to 2^64 - 1, to a new `torch.nn.Module`. Torch's random state is seeded with it, on the CPU,
        before each call and put back afterwards: ``lambda seed: MyNet()`` draws other weights for every seed.

    Examples
    --------
    >>> import torch
    >>> from scaledetect.nets import NetFactory
    >>> factory = NetFactory(lambda seed: torch.nn.Linear(4, 1))
    >>> bool((factory.build(1).weight == factory.build(1).weight).all())
    True
    """

    function: Callable[[int], nn.Module]

    def __post_init__(self) -> None:
        if isinstance(self.function, nn.Module):
            way_out = "give a function that builds it, as lambda seed: MyNet()"
            raise bad_type("net", type(self.function).__name__, "is one net: every seed needs a new one", way_out)
        if not callable(self.function):
            way_out = "give a PoolingNet, a NetSpec, the name of a net, or a function from a seed to a net"
            raise bad_type(
                "net", type(self.function).__name__, "is no net that can be built again from a seed", way_out
            )

    @property
    def name(self) -> str:
        """Where the function was written, as ``module:name``."""
        found = self.function if hasattr(self.function, "__qualname__") else type(self.function)
        return f"{found.__module__}:{found.__qualname__}"

    @property
    def options(self) -> Mapping[str, Any]:
        """None: the function has its own."""
        return MappingProxyType({})

    def build(self, seed: int = 0) -> nn.Module:
        """A new net whose weights `seed` decides, from 0 to 2^64 - 1."""
        with seeded(seed):
            net = self.function(seed)
        if not isinstance(net, nn.Module):
            raise bad_type("net", type(net).__name__, f"is what {self.name} returns", "return a torch.nn.Module")
        for name, parameter in net.named_parameters():
            if is_lazy(parameter):
                way_out = "run the net on one image before it is returned"
                raise bad_value(
                    "net", name, f"is a parameter without a shape yet, in what {self.name} returns", way_out
                )
        return net
