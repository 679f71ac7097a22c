"""The check that an argument is a task."""

from __future__ import annotations

from scaledetect._base.errors import bad_type
from scaledetect.task.task import Task

__all__ = ["check_task"]


def check_task(task: object, name: str = "task") -> Task:
    """`task`, which must be a `Task`; a card and the name of a card are none."""
    if not isinstance(task, Task):
        raise bad_type(name, task, "must be a scaledetect.Task", "load_task(name) gives one for a card")
    return task
