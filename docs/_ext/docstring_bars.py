"""Bars in docstrings: a norm such as |x|^2 is no substitution of reStructuredText."""

from __future__ import annotations

from typing import Any


def escaped(lines: list[str]) -> list[str]:
    """`lines` with bars escaped, but in literals and in examples, where a backslash would be shown."""
    result, example = [], False
    for line in lines:
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            parts = line.split("``")
            parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
            line = "``".join(parts)
        result.append(line)
    return result


def _on_docstring(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    lines[:] = escaped(lines)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx, after numpydoc has read its sections."""
    app.connect("autodoc-process-docstring", _on_docstring, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
