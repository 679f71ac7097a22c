"""Citation of the package, of the paper and of a card, with every version that the data depend on."""

from __future__ import annotations

from dataclasses import dataclass

from scaledetect._base.errors import bad_type
from scaledetect._base.versions import __version__
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.task.cards import Card, load_card

__all__ = ["HOME", "PAPER", "RELEASED", "TITLE", "Citation", "cite", "find_card"]

HOME = "https://github.com/scaledetect/scaledetect"
"""Where the repository is read; pyproject.toml says the same."""

RELEASED = "2026-11-25"
"""Day of this version, as in CITATION.cff."""

TITLE = "scaledetect: scale-detection tasks with exact sampling, measurement and theory"

PAPER = """@article{tomasini2022deep,
  title = {How deep convolutional neural networks lose spatial information with training},
  author = {Tomasini, Umberto M. and Petrini, Leonardo and Cagnetta, Francesco and Wyart, Matthieu},
  journal = {arXiv preprint arXiv:2210.01506},
  year = {2022},
  eprint = {2210.01506},
  archiveprefix = {arXiv}
}"""


@dataclass(frozen=True)
class Citation:
    """What to cite: BibTeX for a bibliography, and one line for a text or a caption.

    Attributes
    ----------
    bibtex : str
        Entries of the package and of the paper whose task it implements.
    line : str
        Package version and, for a card, its name, version, stream version and digest of its data.
    """

    bibtex: str
    line: str

    def __str__(self) -> str:
        return f"{self.line}\n\n{self.bibtex}"


def cite(card: Card | str | None = None) -> Citation:
    """How to cite the package, or the data of one card.

    Parameters
    ----------
    card : Card or str, optional
        A card, its name, or the path of its TOML file. None: the package alone.

    Returns
    -------
    Citation

    Raises
    ------
    TypeError, KeyError, ValueError
        For what is no card; see `load_card`.

    Examples
    --------
    >>> from scaledetect.publish import cite
    >>> print(cite("distance-1d-L64-xi16").line.split(", SHA-256")[0])
    scaledetect 0.1.0, card distance-1d-L64-xi16 version 1, stream version 1
    """
    note, line = "", f"scaledetect {__version__}"
    if card is not None:
        found = find_card(card)
        data = f"card {found.name} version {found.version}, stream version {STREAM_VERSION}"
        line += f", {data}, SHA-256 {found.digest}"
        note = f"\n  note = {{{data}, SHA-256 {found.digest}}},"
    return Citation(f"{_software(note)}\n\n{PAPER}", line)


def find_card(card: Card | str) -> Card:
    """`card`, or the one of this name or file."""
    if isinstance(card, Card):
        return card
    if not isinstance(card, str):
        raise bad_type("card", card, "must be a Card, or the name of one", "scaledetect.list_tasks() lists them")
    return load_card(card)


def _software(note: str) -> str:
    return f"""@software{{scaledetect,
  title = {{{TITLE}}},
  author = {{{{The scaledetect developers}}}},
  version = {{{__version__}}},
  year = {{{RELEASED[:4]}}},
  url = {{{HOME}}},{note}
  license = {{MIT}}
}}"""
