"""Folder of a training run: specification, log, checkpoint and finished members; nothing is pickled.

Every file but the log is whole or absent. The log is repaired on resuming: lines beyond the checkpoint are dropped.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, get_args

import torch
from torch import nn

from scaledetect._base.checklist import in_words
from scaledetect._base.errors import RefusalError, bad_type, bad_value
from scaledetect._base.files import checked_path, plain, read_text, regular_file, replacing
from scaledetect._base.run_folder import Description
from scaledetect._base.versions import versions
from scaledetect.nets import NetFactory, NetSpec
from scaledetect.results import Sensitivities
from scaledetect.training.result import Status, TrainedMember

__all__ = [
    "MEMBER_FORMAT",
    "RunFolder",
    "check_scores",
    "is_checkpoint",
    "is_count",
    "load_member",
    "read_log",
    "read_stored",
]


RUN_FORMAT = "scaledetect.training/1"
CHECKPOINT_FORMAT = "scaledetect.checkpoint/1"
MEMBER_FORMAT = "scaledetect.member/1"

LARGEST_LOG = 2**30
"""Bytes of a log."""

WAY_OUT = "train it again"


class RunFolder:
    """The folder of one run, described by plain data: a context that holds it, made or found to hold the same run.

    Raises
    ------
    ValueError
        On entering, when the folder cannot be written, is in use, or holds another run: the message names what differs.
    """

    def __init__(self, path: str | Path, description: Mapping[str, Any]) -> None:
        self.path = checked_path("output", path)
        self._description = Description("run.json", RUN_FORMAT, "run", description)
        self._held = ExitStack()

    def __enter__(self) -> RunFolder:
        made_with = {"versions": versions(), "torch_threads": torch.get_num_threads()}
        with ExitStack() as held:
            held.enter_context(self._description.hold(self.path, made_with))
            self._tidy()
            self._held = held.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    # ------------------------------------------------------------------ members

    def member_file(self, seed: int) -> Path:
        """Where the finished member of a seed is."""
        return self.path / f"seed-{seed}.pt"

    def save_member(self, member: TrainedMember) -> None:
        """Write a finished member."""
        fields = {name: getattr(member, name) for name in _MEMBER_FIELDS}
        net: dict[str, Any] = {"name": member.spec.name, "options": _lists(member.spec.options)}
        if isinstance(member.spec, NetFactory):
            net = {"factory": member.spec.name}
        stored = {"format": MEMBER_FORMAT, **fields, "net": net, "state_dict": member.net.state_dict()}
        _save(self.member_file(member.seed), stored)

    def load_member(
        self, seed: int, track: Sequence[int] = (), spec: NetSpec | NetFactory | None = None
    ) -> TrainedMember:
        """Read a finished member, with what was tracked at the epochs `track` it has seen."""
        own = spec.function if isinstance(spec, NetFactory) else None
        member = load_member(self.member_file(seed), net=own)
        if member.seed != seed:
            raise bad_value("output", str(self.member_file(seed)), f"is the member of seed {member.seed}", WAY_OUT)
        seen = [epoch for epoch in track if epoch <= member.epochs]
        return replace(member, tracked=self.load_tracked(seed, seen))

    def save_tracked(self, seed: int, epoch: int, s: Sensitivities) -> None:
        """Write the sensitivities of a member at an epoch."""
        (self.path / "track").mkdir(exist_ok=True)
        s.save(self._tracked(seed, epoch))

    def load_tracked(self, seed: int, epochs: Sequence[int]) -> dict[int, Sensitivities]:
        """Those of a member, by epoch."""
        return {epoch: Sensitivities.load(self._tracked(seed, epoch)) for epoch in epochs}

    def _tracked(self, seed: int, epoch: int) -> Path:
        return self.path / "track" / f"seed-{seed}-epoch-{epoch}.npz"

    # ------------------------------------------------------------------ where it stands

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint."""
        _save(self._checkpoint, {"format": CHECKPOINT_FORMAT, **state})

    def load_checkpoint(self, seeds: Sequence[int]) -> dict[str, Any] | None:
        """The checkpoint, if there is one of members among `seeds`."""
        if not self._checkpoint.exists():
            return None
        state = read_stored(self._checkpoint)
        if state.get("format") != CHECKPOINT_FORMAT:
            raise bad_value(
                "output", str(self._checkpoint), "is no checkpoint of this package", "choose another folder"
            )
        if not is_checkpoint(state):
            self.refuse_checkpoint("is damaged: it lacks a part of its state, or one is out of its range")
        return state if set(state["seeds"]) <= set(seeds) else None

    def refuse_checkpoint(self, why: str, cause: Exception | None = None) -> NoReturn:
        """Say what is wrong with the checkpoint, and how to go on."""
        way_out = "remove it, and members that are not finished begin again"
        raise bad_value("output", str(self._checkpoint), why, way_out) from cause

    def drop_checkpoint(self) -> None:
        """All its members are finished."""
        self._checkpoint.unlink(missing_ok=True)

    @property
    def _checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"

    # ------------------------------------------------------------------ log

    def append_log(self, line: Mapping[str, Any]) -> None:
        """Add a line; whole, or not at all unless the process ends in the middle of it."""
        data = (json.dumps(plain(dict(line)), allow_nan=False) + "\n").encode()
        with self._log.open("ab") as file:
            length = file.tell()
            try:
                file.write(data)
                file.flush()
            except OSError:
                os.ftruncate(file.fileno(), length)
                raise

    def rewind_log(self, seeds: Sequence[int], epoch: int) -> None:
        """Drop what was logged of `seeds` after `epoch`."""
        if not self._log.exists():
            return
        lines = [line for line in read_log(self._log) if line["epoch"] <= epoch or not set(line["seeds"]) & set(seeds)]
        with replacing(self._log) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    @property
    def _log(self) -> Path:
        return self.path / "log.jsonl"

    def _tidy(self) -> None:
        """Remove what a process leaves that is killed while it writes a file of a run."""
        for pattern in (".checkpoint-*.pt", ".seed-*.pt", ".log-*.jsonl", "track/.seed-*.npz"):
            for path in self.path.glob(pattern):
                path.unlink()


