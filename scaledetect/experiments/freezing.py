"""Freeze data that were made: copy them beside the cards, and write down their hashes."""

from __future__ import annotations

import shutil
from pathlib import Path

from scaledetect._base.files import make_folder
from scaledetect.experiments.cards import ExperimentCard
from scaledetect.experiments.experiment import read_experiment
from scaledetect.experiments.lines import HASHES, file_hash, read_hashes, write_hashes

__all__ = ["freeze_experiment"]


def freeze_experiment(card: ExperimentCard, made: str | Path, cards: str | Path) -> list[Path]:
    """Put the data of an experiment, and its published weights, beside the cards of a copy of the repository.

    Parameters
    ----------
    card : ExperimentCard
    made : str or Path
        Folder that `make_experiment` has filled, with all seeds of the card.
    cards : str or Path
        ``tasks/experiments`` of the repository.

    Returns
    -------
    list of Path
        The files written: data, weights where there are any, and the list of hashes.

    Raises
    ------
    ValueError
        For data of another recipe, or that lack a net or a curve of the card.
    """
    made, cards = Path(made), Path(cards)
    e = read_experiment(card, made / f"{card.name}.jsonl")
    for noise in e.noises:
        for channels in ("each", "mean"):
            e.measurements(noise, channels)
    targets = {made / f"{card.name}.jsonl": make_folder(cards / "data") / f"{card.name}.jsonl"}
    if card.seeds.published:
        targets[made / f"{card.name}.npz"] = make_folder(cards / "weights") / f"{card.name}.npz"
    sums = cards / "data" / HASHES
    hashes = read_hashes(sums) if sums.exists() else {}
    for source, target in targets.items():
        shutil.copyfile(source, target)
        hashes[f"{target.parent.name}/{target.name}"] = file_hash(target)
    write_hashes(sums, hashes)
    return [*targets.values(), sums]
