"""Import of objects from the user's own code by ``module:name``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from scaledetect._base.errors import bad_value

__all__ = ["locate"]


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
