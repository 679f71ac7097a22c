"""Entries whose fits take long even on small tasks: tests of the contract train them for a single epoch."""

from __future__ import annotations

from scaledetect.leaderboard.entries.base import entry_class, entry_names

ONE_EPOCH = [
    name
    for name in entry_names()
    if entry_class(name).kind == "image net"
    or name in ("gap-cnn", "pooling-f4", "pooling-s1", "pooling-s2", "template", "transformer")
]
