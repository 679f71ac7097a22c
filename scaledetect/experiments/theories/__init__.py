"""The theories of the board, one file each, and theories by name; being in this folder registers one."""

from __future__ import annotations

from scaledetect._base.import_by_name import Catalogue
from scaledetect.theory._contract import Theory, check_theory_declaration

__all__ = ["find_theory", "is_theory", "theory_names"]

_THEORIES = Catalogue(Theory, "scaledetect.theory.Theory", __name__, "theory", check_theory_declaration)


def theory_names() -> list[str]:
    """Names of the theories that come with the package, sorted.

    Examples
    --------
    >>> "infinite-width" in theory_names()
    True
    """
    return list(_THEORIES.registered)


def find_theory(source: str) -> Theory:
    """A new theory: one of the package by its name, or one's own by ``module:Class``, from the current folder.

    Raises
    ------
    KeyError
        For an unknown name; the message lists the close ones.
    TypeError, ValueError
        For code that is not there, is no theory, or does not declare what a theory declares.
    """
    found: Theory = _THEORIES.find(source)()
    return found


def is_theory(source: str) -> bool:
    """Whether `source` names a theory of the package, or code that is meant as one."""
    return _THEORIES.means_one(source)
