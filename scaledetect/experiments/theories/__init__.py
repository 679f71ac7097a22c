"""The theories of the board, one file each, and theories by name; being in this folder registers one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

from scaledetect._base.errors import bad_type, bad_value, unknown_name
from scaledetect._base.import_by_name import locate
from scaledetect.theory._contract import Theory, check_theory_declaration

__all__ = ["find_theory", "is_theory", "theory_names"]


def theory_names() -> list[str]:
    """Names of the theories that come with the package, sorted.

    Examples
    --------
    >>> "infinite-width" in theory_names()
    True
    """
    return sorted(_registered())


def find_theory(source: str) -> Theory:
    """A new theory: one of the package by its name, or one's own by ``module:Class``, from the current folder.

    Raises
    ------
    KeyError
        For an unknown name; the message lists the close ones.
    TypeError, ValueError
        For code that is not there, is no theory, or does not declare what a theory declares.
    """
    if ":" not in source:
        if source not in _registered():
            raise unknown_name("theory", source, _registered())
        return _registered()[source]()
    found = locate(source, "theory")
    if not (isinstance(found, type) and issubclass(found, Theory)):
        raise bad_type("theory", source, "names no subclass of scaledetect.theory.Theory", "derive your class from it")
    check_theory_declaration(found)
    return found()


def is_theory(source: str) -> bool:
    """Whether `source` names a theory of the package, or code that is meant as one."""
    if ":" not in source:
        return source in _registered()
    try:
        found = locate(source)
    except Exception:
        # What cannot be imported is for the checks to say, not for the question which of them to run.
        return False
    return isinstance(found, type) and issubclass(found, Theory)


@cache
def _registered() -> dict[str, type[Theory]]:
    found: dict[str, type[Theory]] = {}
    for theory in _defined():
        check_theory_declaration(theory)
        if theory.name in found:
            raise bad_value(f"{theory.__name__}.name", theory.name, f"is the name of {found[theory.name].__name__} too")
        found[theory.name] = theory
    return found


def _defined() -> Iterator[type[Theory]]:
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Theory) and value.__module__ == module.__name__:
                yield value
