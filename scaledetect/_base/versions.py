"""Versions of the package and of the libraries it runs on."""

from __future__ import annotations

import platform
from importlib import metadata

__all__ = ["__version__", "show_versions", "versions"]

__version__ = "0.1.0"

_LIBRARIES = ("numpy", "numba", "scipy", "scikit-learn", "torch", "pandas", "matplotlib", "joblib", "pydantic", "typer")


def versions() -> dict[str, str]:
    """Versions of the package, of Python and of the libraries it needs; none of them is imported.

    Returns
    -------
    dict
        Name to version, "missing" for a library that is not installed; and the platform.

    Examples
    --------
    >>> import scaledetect as sd
    >>> from scaledetect._base.versions import versions
    >>> versions()["scaledetect"] == sd.__version__
    True
    """
    found = {"scaledetect": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def show_versions() -> None:
    """Print `versions`, one a line: what a bug report should contain."""
    for name, version in versions().items():
        print(f"{name:13} {version}")  # noqa: T201 - printing is what it is for
