"""A net described by its name and numbers, so that it can be built again with other weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import nn

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.nets.pooling import PoolingNet
from scaledetect.nets.registry import get, option_names

__all__ = ["NetSpec"]


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
