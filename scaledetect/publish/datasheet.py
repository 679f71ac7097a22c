"""Datasheet of an exported card: the questions of Gebru et al. (arXiv 1803.09010) that a synthetic data set answers."""

from __future__ import annotations

from scaledetect._base.versions import __version__
from scaledetect.publish.citation import HOME, cite
from scaledetect.publish.rows import CardRows
from scaledetect.sampling.keys import STREAM_VERSION
from scaledetect.task.cards import DIGEST_LENGTH
from scaledetect.task.task import Task

__all__ = ["LIMITATIONS", "USES", "datasheet", "describe", "rule"]

USES = (
    "Measuring how layers of a network respond to deformations and to noise, how many images an architecture needs to "
    "learn a scale, and whether theory says so."
)

LIMITATIONS = (
    "Synthetic images of two active pixels: results say nothing of natural images by themselves. On a small "
    "population training and test rows drawn without replacement are anticorrelated, and a learner that knows nothing "
    "scores worse than chance; score cards keep clear of it, theory cards do not."
)


def rule(task: Task) -> str:
    """The rule that labels an image, in one sentence."""
    if task.labelling == "block":
        return f"An image is near where both active pixels lie in one block of side {task.xi}, else far."
    low, high = task.near_threshold / 4, task.far_threshold / 4
    norms = {"l1": "city-block ", "l2": "Euclidean ", "linf": "maximum "}
    norm = "" if task.dim == 1 else norms[task.norm]
    border = "the shorter way round on each axis" if task.periodic else "open borders"
    return (
        f"An image is near where the {norm}distance of p and q ({border}) is below {low:g}, and far from {high:g} on."
    )


def describe(rows: CardRows, labels: str = "+1 (near) and -1 (far)") -> str:
    """What the data are, in a few sentences."""
    task = rows.card.task
    parts = ", ".join(f"{len(split)} rows of {split.name!r}" for split in rows.splits)
    return (
        f"Images of the scale-detection task: two active pixels p and q of value {task.pixel_value:.10g} on a lattice "
        f"of shape {task.shape}, all others 0{_background(task)}. {rule(task)} Labels are {labels}. {parts}, drawn "
        f"without replacement from {task.n_near} near and {task.n_far} far pairs."
    )


def datasheet(rows: CardRows, files: list[str]) -> str:
    """The datasheet as Markdown."""
    card = rows.card
    held = "positions and images" if rows.has_images else "positions, from which the images follow"
    citation = cite(card)
    table = "\n".join(_counts(split.name, split.y.tolist()) for split in rows.splits)
    return f"""# Datasheet: {card.display_name}

After Gebru et al., *Datasheets for datasets*, arXiv 1803.09010.

## Motivation

{USES} Task and questions: {card.citation}.

## Composition

{describe(rows)} Each row holds {held}. No row is missing, none appears twice within a part, nothing is confidential and
no person is described.

| part | rows | near | far |
|---|--:|--:|--:|
{table}

Coordinates are pixels from 0 to {card.task.size - 1}; of each pair the pixel first in row-major order is p.

## Collection

Computed by scaledetect {__version__}, stream version {STREAM_VERSION}, stream seed {rows.stream_seed}\
{_repetition(rows)}: sample j of a part is the same on every
platform. The digest of the card covers the first {DIGEST_LENGTH} samples without a split with seed {card.seeds.digest}:
SHA-256 {card.digest}.

## Preprocessing

None.

## Uses

{USES} {LIMITATIONS}

## Distribution

Files: {", ".join(files)}. Licence: MIT, that of the package.

## Maintenance

Card {card.name}, version {card.version}: {HOME}/blob/main/tasks/{card.name}.toml. A change of the data is a new version
of the card; a change of the stream is a new version of that.

## Cite

{citation.line}

```bibtex
{citation.bibtex}
```
"""


def _background(task: Task) -> str:
    return f", with Gaussian noise of standard deviation {task.background_noise:g}" if task.background_noise else ""


def _repetition(rows: CardRows) -> str:
    if rows.repetition is None:
        return ""
    return f" (the rows of repetition {rows.repetition} of the leaderboard)"


def _counts(name: str, labels: list[int]) -> str:
    return f"| {name} | {len(labels)} | {labels.count(1)} | {labels.count(-1)} |"
