"""Damage to files: bytes, lines of text, and values in trees of plain data."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from fuzz.values import changed

__all__ = ["damaged_bytes", "damaged_text", "damaged_tree"]

_WORDS = (
    b"nan", b"inf", b"-1", b"0", b"1e400", b"9" * 30, b"9" * 5000, b"true", b'""', b"[]", b"{}", b"[" * 3000, b"null",
    b"2026-01-01", b"0x1F", b'"\\ud800"', b"\xff\xfe", b"\0", b"3.5", b'"a"', b"[1, 2]", b"[[1]]",
)  # fmt: skip


def damaged_bytes(data: bytes, rng: Random) -> bytes:
    """Cut, doubled, overwritten or flipped somewhere."""
    if not data:
        return b"x"
    k, width = rng.randrange(len(data)), rng.choice((1, 1, 4, 64, 1000))
    way = rng.randrange(7)
    if way == 0:
        return data[:k]
    if way == 1:
        return data[:k] + data[k + width :]
    if way == 2:
        return data[:k] + data[k : k + width] + data[k:]
    if way == 3:
        return data[:k] + rng.randbytes(width) + data[k + width :]
    if way == 4:
        return data[:k] + bytes([data[k] ^ (1 << rng.randrange(8))]) + data[k + 1 :]
    return b"" if way == 5 and rng.random() < 0.1 else data[:k] + rng.choice(_WORDS) + data[k:]


def damaged_text(data: bytes, rng: Random) -> bytes:
    """A line left out, doubled, moved or with another value; or damaged as bytes."""
    if rng.random() < 0.2:
        return damaged_bytes(data, rng)
    lines = data.split(b"\n")
    k = rng.randrange(len(lines))
    way = rng.randrange(5)
    if way == 0:
        lines.pop(k)
    elif way == 1:
        lines.insert(k, lines[k])
    elif way == 2:
        lines.insert(rng.randrange(len(lines)), lines.pop(k))
    else:
        for mark in (b"=", b":"):
            if mark in lines[k]:
                head, _, _ = lines[k].partition(mark)
                lines[k] = head + mark + b" " + rng.choice(_WORDS)
                break
    return b"\n".join(lines)


def damaged_tree(data: Any, rng: Random) -> Any:
    """The same data with one value changed, left out or doubled, at any depth."""
    data = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 1, 2))):
        holder, key = _place(data, rng)
        if holder is None:
            return _plain(changed(data, rng))
        if rng.random() < 0.15:
            del holder[key]
        else:
            holder[key] = _plain(changed(holder[key], rng))
    return data


def _place(data: Any, rng: Random) -> tuple[Any, Any]:
    holder, key = None, None
    while isinstance(data, (dict, list)) and data and (holder is None or rng.random() < 0.8):
        key = rng.choice(list(data)) if isinstance(data, dict) else rng.randrange(len(data))
        holder, data = data, data[key]
    return holder, key


def _plain(value: Any) -> Any:
    """`value` where a file can hold it, else a text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return 10**40 if isinstance(value, int) and abs(value) > 10**4000 else value
    if isinstance(value, (list, tuple)) and len(value) < 100:
        return [_plain(entry) for entry in value] if not _is_deep(value) else "deep"
    return type(value).__name__


def _is_deep(value: Any, most: int = 50) -> bool:
    while isinstance(value, (list, tuple)) and value and most:
        value, most = value[0], most - 1
    return not most
