"""Every reader of files with sound files, which the fuzzer damages."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import torch
from helpers.record_samples import sample_record, sample_scores

import scaledetect as sd
from fuzz.functions import CONFIG, NET, TASK, measured
from fuzz.mutations import damaged_bytes, damaged_text, damaged_tree
from scaledetect.experiments import load_experiment_card
from scaledetect.leaderboard.records import read_record, write_record
from scaledetect.reproduce import load_hypotheses
from scaledetect.training import read_log

__all__ = ["READERS", "damage", "sound"]

ROOT = Path(__file__).resolve().parents[2]

READERS: dict[str, Callable[[Path], Any]] = {
    "card.toml": lambda path: sd.load_card(str(path)),
    "experiment.toml": lambda path: load_experiment_card(str(path)),
    "hypotheses.toml": load_hypotheses,
    "record.json": read_record,
    "result.json": sd.Sensitivities.load,
    "result.npz": sd.Sensitivities.load,
    "seed-0.pt": sd.load_member,
    "log.jsonl": read_log,
    "run folder": lambda path: train(path.parent),
}


def train(folder: Path, **more: Any) -> sd.TrainingRun:
    options: dict[str, Any] = {"n_train": 8, "seeds": (0, 1), "config": CONFIG, "device": "cpu", "checkpoint_every": 0}
    return sd.train(TASK, NET, output=folder, **options, **more)


class _StopHereError(Exception):
    """Breaks a run off."""


@cache
def sound() -> Path:
    """A folder of sound files, one for each reader, and of run folders."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    shutil.copy(ROOT / "tasks/block-2d-L16-xi8.toml", folder / "card.toml")
    shutil.copy(ROOT / "tasks/experiments/block-1d-L128-trained.toml", folder / "experiment.toml")
    for name in ("card", "experiment"):
        text = (folder / f"{name}.toml").read_text()
        old = tomllib.loads(text)["name"]
        (folder / f"{name}.toml").write_text(text.replace(f'name = "{old}"', f'name = "{name}"', 1))
    shutil.copy(ROOT / "docs/hypotheses.toml", folder / "hypotheses.toml")
    record = write_record(folder / "records", sample_record(sample_scores(D=0.5, D_stderr=0.01)))
    shutil.copy(record, folder / "record.json")
    measured(True).save(folder / "result.npz")
    measured().save(folder / "result.json")
    train(folder / "run")
    (folder / "broken").mkdir()

    def stop(progress: sd.TrainProgress) -> None:
        raise _StopHereError

    with contextlib.suppress(_StopHereError):
        train(folder / "broken", on_epoch=stop)
    shutil.copy(folder / "run/seed-0.pt", folder / "seed-0.pt")
    return folder


def damage(name: str, place: Path, rng: Random) -> Path:
    """A damaged copy, under `place`, of what the reader of this name reads."""
    if name in ("log.jsonl", "run folder"):
        source = sound() / ("run" if name == "log.jsonl" else rng.choice(("run", "broken")))
        folder = place / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        path = folder / "log.jsonl" if name == "log.jsonl" else rng.choice(sorted(folder.iterdir()))
    else:
        path = place / name
        path.write_bytes((sound() / name).read_bytes())
    if rng.random() < 0.15:
        return path
    data = path.read_bytes()
    if path.suffix in (".toml", ".jsonl"):
        path.write_bytes(damaged_text(data, rng))
    elif path.suffix == ".json" and rng.random() < 0.7:
        path.write_text(json.dumps(damaged_tree(json.loads(data), rng)))
    elif path.suffix == ".pt" and rng.random() < 0.7:
        torch.save(damaged_tree(torch.load(path, weights_only=True), rng), path)
    else:
        path.write_bytes(damaged_bytes(data, rng))
    return path