def load_member(path: str | Path, *, net: Callable[[int], nn.Module] | None = None) -> TrainedMember:
    """Read a trained member that `scaledetect.train` has written; nothing in the file is executed.

    Parameters
    ----------
    path : str or Path
    net : callable, optional
        The function from a seed to a net that it was trained with, where that was one of your own: the file has its
        name and the weights, and no code.

    Raises
    ------
    TypeError, ValueError
        When the file cannot be read, is no such member, or `net` is missing, or is given and not needed.
    """
    stored = read_stored(checked_path("path", path))
    if stored.get("format") != MEMBER_FORMAT:
        raise bad_value(
            "path", str(path), f"is not in the format {MEMBER_FORMAT!r}", "name a file that train has written"
        )
    own = stored["net"].get("factory") if isinstance(stored.get("net"), dict) else None
    if (own is None) != (net is None):
        text = "was trained from a name, which says it all" if own is None else f"was built by your own {own}"
        raise bad_value("net", net, f"{path} {text}", "leave it out" if own is None else "give that function as net=")
    try:
        check_scores(stored)
        factory = None if net is None else NetFactory(net)
        spec = factory or NetSpec(stored["net"]["name"], stored["net"]["options"])
        built, weights = spec.build(), stored["state_dict"]
        built.to(next(iter(weights.values())).dtype).load_state_dict(weights)
        return TrainedMember(**{name: stored[name] for name in _MEMBER_FIELDS}, spec=spec, net=built.eval())
    # Options and weights of all kinds reach the net's own code, and its memory.
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration, RuntimeError, MemoryError) as error:
        raise bad_value("path", str(path), f"is no whole member ({in_words(error)})", WAY_OUT) from error


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The lines of a log; a last one that is incomplete, from a process that was killed, is left out.

    Raises
    ------
    ValueError
        For a file that cannot be read, and a line that is none of a log: the message gives its number.
    """
    whole, _, _ = read_text("path", path, LARGEST_LOG).rpartition("\n")
    return [_log_line(Path(path), number, line) for number, line in enumerate(whole.split("\n"), 1) if whole]


def read_stored(path: Path) -> dict[str, Any]:
    """A dictionary of tensors and plain data.

    Raises
    ------
    TypeError, ValueError
        When the file cannot be read, is damaged, or holds anything else.
    """
    try:
        with regular_file("path", path) as file:
            stored = torch.load(file, map_location="cpu", weights_only=True)
    except RefusalError:
        raise
    except Exception as error:  # what the reader of torch raises on rubbish is of no one kind
        raise bad_value("path", str(path), "is damaged, or holds more than tensors and plain data") from error
    if not isinstance(stored, dict):
        raise bad_type("path", str(path), "holds no dictionary of tensors and plain data")
    return stored


def _log_line(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
        whole = is_count(line["epoch"]) and all(is_count(seed) for seed in line["seeds"])
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise bad_value("path", str(path), f"line {number} is none of a log", "remove that line")
    return line


_MEMBER_FIELDS = (
    "seed", "status", "epochs", "reached", "train_loss", "train_error", "validation_error", "test_error",
)  # fmt: skip


def _save(path: Path, stored: Mapping[str, Any]) -> None:
    # By way of memory: torch's own writer tells nothing of a full disk but that it failed.
    data = io.BytesIO()
    torch.save(dict(stored), data)
    with replacing(path) as temporary:
        temporary.write_bytes(data.getbuffer())


def _lists(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}


def is_count(value: object) -> bool:
    """Whether `value` is an integer from 0 to 2^64 - 1: a seed, or a number of epochs."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def is_checkpoint(state: Mapping[str, Any]) -> bool:
    """Whether a checkpoint has all its parts, each of its kind and within its range."""
    seeds, reached, losses = state.get("seeds"), state.get("reached"), state.get("losses")
    if not (isinstance(seeds, list) and seeds and all(map(is_count, seeds)) and len(set(seeds)) == len(seeds)):
        return False
    if not (isinstance(reached, dict) and isinstance(losses, dict) and isinstance(state.get("engine"), dict)):
        return False
    epoch = state.get("epoch")
    firsts = all(is_count(seed) and is_count(first) for seed, first in reached.items())
    numbers = all(is_count(seed) and isinstance(loss, float) for seed, loss in losses.items())
    return firsts and numbers and is_count(epoch) and (epoch == 0 or set(seeds) <= set(losses))


def check_scores(stored: Mapping[str, Any]) -> None:
    """Raise a `ValueError` unless the numbers of a member are of their kind and in their range."""
    reached, epochs = stored["reached"], stored["epochs"]
    if not (is_count(stored["seed"]) and is_count(epochs) and stored["status"] in get_args(Status)):
        raise ValueError("seed, epochs or status is out of its range")
    if not (reached is None or (is_count(reached) and 1 <= reached <= epochs)):
        raise ValueError(f"reached={reached!r} is no epoch up to {epochs}")
    if not _in_range(stored["train_loss"], math.inf):
        raise ValueError(f"train_loss={stored['train_loss']!r} is out of its range")
    for name in ("train_error", "validation_error", "test_error"):
        if not _in_range(stored[name], 1.0):
            raise ValueError(f"{name}={stored[name]!r} is no share of rows")


def _in_range(value: object, most: float) -> bool:
    return value is None or (isinstance(value, float) and math.isfinite(value) and 0 <= value <= most)
