"""Splits and classes of a sample stream: which class a sample belongs to, and which class indices a split may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaledetect._base.errors import bad_type, bad_value
from scaledetect.task.task import Task

__all__ = ["CLASSES", "ClassName", "Split", "Window", "class_counts", "class_window", "longest_run"]

ClassName = Literal["near", "far"]


CLASSES: tuple[ClassName, ClassName] = ("near", "far")


Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Window:
    """The class indices one split of one class may use: first, first + step, ... (`length` of them)."""

    first: int
    step: Literal[1, -1]
    length: int


def class_window(n_class: int, split: Split | None) -> Window:
    """Class indices of a split: train and validation share the first half, read from its two ends."""
    half = (n_class + 1) // 2
    if split is None:
        return Window(0, 1, n_class)
    if not isinstance(split, str):
        raise bad_type("split", split, "must be 'train', 'validation', 'test' or None")
    if split == "train":
        return Window(0, 1, half)
    if split == "validation":
        return Window(half - 1, -1, half)
    if split == "test":
        return Window(n_class - 1, -1, n_class - half)
    raise bad_value("split", split, "must be 'train', 'validation', 'test' or None")


def class_counts(task: Task, n: int) -> tuple[int, int]:
    """How many of the first n samples are near, and far."""
    if task.balance == "equal":
        return (n + 1) // 2, n // 2
    near = n * task.n_near // (task.n_near + task.n_far)
    return near, n - near


def longest_run(task: Task, split: Split | None) -> int:
    """How many samples, from the first on, the split holds without replacement."""
    near = class_window(task.n_near, split).length
    far = class_window(task.n_far, split).length
    if task.balance == "equal":
        return min(2 * near, 2 * far + 1)
    low, high = 0, near + far
    while low < high:
        middle = (low + high + 1) // 2
        used_near, used_far = class_counts(task, middle)
        low, high = (middle, high) if used_near <= near and used_far <= far else (low, middle - 1)
    return low
