"""Figures by name, each loaded when it is asked for."""

from __future__ import annotations

import importlib

from scaledetect._base.errors import unknown_name
from scaledetect.reproduce.study import Study

__all__ = ["names", "study"]

_HOME = {
    "examples": "examples",
    "depth-1d": "depth_1d",
    "deep-nets": "deep_nets",
    "layers-2d": "layers_2d",
}


def names() -> list[str]:
    """Names of the figures that `reproduce` makes, in the paper's order.

    Examples
    --------
    >>> from scaledetect.reproduce import names
    >>> names()
    ['examples', 'depth-1d', 'deep-nets', 'layers-2d']
    """
    return list(_HOME)


def study(name: str) -> Study:
    """The figure of this name; a `KeyError` lists the close ones."""
    if name not in _HOME:
        raise unknown_name("figure", name, _HOME)
    found: Study = importlib.import_module(f"scaledetect.reproduce.{_HOME[name]}").STUDY
    return found
