"""Data of an experiment made anew, and frozen: nets from their seeds, trained where the card says so, then measured.

A folder holds everything that is done, and is gone on with: ``training-*`` (runs of `scaledetect.train`), ``seeds``
(the lines of each measured net), and at the end ``NAME.jsonl`` and, for a trained experiment, ``NAME.npz``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from scaledetect._base.errors import bad_value
from scaledetect._base.files import checked_path, make_folder
from scaledetect._base.run_folder import Description
from scaledetect._base.versions import versions
from scaledetect.experiments.cards import ExperimentCard, Training, load_experiment_card
from scaledetect.experiments.experiment import read_experiment
from scaledetect.experiments.lines import (
    DATA_FORMAT,
    HASHES,
    Line,
    file_hash,
    read_hashes,
    rounded,
    write_hashes,
    write_lines,
)
from scaledetect.experiments.measuring import constant_net, measure_seed, measure_shares, weights_hash
from scaledetect.experiments.weights import half_precision, save_weights
from scaledetect.perturbations.noise import Noise
from scaledetect.sampling.seeds import factor_seed
from scaledetect.theory import ensemble_sigma
from scaledetect.training import TrainedMember, read_log, train

__all__ = [
    "freeze_experiment",
    "initial_net",
    "make_experiment",
    "seed_lines",
    "train_members",
    "trained_nets",
]


Say = Callable[[str], object]

RUN_FORMAT = "scaledetect.experiment-run/1"

TRACK_NOISE = Noise(mode="rectified_noise")

SCORES = ("status", "epochs", "reached", "train_loss", "train_error", "validation_error", "test_error")


def make_experiment(
    card: ExperimentCard, output: str | Path, *, seeds: Iterable[int] | None = None, say: Say = lambda text: None
) -> Path:
    """Make the data of an experiment in a folder, going on from what it holds.

    Parameters
    ----------
    card : ExperimentCard
    output : str or Path
        Folder of this experiment alone.
    seeds : iterable of int, optional
        Some of those of the card; all by default.
    say : callable, optional
        Told what is done.

    Returns
    -------
    Path
        The data file, ``NAME.jsonl``. On the same machine, with as many threads and the same versions, it repeats bit
        for bit; on another one trained nets differ.

    Raises
    ------
    ValueError
        For a folder that holds another experiment, and for a seed that the card has not.
    """
    chosen = _chosen(card, seeds)
    folder = checked_path("output", output)
    run = {"name": card.name, "recipe": card.recipe_hash}
    with Description("experiment.json", RUN_FORMAT, "experiment", run).hold(folder, versions()):
        return _make(card, chosen, folder, say)


def _make(card: ExperimentCard, chosen: list[int], folder: Path, say: Say) -> Path:
    nets = _Nets(card, chosen, folder, say)
    lines: list[Line] = [header(card)]
    for seed in chosen:
        path = make_folder(folder / "seeds") / f"seed-{seed}.jsonl"
        if not path.exists():
            say(f"measuring seed {seed}")
            write_lines(path, seed_lines(card, seed, nets.net(seed), nets.member(seed), nets.errors(seed)))
        lines += [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    if published := [seed for seed in chosen if seed in card.seeds.all[: card.seeds.published]]:
        save_weights(folder / f"{card.name}.npz", {seed: nets.net(seed) for seed in published})
    write_lines(folder / f"{card.name}.jsonl", lines)
    return folder / f"{card.name}.jsonl"


def header(card: ExperimentCard) -> Line:
    """The first line of a data file."""
    pooling = card.net.pooling
    return {
        "format": DATA_FORMAT,
        "name": card.name,
        "recipe": card.recipe_hash,
        "digest": card.digest,
        "layers": list(pooling.layers),
        "A": rounded(pooling.A, 7),
        "n": card.measurement.draws,
        "n_blocks": 50,
        "sigma": ensemble_sigma(card.task),
        "made_with": versions(),
    }


def seed_lines(
    card: ExperimentCard, seed: int, net: nn.Module, member: TrainedMember | None, errors: dict[int, float]
) -> list[Line]:
    """All lines of a seed: its net, its curves, the shares, and what was tracked in training."""
    about: Line = {"kind": "net", "seed": seed}
    if member is not None:
        about |= {name: getattr(member, name) for name in SCORES}
        about |= {name: _short(about[name]) for name in SCORES if isinstance(about[name], float)}
    lines = [{**about, "weights": weights_hash(net)}, *measure_seed(card, seed, net), *measure_shares(card, seed, net)]
    if member is not None and member.tracked:
        lines.append(_track_line(card, member, errors))
    return lines


def initial_net(card: ExperimentCard, seed: int) -> nn.Module:
    """The net of a seed before training, in eval mode."""
    if card.net.width is None:
        return constant_net(card).eval()
    return card.net.spec(card.task.dim).build(factor_seed(seed, "init")).eval()


def trained_nets(
    card: ExperimentCard, seeds: Sequence[int], folder: Path, say: Say = lambda text: None
) -> dict[int, nn.Module]:
    """The trained nets of some seeds as they are measured, made one by one in a folder, or found there."""
    return {seed: half_precision(train_members(card, [seed], folder, say)[seed].net) for seed in seeds}


def train_members(card: ExperimentCard, seeds: Sequence[int], folder: Path, say: Say) -> dict[int, TrainedMember]:
    """The trained nets of some seeds; tracked ones and others are runs of their own."""
    training = card.training
    assert training is not None
    tracked = set(card.seeds.all[: training.track_seeds or 0])
    groups = [[seed for seed in seeds if seed in tracked], [seed for seed in seeds if seed not in tracked]]
    found: dict[int, TrainedMember] = {}
    for group, track in zip(groups, (training.track, ()), strict=True):
        if group:
            found |= _train_group(card, training, group, track, folder, say)
    return found


def _train_group(
    card: ExperimentCard, training: Training, seeds: list[int], track: tuple[int, ...], folder: Path, say: Say
) -> dict[int, TrainedMember]:
    start = None
    if training.start_from is not None:
        first = replace_seeds(load_experiment_card(training.start_from), card)
        members = train_members(first, seeds, folder / "start-from", say)
        start = {seed: member.net for seed, member in members.items()}
    run = train(
        card.task,
        card.net.spec(card.task.dim),
        n_train=training.n_train,
        n_validation=training.n_validation,
        n_test=training.n_test,
        seeds=seeds,
        config=training.config,
        output=run_folder(folder, seeds),
        track=track,
        track_draws=training.track_draws or 100,
        noise=TRACK_NOISE,
        start_from=start,
        on_epoch=lambda now: say(f"epoch {now.epoch}, loss {now.losses.mean():.2e}, {len(now.seeds)} seeds"),
        device="cpu",
    )
    return {member.seed: member for member in run}


def run_folder(folder: Path, seeds: Sequence[int]) -> Path:
    """Where the run of these seeds is kept."""
    make_folder(folder)
    return folder / f"training-{seeds[0]}-{seeds[-1]}"


def replace_seeds(start: ExperimentCard, card: ExperimentCard) -> ExperimentCard:
    """The card of the run that a run begins with, without its tracking: only its nets are wanted."""
    assert start.training is not None
    bare = start.training.model_copy(update=dict.fromkeys(("track_every", "track_until", "track_draws", "track_seeds")))
    return start.model_copy(update={"training": bare, "seeds": card.seeds})


class _Nets:
    """The nets of an experiment by seed, trained when the first one is asked for."""

    def __init__(self, card: ExperimentCard, seeds: list[int], folder: Path, say: Say) -> None:
        self._card, self._seeds, self._folder, self._say = card, seeds, folder, say
        self._members: dict[int, TrainedMember] | None = None

    def member(self, seed: int) -> TrainedMember | None:
        if self._card.training is None:
            return None
        if self._members is None:
            members = train_members(self._card, self._seeds, self._folder, self._say)
            self._members = {s: replace(member, net=half_precision(member.net)) for s, member in members.items()}
        return self._members[seed]

    def net(self, seed: int) -> nn.Module:
        member = self.member(seed)
        return initial_net(self._card, seed) if member is None else member.net

    def errors(self, seed: int) -> dict[int, float]:
        """Validation error by epoch, of a tracked net."""
        member = self.member(seed)
        if member is None or not member.tracked:
            return {}
        tracked = [s for s in self._seeds if s in self._card.seeds.all[: self._card.training.track_seeds or 0]]  # type: ignore[union-attr]
        return validation_errors(run_folder(self._folder, tracked) / "log.jsonl", seed)


def validation_errors(log: Path, seed: int) -> dict[int, float]:
    """Share of wrong validation rows of a seed, by epoch, as far as the log of its run has it."""
    return {
        line["epoch"]: line["validation_error"][line["seeds"].index(seed)]
        for line in read_log(log)
        if seed in line["seeds"] and "validation_error" in line
    }


def _track_line(card: ExperimentCard, member: TrainedMember, errors: dict[int, float]) -> Line:
    epochs = sorted(member.tracked)
    assert card.training is not None
    line: Line = {"kind": "track", "seed": member.seed, "noise": TRACK_NOISE.mode, "draws": card.training.track_draws}
    line |= {"epochs": epochs, "validation_error": [_short(errors.get(epoch)) for epoch in epochs]}
    for name in ("D", "G", "R"):
        line[name] = [rounded(getattr(member.tracked[epoch], name), 5) for epoch in epochs]
    return line


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _chosen(card: ExperimentCard, seeds: Iterable[int] | None) -> list[int]:
    if seeds is None:
        return list(card.seeds.all)
    chosen = list(seeds)
    if not chosen or not set(chosen) <= set(card.seeds.all):
        text = f"must be some of those of {card.name!r}, {card.seeds.all[0]} to {card.seeds.all[-1]}"
        raise bad_value("seeds", chosen, text)
    return chosen


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
