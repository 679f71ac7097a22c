"""Nets by name, from the user's own code, or from stored weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from scaledetect._base.arguments import text
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.files import checked_path
from scaledetect._base.import_by_name import locate
from scaledetect.nets import get
from scaledetect.training.store import MEMBER_FORMAT, load_member, read_stored

__all__ = ["build", "few", "find_net"]

WEIGHTS = (".pt", ".pth")
_WAY_OUT = "store one with torch.save(net.state_dict(), path)"


def find_net(source: str, *, architecture: str | None = None, **options: Any) -> nn.Module:
    """The net that `source` describes.

    Parameters
    ----------
    source : str
        A name of `scaledetect.nets.names()`; ``module:callable``, importable from the current folder; or the path of a
        file that ends in .pt or .pth: a member that `scaledetect.train` has written, or a state dict.
    architecture : str, optional
        The net that a state dict belongs to: a name or ``module:callable``.
    **options
        For a net of a name, what it is built with; code of one's own takes none.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    KeyError, TypeError, ValueError
        For an unknown name, code that is not there or builds no net, and weights that cannot be read or do not fit.
    """
    if Path(text("net", source, kind="the name of a net, module:callable or a path")).suffix in WEIGHTS:
        stored = _stored(checked_path("net", source))
        if stored.get("format") == MEMBER_FORMAT:
            if architecture is not None:
                raise bad_value("architecture", architecture, "is what this trained net brings along", "leave it out")
            return load_member(source).net
        if architecture is None:
            raise bad_value("net", source, "weights alone are no net", "name theirs with --architecture")
        return _filled(_net(architecture, options), _weights(stored, source), source, architecture)
    if architecture is not None:
        raise bad_value("architecture", architecture, "goes with a file of weights (.pt or .pth) only", "leave it out")
    return _net(source, options)


def build(found: Any, source: str) -> nn.Module:
    """`found` itself where it is a net, else what it returns when called without arguments."""
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise bad_type("net", source, f"is of type {type(found).__name__}, no net and nothing that builds one")
    _check_takes_nothing(found, source)
    net = found()
    if not isinstance(net, nn.Module):
        raise bad_type("net", source, f"returns {type(net).__name__} when called", "return a torch.nn.Module")
    return net


def _net(source: str, options: Mapping[str, Any]) -> nn.Module:
    return build(locate(source), source) if ":" in source else get(source, **options)


def _check_takes_nothing(found: Any, source: str) -> None:
    try:
        signature = inspect.signature(found)
    except ValueError:  # some builtins have none
        return
    try:
        signature.bind()
    except TypeError as error:
        way_out = "wrap it in a function without arguments"
        raise bad_type("net", source, f"is called without arguments, but {error}", way_out) from error


def _stored(path: Path) -> dict[str, Any]:
    try:
        return read_stored(path)
    except ValueError as error:
        if isinstance(error.__cause__, OSError):
            raise bad_value("net", str(path), f"cannot be read ({error.__cause__.strerror})") from error
        raise bad_value("net", str(path), "holds more or other than a state dict", _WAY_OUT) from error
    except TypeError as error:
        raise bad_value("net", str(path), "is no state dict", _WAY_OUT) from error


def _weights(stored: dict[str, Any], source: str) -> dict[str, Any]:
    if not all(isinstance(value, torch.Tensor) for value in stored.values()):
        raise bad_value("net", source, "is no state dict", _WAY_OUT)
    return stored


def _filled(net: nn.Module, weights: dict[str, Any], source: str, architecture: str) -> nn.Module:
    wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    wrong = {
        "lacks": [name for name in wanted if name not in given],
        "has beside": [name for name in given if name not in wanted],
        "has another shape in": [name for name in given if name in wanted and given[name] != wanted[name]],
    }
    if any(wrong.values()):
        text = "; ".join(f"{what} {few(names)}" for what, names in wrong.items() if names)
        raise bad_value("net", source, f"does not fit {architecture!r}: it {text}")
    net.load_state_dict(weights)
    return net


def few(names: list[str], most: int = 3) -> str:
    """The first names of a list that may be long, for a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
