"""The scale-detection task, its population and its cards."""

from scaledetect.task.task import Task

__all__ = ["Task"]
