"""Classes and functions by name: those of a folder of the package, and of the user's own code by ``module:name``."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from inspect import isabstract
from pathlib import Path
from typing import Any

from scaledetect._base.arguments import text
from scaledetect._base.errors import bad_type, bad_value, unknown_name

__all__ = ["Catalogue", "check_declared", "locate"]

_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,49}")


def locate(source: str, argument: str = "net") -> Any:
    """What ``module:callable`` names; the current folder is looked into first, as ``python -m`` does.

    Parameters
    ----------
    source : str
        ``module:callable``, importable from the current folder.
    argument : str, default "net"
        What errors call `source`.

    Raises
    ------
    ValueError
        When `source` is not of that form, or the module or the name in it is not there.
    """
    module_name, colon, path = source.partition(":")
    if not (colon and module_name and path):
        raise bad_value(argument, source, "must read module:callable", "as in my_nets:build for build in my_nets.py")
    if (folder := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise bad_value(argument, source, f"there is no module {error.name!r} here or installed") from error
    for name in path.split("."):
        if not hasattr(found, name):
            raise bad_value(argument, source, f"{getattr(found, '__name__', found)!s} has no {name!r}")
        found = getattr(found, name)
    return found


class Catalogue:
    """Subclasses of a contract by name: each file of a folder registers its own, and users name theirs by module.

    Parameters
    ----------
    contract : type
        The class they derive from, with an attribute `name`.
    face : str
        Where users import it from.
    home : str
        Package whose files define those that are registered; files and classes with a leading underscore do not.
    argument : str
        What errors call one: ``"entry"`` or ``"theory"``.
    check : callable
        Raises unless a class declares what the contract asks.
    """

    def __init__(
        self, contract: type[Any], face: str, home: str, argument: str, check: Callable[[type[Any]], None]
    ) -> None:
        self._contract, self._face, self._home, self._argument, self._check = contract, face, home, argument, check

    @cached_property
    def registered(self) -> dict[str, type[Any]]:
        """Those of the folder by name."""
        found: dict[str, type[Any]] = {}
        for one in self._defined():
            self._check(one)
            if one.name in found:
                raise bad_value(f"{one.__name__}.name", one.name, f"is the name of {found[one.name].__name__} too")
            found[one.name] = one
        return dict(sorted(found.items()))

    def find(self, source: str) -> type[Any]:
        """One of the folder by its name, or one's own by ``module:Class``, from the current folder.

        Raises
        ------
        KeyError
            For an unknown name; the message lists the close ones.
        TypeError, ValueError
            For code that is not there, is none, or does not declare what the contract asks.
        """
        if ":" not in text(self._argument, source, kind="a name, or module:Class"):
            if source not in self.registered:
                raise unknown_name(self._argument, source, self.registered)
            return self.registered[source]
        found = locate(source, self._argument)
        if not self._is_one(found):
            raise bad_type(self._argument, source, f"names no subclass of {self._face}", "derive your class from it")
        self._check(found)
        return found  # type: ignore[no-any-return]

    def means_one(self, source: str) -> bool:
        """Whether `source` names one of the folder, or code that is meant as one."""
        if ":" not in source:
            return source in self.registered
        try:
            return self._is_one(locate(source))
        except Exception:
            # What cannot be imported is for the checks to say, not for the question which of them to run.
            return False

    def _is_one(self, found: object) -> bool:
        return isinstance(found, type) and issubclass(found, self._contract)

    def _defined(self) -> Iterator[type[Any]]:
        for info in pkgutil.iter_modules(importlib.import_module(self._home).__path__):
            if info.name.startswith("_"):
                continue
            module = importlib.import_module(f"{self._home}.{info.name}")
            for name, value in vars(module).items():
                if self._is_one(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                    yield value


def check_declared(cls: type[Any], argument: str, attributes: Mapping[str, type]) -> None:
    """Raise unless a class has these attributes of these types, a well-formed `name`, and no method left abstract.

    Raises
    ------
    TypeError, ValueError
        Naming the attribute.
    """
    kind = cls.__name__
    for attribute, form in attributes.items():
        value = getattr(cls, attribute, None)
        if type(value) is not form:
            raise bad_type(f"{kind}.{attribute}", value, f"must be of type {form.__name__}", "set it in the class")
    if not _NAME.fullmatch(cls.name):
        text = "must be up to 50 of a-z, 0-9, '-' and '_', a letter or digit first"
        raise bad_value(f"{kind}.name", cls.name, text)
    if cls.version < 1:
        raise bad_value(f"{kind}.version", cls.version, "must be at least 1")
    if isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise bad_type(argument, kind, f"does not define {missing}", "each of them is needed")
