"""Numbers of a net that only pools (filters, strides, receptive fields), and its exponents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaledetect._base.arguments import integer, integers
from scaledetect._base.array_types import FloatArray
from scaledetect._base.errors import bad_value

__all__ = ["Exponents", "Pooling"]

MOST_LAYERS = 100_000
"""Largest depth."""

MOST_SITES = 2**20
"""Largest filter side and stride, sites."""


@dataclass(frozen=True)
class Pooling:
    """Filter side and stride of each layer of a net that only pools: all the exact theory needs to know of it."""

    filter_size: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("filter_size", "stride"):
            found = integers(name, getattr(self, name), 1, MOST_SITES, kind="a tuple of integers, one per layer")
            object.__setattr__(self, name, found)
        if len(self.filter_size) != len(self.stride) or not self.stride:
            raise bad_value(
                "stride", self.stride, f"needs one entry per layer, as filter_size={self.filter_size!r} has"
            )

    @classmethod
    def of(cls, filter_size: int | Sequence[int], stride: int | Sequence[int], depth: int) -> Pooling:
        """Spread single numbers over `depth` layers; sequences must have `depth` entries."""
        layers = integer("depth", depth, 1, MOST_LAYERS)
        return cls(_spread("filter_size", filter_size, layers), _spread("stride", stride, layers))

    @property
    def depth(self) -> int:
        """Number of layers K."""
        return len(self.stride)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the K post-ReLU maps: layer1 ... layerK."""
        return tuple(f"layer{k}" for k in range(1, self.depth + 1))

    @property
    def A(self) -> FloatArray:
        """Effective receptive field of each layer, in input pixels: sqrt(1 + 12 Var), shape (K,)."""
        spacing = np.cumprod((1, *self.stride[:-1]), dtype=np.float64)
        return np.sqrt(1 + np.cumsum((np.square(self.filter_size, dtype=np.float64) - 1) * spacing**2))

    def sizes(self, size: int) -> tuple[int, ...]:
        """Side of the map after each layer, for an image of side `size`."""
        sides = []
        for stride in self.stride:
            size = -(-size // stride)
            sides.append(size)
        return tuple(sides)


def _spread(name: str, value: Any, depth: int) -> tuple[int, ...]:
    kind = f"an integer of at least 1 and at most {MOST_SITES}, or one per layer"
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(plain, str) or not isinstance(plain, Sequence):
        return (integer(name, plain, 1, MOST_SITES, kind=kind),) * depth
    if len(plain) != depth:
        raise bad_value(name, value, f"needs one number, or one per layer (depth={depth})")
    return tuple(integer(name, entry, 1, MOST_SITES, kind=kind) for entry in plain)


@dataclass(frozen=True)
class Exponents:
    """How D, G and R scale with the effective receptive field A: negative falls, positive rises.

    `converges` is the sum rule "stride divides filter_size". `plateau` is the limit of D: 0 where D decays, positive
    where the rule fails, and 1 for filter_size = stride = 1, which pools nothing.
    """

    D: float
    G: float
    R: float
    converges: bool
    plateau: float
