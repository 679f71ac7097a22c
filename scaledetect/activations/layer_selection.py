"""Selection of layers by name or pattern, and the layers taken by default."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from scaledetect._base.arguments import texts
from scaledetect._base.errors import bad_value, unknown_name
from scaledetect.activations.functional import ACTIVATIONS

__all__ = ["BLOCKS", "OUTPUT", "Selection"]

OUTPUT = "output"
"""Name under which the output of the whole net is measured."""

BLOCKS = "blocks"
"""In the place of names: the children of the net, and its output. A module of that name is asked for as ["blocks"]."""

_KIND = "names of layers, or patterns for them"
_WILD = re.compile(r"\*\*|\*|\?")
_AS_REGEX = {"**": ".*", "*": "[^.]*", "?": "[^.]"}


class Selection:
    """The layers asked for, and which of those have been met.

    An entry is a layer's label, the name of its module (then every call and every part of that module's output), or a
    pattern for either: ``*`` and ``?`` stay within a component of a dotted name, ``**`` does not.

    Parameters
    ----------
    layers : iterable of str, str or None
        None: modules that ran no other module, functional activations, and the output. "blocks": those in `blocks`, and
        the output.
    blocks : iterable of str
    """

    def __init__(self, layers: Iterable[str] | str | None, *, blocks: Iterable[str] = ()) -> None:
        is_blocks = isinstance(layers, str) and layers == BLOCKS
        self.is_default = layers is None or is_blocks
        self._blocks = frozenset(blocks) if is_blocks else None
        self._entries = _checked(None if is_blocks else layers)
        self._patterns = {entry: _pattern(entry) for entry in self._entries}
        self._met: set[str] = set()

    def check_names(self, known: Iterable[str]) -> None:
        """Raise unless every entry that is no pattern is one of the modules `known`, or begins with one."""
        names = {OUTPUT, *known}
        for entry in self._entries:
            # Which functions the net itself calls shows when it runs.
            bases = [base.removesuffix("()") for base in _bases(entry)]
            if not _WILD.search(entry) and not any(base in names or base in ACTIVATIONS for base in bases):
                raise unknown_name("layer", entry, names)

    def mentions(self, name: str) -> bool:
        """Whether `name`, or a call or part of that module, is asked for in so many words."""
        return any(name in _bases(entry) for entry in self._entries)

    def asks(self, name: str) -> bool:
        """Whether `name` itself is asked for."""
        return name in self._entries

    def takes(self, name: str, label: str, is_leaf: bool) -> bool:
        """Whether the activation `label` of module `name` counts."""
        if self.is_default:
            return name == OUTPUT or (is_leaf if self._blocks is None else name in self._blocks)
        hits = [entry for entry, pattern in self._patterns.items() if pattern(name) or pattern(label)]
        self._met.update(hits)
        return bool(hits)

    def check_met(self, seen: Iterable[str]) -> None:
        """Raise when an entry has met none of the layers `seen`."""
        if missing := [entry for entry in self._entries if entry not in self._met]:
            way_out = f"leave them out; these run: {', '.join(dict.fromkeys(seen))}"
            raise bad_value("layers", missing, "did not run in a forward pass of this net", way_out)


def _checked(layers: Iterable[str] | str | None) -> list[str]:
    if layers is None:
        return []
    names = [layers] if isinstance(layers, str) else texts("layers", layers, kind=_KIND)
    if not names:
        raise bad_value("layers", layers, "names no layer", "leave it out to measure all")
    return list(names)


def _pattern(entry: str) -> Callable[[str], object]:
    pieces = [_AS_REGEX.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*|\*|\?)", entry)]
    return re.compile("".join(pieces)).fullmatch


def _bases(entry: str) -> list[str]:
    """The entry itself, and what is left of it without the number of a call, or the last parts of an output."""
    cuts = [match.start() for match in re.finditer(r"[.:]", entry)]
    return [entry, *(entry[:cut] for cut in cuts)]
