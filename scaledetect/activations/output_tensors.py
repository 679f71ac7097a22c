"""Named tensors of a module's output, whatever containers it returns them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

__all__ = ["describe", "floating_parts"]


def floating_parts(output: Any) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """The floating tensors in nested tuples, lists, mappings and dataclasses, each with its path from outside in.

    Named tuples and dataclasses go by their fields, other sequences by position. A bare tensor has an empty path.
    """
    if isinstance(output, Tensor):
        if output.is_floating_point():
            yield (), output
        return
    for key, value in _entries(output):
        for path, tensor in floating_parts(value):
            yield (key, *path), tensor


def describe(output: object) -> str:
    """A word on an output that holds no floating tensor."""
    return f"a tensor of {output.dtype}" if isinstance(output, Tensor) else f"a {type(output).__name__}"


def _entries(output: Any) -> list[tuple[str, Any]]:
    if isinstance(output, Mapping):
        return [(str(key), value) for key, value in output.items()]
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return list(zip(output._fields, output, strict=True))
    if isinstance(output, tuple | list):
        return [(str(index), value) for index, value in enumerate(output)]
    if is_dataclass(output):
        return [(field.name, getattr(output, field.name)) for field in fields(output)]
    return []
