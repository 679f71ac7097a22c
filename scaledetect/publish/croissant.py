"""Croissant 1.1 metadata (JSON-LD) of an exported card: files with their hashes, and the type of every column."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from scaledetect._base.versions import __version__
from scaledetect.publish.citation import HOME, RELEASED, cite
from scaledetect.publish.datasheet import LIMITATIONS, USES, describe
from scaledetect.publish.rows import CardRows, SplitRows
from scaledetect.sampling.keys import STREAM_VERSION

__all__ = ["croissant"]

# The context of the specification, version 1.1; readers warn of any other.
_TERMS = (
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject",
    "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "description": {"@container": "@language"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _TERMS},
}

_MEANING = {
    "sample": "Number of the sample in its part of the stream, from 0.",
    "label": "+1 near, -1 far.",
    "p": "Coordinate of the first active pixel on axis {axis}, in pixels from 0.",
    "q": "Coordinate of the second active pixel on axis {axis}, in pixels from 0.",
}


def croissant(rows: CardRows, folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The metadata of CSV files `names` in `folder`, one a split, as plain data."""
    card, files = rows.card, list(names)
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": card.name,
        "description": describe(rows),
        "version": f"{card.version}.0.0",
        "license": "https://spdx.org/licenses/MIT",
        "url": f"{HOME}/blob/main/tasks/{card.name}.toml",
        "datePublished": RELEASED,
        "creator": {"@type": "sc:Organization", "name": "The scaledetect developers", "url": HOME},
        "keywords": ["scale-detection task", "synthetic data", "deep learning", "diffeomorphisms"],
        "citeAs": cite(card).bibtex,
        "isLiveDataset": False,
        "rai:dataCollection": (
            f"Computed by scaledetect {__version__}, stream version {STREAM_VERSION}, stream seed {rows.stream_seed}; "
            f"digest of the card: SHA-256 {card.digest}."
        ),
        "rai:dataUseCases": USES,
        "rai:dataLimitations": LIMITATIONS,
        "rai:personalSensitiveInformation": "None: the data are synthetic.",
        "distribution": [_file(folder / name) for name in files],
        "recordSet": [_records(split, name) for split, name in zip(rows.splits, files, strict=True)],
    }


def _file(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{len(data)} B",
        "encodingFormat": "text/csv",
        "sha256": sha256(data).hexdigest(),
    }


def _records(split: SplitRows, file: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split.name,
        "name": split.name,
        "description": f"Rows of {split.name!r}, one an image.",
        "key": {"@id": f"{split.name}/sample"},
        "field": [_field(split.name, column, file) for column in split.columns()],
    }


def _field(part: str, column: str, file: str) -> dict[str, Any]:
    axis = column[1:]
    text = _MEANING[column] if column in _MEANING else _MEANING[column[0]].format(axis=axis)
    return {
        "@type": "cr:Field",
        "@id": f"{part}/{column}",
        "name": column,
        "description": text,
        "dataType": ["sc:Integer", "cr:Label"] if column == "label" else "sc:Integer",
        "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
    }
